import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from '../command.ts';
import { CommandError, textOf } from '../command.ts';
import type { DemoServer } from '../demo-servers.ts';
import { DemoServers } from '../demo-servers.ts';
import { runOptions } from './run.ts';

const preferredPort = 8080;
const answersWithinMs = 30_000;
const lookMs = 50;

/** `evenkeel demo`. */
export const demo: Command = {
  name: 'demo',
  summary:
    'Starts three small servers and a balancer before them and prints what to try. Ctrl-C ends all.',
  usage: '',
  options: {
    port: { type: 'string', value: 'N', says: 'port of the balancer; default 8080, or a free one' },
    driver: { type: 'string', value: 'NAME', says: 'auto (default), uring or portable' },
  },
  positionals: [0, 0],
  examples: ['evenkeel demo', 'evenkeel demo --port 9000'],
  run: async ({ values, out, err }) => {
    const port = await choosePort(textOf(values, 'port'));
    const directory = await mkdtemp(join(tmpdir(), 'evenkeel-demo-'));
    const servers = new DemoServers((text) => out(`\n${text}\n`));
    try {
      const names = ['anna', 'ben', 'clara'];
      const started = await Promise.all(names.map((name) => servers.start(name)));
      const config = join(directory, 'evenkeel.yaml');
      const adminPort = (await freePort(0)) ?? preferredPort + 1;
      const token = randomBytes(12).toString('base64url');
      await writeFile(config, configText(port, started, { port: adminPort, token }));
      const options = await runOptions({ config, driver: values['driver'] });
      const { runSupervisor } = await import('../../process/supervisor.ts');
      const ended = runSupervisor(options);
      const hasAnswered = await Promise.race([answers(port), ended.then(() => false)]);
      if (hasAnswered) out(whatToTry(port, started, config, { port: adminPort, token }));
      else err(`The balancer did not answer on port ${port}.\n`);
      return await ended;
    } finally {
      servers.end();
      await rm(directory, { recursive: true, force: true });
    }
  },
};

/** Where the dashboard is, and what its actions need. */
interface Admin {
  readonly port: number;
  readonly token: string;
}

function configText(port: number, servers: readonly DemoServer[], admin: Admin): string {
  const lines = servers.map((server) => `      - "127.0.0.1:${server.port}"   # ${server.name}`);
  return [
    `listeners: ["127.0.0.1:${port}"]`,
    'pools:',
    '  web:',
    '    servers:',
    ...lines,
    '    probe: { type: http, path: /healthz, interval: 1s }',
    `admin: { address: "127.0.0.1:${admin.port}", token: "${admin.token}" }`,
    'log: { access: off, level: warn }',
    '',
  ].join('\n');
}

function whatToTry(
  port: number,
  servers: readonly DemoServer[],
  config: string,
  admin: Admin,
): string {
  const list = servers.map(
    ({ name, port: own, pid }) => `  ${name.padEnd(6)} http://127.0.0.1:${own}/   pid ${pid}`,
  );
  const victim = servers[0]?.pid ?? 0;
  return `
Evenkeel balances on http://127.0.0.1:${port}/ over three servers:

${list.join('\n')}

Its dashboard is on http://127.0.0.1:${admin.port}/ ; actions there ask for the token ${admin.token}

In another terminal, try:

  curl http://127.0.0.1:${port}/                      which server answers? Again, and again
  kill -9 ${String(victim).padEnd(36)}    ${servers[0]?.name ?? ''} dies: no request fails; it is back after 10 s
  bin/evenkeel status -c ${config}
  bin/evenkeel top -c ${config}
  bin/evenkeel tail -c ${config}
  bin/evenkeel drain web/127.0.0.1:${servers[1]?.port ?? 0} -c ${config}

Or edit ${config}: it is taken over at once. Ctrl-C ends all.
`;
}

async function choosePort(text: string | undefined): Promise<number> {
  if (text === undefined) {
    return (await freePort(preferredPort)) ?? (await freePort(0)) ?? preferredPort;
  }
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new CommandError(`Cannot use --port as 1 to 65535 is required: current value is ${text}`);
}

/** The port when it can be listened on (any free one for 0), else null. */
function freePort(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      const found = typeof address === 'object' && address !== null ? address.port : null;
      server.close(() => resolve(found));
    });
  });
}

/** True as soon as a request through the balancer is answered by a server. */
async function answers(port: number): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < answersWithinMs; waitedMs += lookMs) {
    if (await isAnswering(port)) return true;
    await delay(lookMs);
  }
  return false;
}

function isAnswering(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asking = get(
      { host: '127.0.0.1', port, path: '/healthz', agent: false, timeout: 1_000 },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    asking.on('timeout', () => asking.destroy(new Error('no answer')));
    asking.on('error', () => resolve(false));
  });
}
