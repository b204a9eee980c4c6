import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { openListeners } from '../platform/sockets.ts';
import { ExitCode, type RunOptions } from './run-options.ts';
import type { StoreClient } from './store-client.ts';
import { connectStore } from './store-connection.ts';
import { runSupervisor } from './supervisor.ts';

/*
 * Run by supervisor.test.ts: `supervise` is the supervisor; it runs this file again as a balancer that
 * answers each connection with its pid on a stored socket.
 */

function options(behaviour: string): RunOptions {
  return { source: { kind: 'file', path: behaviour }, driver: 'auto', workers: null, socket: null };
}

async function upgrade(store: StoreClient | null): Promise<void> {
  await store?.announce('upgrade').catch((error: unknown) => {
    process.stdout.write(`refused ${error instanceof Error ? error.message : ''}\n`);
  });
}

async function leave(store: StoreClient | null): Promise<void> {
  await store?.announce('left');
  process.exit(ExitCode.DRAINED);
}

async function balance(behaviour: string): Promise<void> {
  if (behaviour === 'bad-configuration') process.exit(ExitCode.BAD_CONFIGURATION);
  const isTried = process.env['EVENKEEL_IS_TRIED'] === '1';
  if (isTried && behaviour === 'breaks') throw new Error('broken on purpose');
  const store = connectStore({
    onNotice: ({ signal, upgraded, takeOver }) => {
      if (signal !== undefined) process.stdout.write(`signal ${signal}\n`);
      if (signal === 'SIGTERM') process.exit(ExitCode.DRAINED);
      if (signal === 'SIGUSR2') void upgrade(store);
      if (takeOver !== undefined && takeOver.leaving.length > 0) {
        process.stdout.write(`takes over from ${takeOver.leaving.length}\n`);
      }
      if (upgraded === undefined) return;
      process.stdout.write(`upgraded ${upgraded.why ?? 'ok'}\n`);
      if (upgraded.why === null) void leave(store);
    },
    onLost: () => {
      process.stdout.write('lost\n');
      process.exit(ExitCode.DRAINED);
    },
  });
  if (store === null) throw new Error('started without a channel');
  const stored = (await store.list()).find((entry) => entry.name === 'web');
  let fds: readonly number[];
  let port: number;
  if (stored === undefined) {
    const opened = openListeners({ kind: 'ip', host: '127.0.0.1', port: 0 }, 1);
    ({ fds, port } = opened);
    await store.deposit('web', fds, { port });
  } else {
    fds = await store.fetch('web');
    ({ port } = stored.meta as { port: number });
  }
  if (isTried && behaviour === 'hangs') {
    await store.deposit('new', fds, {});
    return;
  }
  const server = createServer((socket) => socket.end(String(process.pid)));
  server.listen({ fd: fds[0] as number }, () => {
    void store
      .announce('running')
      .then(() => process.stdout.write(`running ${process.pid} ${port}\n`));
  });
}

const argument = process.argv[2] ?? '';
if (argument === 'supervise') {
  const entry = (): URL => new URL(import.meta.url);
  const means = { entry, readyMs: 2_000 };
  const code = await runSupervisor(options(process.argv[3] ?? ''), means);
  process.stdout.write(`ended ${code}\n`);
  process.exit(code);
} else if (fileURLToPath(import.meta.url) === process.argv[1]) {
  const { source } = JSON.parse(argument) as RunOptions;
  await balance(source.kind === 'file' ? source.path : '');
}
