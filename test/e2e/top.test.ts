import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fetchOnce } from './client.ts';
import { type Balancer, command, runCommand, startBalancer } from './harness.ts';
import { startOrigins } from './origins.ts';
import { freePort } from './ports.ts';
import { until } from './waiting.ts';

/** False where tmux is; in CI it must be. */
const whyNoTmux: string | false = (() => {
  try {
    execFileSync('tmux', ['-V']);
    return false;
  } catch (error) {
    if (process.env['CI'] !== undefined) throw error;
    return 'tmux is not installed';
  }
})();

async function start(test: {
  after(end: () => unknown): void;
}): Promise<{ balancer: Balancer; port: number }> {
  const origins = await startOrigins(test, 2);
  const port = await freePort();
  const balancer = await startBalancer(test, {
    listeners: [`127.0.0.1:${port}`],
    pools: { web: { policy: 'round-robin', servers: origins.map(({ address }) => address) } },
    workers: 1,
    log: { access: 'off' },
  });
  for (let index = 0; index < 20; index++) await fetchOnce(port, `/item/${index}`);
  return { balancer, port };
}

interface ShownServer {
  readonly address: string;
  readonly state: string;
  readonly weight: number;
  readonly inFlight: number;
  readonly requests: number;
  readonly errors: number;
}

/** Rows of servers as `top` prints them. */
function shownServers(text: string): ShownServer[] {
  const row = /^(\d+\.\d+\.\d+\.\d+:\d+) +([a-z]+) +(\d+) +(\d+) +[\d.]+ +(\d+) +(\d+) /gm;
  return [...text.matchAll(row)].map(([, address, state, weight, inFlight, requests, errors]) => ({
    address: address ?? '',
    state: state ?? '',
    weight: Number(weight),
    inFlight: Number(inFlight),
    requests: Number(requests),
    errors: Number(errors),
  }));
}

/** The same of `status --json`. */
async function statusServers(balancer: Balancer): Promise<ShownServer[]> {
  const { pools } = await balancer.status();
  return pools.flatMap(({ servers }) =>
    servers.map(({ address, state, weight, inFlight, requests, errors }) => {
      return { address, state, weight, inFlight, requests, errors };
    }),
  );
}

describe('evenkeel top', () => {
  it('prints frames of plain text where there is no terminal', async (test) => {
    const { balancer } = await start(test);
    const words = ['top', '--count', '2', '--socket', balancer.socketPath];
    const { code, stdout, stderr } = await runCommand(words);
    assert.equal(code, 0, stderr);
    assert.equal(stdout.split(/^evenkeel /m).length - 1, 2);
    assert.doesNotMatch(stdout, /\u001b/);
    assert.deepEqual(shownServers(stdout).slice(0, 2), await statusServers(balancer));
    const wrong = await runCommand(['top', '--sort', 'colour', '--socket', balancer.socketPath]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /one of server, rate/);
  });

  it('in a terminal shows what status shows, drains by keys and leaves by q', {
    skip: whyNoTmux,
  }, async (test) => {
    const { balancer, port } = await start(test);
    const tmux = (...words: string[]): string =>
      execFileSync(
        'tmux',
        ['-S', join(balancer.directory, 'tmux.sock'), '-f', '/dev/null', ...words],
        {
          encoding: 'utf8',
        },
      );
    const line = `${process.execPath} ${command} top --socket ${balancer.socketPath}; echo left with $?; exec sleep 60`;
    const screen = (): string => tmux('capture-pane', '-p');
    try {
      tmux('new-session', '-d', '-x', '160', '-y', '40', line);
      const isAsStatus = async (): Promise<boolean> => {
        const shown = JSON.stringify(shownServers(screen()));
        return shown === JSON.stringify(await statusServers(balancer));
      };
      await until('the figures of status', 30_000, isAsStatus);
      for (let index = 0; index < 7; index++) await fetchOnce(port, '/more');
      await until('the figures of status after more traffic', 30_000, isAsStatus);
      assert.equal(
        shownServers(screen()).reduce((sum, { requests }) => sum + requests, 0),
        27,
      );
      tmux('send-keys', 'j');
      tmux('send-keys', 'd');
      await until('the question', 15_000, () => /drain web\/.* y = yes/.test(screen()));
      tmux('send-keys', 'y');
      await until(
        'the drain',
        15_000,
        async () => (await statusServers(balancer))[1]?.state === 'draining',
      );
      await until(
        'the drain on the screen',
        15_000,
        () => shownServers(screen())[1]?.state === 'draining',
      );
      const { pids } = await balancer.status();
      process.kill(pids.balancer, 'SIGKILL');
      await until('the next balancer on the screen', 30_000, async () => {
        const next = (await balancer.status()).pids.balancer;
        return next !== pids.balancer && screen().includes(`pid ${next},`);
      });
      tmux('send-keys', 'q');
      await until('the end', 15_000, () => screen().includes('left with 0'));
    } finally {
      tmux('kill-server');
    }
  });
});

describe('evenkeel tail', () => {
  it('shows exchanges that its filters want, without an access log, and none before it looked', async (test) => {
    const { balancer, port } = await start(test);
    const words = [
      'tail',
      '--text',
      '/wanted',
      '--count',
      '3',
      '--json',
      '--socket',
      balancer.socketPath,
    ];
    let isOver = false;
    const running = runCommand(words).finally(() => {
      isOver = true;
    });
    // When the command begins to look is not known from outside: traffic goes on until it has seen enough.
    for (let index = 0; !isOver; index++)
      await fetchOnce(port, index % 2 ? '/other' : `/wanted/${index}`);
    const { code, stdout, stderr } = await running;
    assert.equal(code, 0, stderr);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.equal(lines.length, 3);
    for (const line of lines) {
      assert.match(String(line['path']), /^\/wanted\//);
      assert.deepEqual(
        [line['method'], line['status'], line['pool'], line['reason']],
        ['GET', 200, 'web', 'ok'],
      );
    }
    const wrong = await runCommand(['tail', '--status', '9xx', '--socket', balancer.socketPath]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /Cannot use status as a status, 5xx or 400-499 is required/);
  });
});
