import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { StatusReport } from '../control/report/status.ts';
import { canPassDescriptors } from '../platform/socket-calls.ts';
import type { RunOptions } from './run-options.ts';

const skip = canPassDescriptors() ? false : 'needs Linux and koffi';
const fixture = fileURLToPath(new URL('./balancer.fixture.ts', import.meta.url));

interface Running {
  readonly process: ChildProcess;
  readonly file: string;
  readonly socket: string;
  /** Waits for the log's next line with this message. */
  logged(message: string): Promise<Record<string, unknown>>;
  status(): Promise<StatusReport>;
  ask(method: string, path: string, body?: unknown): Promise<string>;
  exitCode(): Promise<number | null>;
}

async function origin(t: TestContext, answer: string): Promise<number> {
  const server: Server = createServer((_request, response) => response.end(answer));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function run(t: TestContext, configuration: string): Running {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-'));
  const file = join(folder, 'evenkeel.yaml');
  const socket = join(folder, 'admin.sock');
  writeFileSync(file, configuration);
  const options: RunOptions = {
    source: { kind: 'file', path: file },
    driver: 'portable',
    workers: 1,
    socket,
  };
  const child = spawn(process.execPath, [fixture, JSON.stringify(options)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      EVENKEEL_TEST_FAULTS: '1',
      XDG_RUNTIME_DIR: folder,
      XDG_STATE_HOME: folder,
    },
  });
  t.after(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const lines = createInterface({ input: child.stderr as NonNullable<typeof child.stderr> })[
    Symbol.asyncIterator
  ]();
  const seen: string[] = [];
  const logged = async (message: string): Promise<Record<string, unknown>> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) assert.fail(`ended without "${message}":\n${seen.join('\n')}`);
      seen.push(value as string);
      if (String(value).includes(message)) {
        return String(value).startsWith('{') ? JSON.parse(value as string) : { line: value };
      }
    }
  };
  const ask = (method: string, path: string, body?: unknown): Promise<string> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json' };
      const sent = request(
        { socketPath: socket, method, path, headers, agent: false },
        (response) => {
          let text = '';
          response.on('data', (bytes) => {
            text += String(bytes);
          });
          response.on('end', () => resolve(text));
        },
      );
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  return {
    process: child,
    file,
    socket,
    logged,
    ask,
    status: async () => JSON.parse(await ask('GET', '/v1/status')) as StatusReport,
    exitCode: async () => {
      if (child.exitCode === null) await once(child, 'exit');
      return child.exitCode;
    },
  };
}

function fetchText(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, agent: false }, (response) => {
      let text = '';
      response.on('data', (bytes) => {
        text += String(bytes);
      });
      response.on('end', () => resolve(`${response.statusCode} ${text}`));
    }).on('error', reject);
  });
}

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });

const portOf = (report: StatusReport, name: string): number =>
  report.listeners.find((listener) => listener.name === name)?.port ?? assert.fail(`no ${name}`);

test('the balancer serves, survives a kill with its changes, and drains to 0', {
  skip,
}, async (t) => {
  const port = await origin(t, 'a');
  const other = await origin(t, 'b');
  const running = run(
    t,
    `listeners: [{ name: web, address: "127.0.0.1:0" }]\npools: { web: ["127.0.0.1:${port}", "127.0.0.1:${other}"] }\n`,
  );
  await running.logged('The admin API is open');
  const before = await running.status();
  const web = portOf(before, 'web');
  await running.ask('DELETE', `/v1/pools/web/servers/127.0.0.1:${other}`);
  assert.equal(await fetchText(web), '200 a');
  // The file breaks, then the balancer is killed: the last good configuration and the change hold.
  writeFileSync(running.file, 'listeners: [');
  process.kill(before.pids.balancer, 'SIGKILL');
  const answers = await Promise.all([fetchText(web), fetchText(web), fetchText(web)]);
  assert.deepEqual(answers, ['200 a', '200 a', '200 a']);
  await running.logged('The admin API is open');
  const after = await running.status();
  assert.notEqual(after.pids.balancer, before.pids.balancer);
  assert.deepEqual(
    after.pools[0]?.servers.map(({ address }) => address),
    [`127.0.0.1:${port}`],
  );
  running.process.kill('SIGTERM');
  assert.equal(await running.exitCode(), 0);
  assert.equal(await isListening(web), false);
});

test('a dead worker is replaced on the same sockets', { skip }, async (t) => {
  const port = await origin(t, 'a');
  const running = run(
    t,
    `listeners: [{ name: web, address: "127.0.0.1:0" }]\npools: { web: ["127.0.0.1:${port}"] }\n`,
  );
  await running.logged('The admin API is open');
  const web = portOf(await running.status(), 'web');
  await running.ask('POST', '/v1/test/workers/0/fail', { kind: 'invariant' });
  await running.logged('A worker died and is replaced');
  assert.equal(await fetchText(web), '200 a');
  assert.equal((await running.status()).workers[0]?.restarts, 1);
  running.process.kill('SIGINT');
  assert.equal(await running.exitCode(), 0);
});

test('a reload opens, renames and closes listeners; a broken one changes nothing', {
  skip,
}, async (t) => {
  const port = await origin(t, 'a');
  const pools = `pools: { web: ["127.0.0.1:${port}"] }\n`;
  const listeners = (...names: string[]): string =>
    `listeners: [${names.map((name) => `{ name: ${name}, address: "127.0.0.1:0" }`).join(', ')}]\n`;
  const running = run(t, listeners('one') + pools);
  await running.logged('The admin API is open');
  const one = portOf(await running.status(), 'one');
  writeFileSync(running.file, listeners('one', 'two') + pools);
  running.process.kill('SIGHUP');
  await running.logged('Reloaded the configuration');
  const both = await running.status();
  const two = portOf(both, 'two');
  assert.equal(portOf(both, 'one'), one);
  assert.equal(await fetchText(two), '200 a');
  assert.equal(await fetchText(one), '200 a');

  writeFileSync(running.file, 'listeners: [":x"]\n');
  assert.match(await running.ask('POST', '/v1/reload'), /must be/);
  assert.equal(await fetchText(two), '200 a');
  assert.equal((await running.status()).configuration.lastReload?.ok, false);

  writeFileSync(running.file, listeners('two') + pools);
  await running.ask('POST', '/v1/reload');
  assert.equal(await isListening(one), false);
  assert.equal(await fetchText(two), '200 a');
  running.process.kill('SIGTERM');
  assert.equal(await running.exitCode(), 0);
});

test('a reload names the settings that wait for the next start, until they are taken back', {
  skip,
}, async (t) => {
  const rest = 'listeners: ["127.0.0.1:0"]\npools: { web: ["127.0.0.1:9"] }\n';
  const running = run(t, rest);
  await running.logged('The admin API is open');
  writeFileSync(running.file, `${rest}workers: 3\nadmin: { address: "127.0.0.1:1" }\n`);
  for (let reload = 0; reload < 2; reload++) {
    const answer = await running.ask('POST', '/v1/reload');
    assert.match(answer, /workers: at the next start/);
    assert.match(answer, /admin: at the next start/);
    const { settings } = await running.logged('These settings take effect at the next start');
    assert.deepEqual(settings, ['workers', 'admin']);
  }
  writeFileSync(running.file, rest);
  assert.doesNotMatch(await running.ask('POST', '/v1/reload'), /at the next start/);
  running.process.kill('SIGTERM');
  assert.equal(await running.exitCode(), 0);
});

test('a bad configuration ends with 1, an address in use with 2', { skip }, async (t) => {
  const bad = run(t, 'listeners: 5\n');
  await bad.logged('listeners');
  assert.equal(await bad.exitCode(), 1);
  const port = await origin(t, 'a');
  const taken = run(t, `listeners: ["127.0.0.1:${port}"]\npools: { web: ["127.0.0.1:${port}"] }\n`);
  await taken.logged(`Cannot listen on 127.0.0.1:${port} as another program already listens there`);
  assert.equal(await taken.exitCode(), 2);
});

test('a second signal ends a drain at once', { skip }, async (t) => {
  const server = createServer(() => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const running = run(
    t,
    `listeners: [{ name: web, address: "127.0.0.1:0" }]\npools: { web: ["127.0.0.1:${port}"] }\n`,
  );
  await running.logged('The admin API is open');
  const web = portOf(await running.status(), 'web');
  const answer = fetchText(web).catch(() => 'cut');
  await once(server, 'request');
  running.process.kill('SIGTERM');
  await running.logged('Draining');
  running.process.kill('SIGTERM');
  assert.equal(await running.exitCode(), 0);
  assert.equal(await answer, 'cut');
});
