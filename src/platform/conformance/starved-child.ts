import { createInterface } from 'node:readline';

import { limits } from '../../model/limits.ts';
import type { Driver, LinkHandler } from '../driver.ts';
import { openListeners } from '../sockets.ts';
import type { StarvedReport } from './starving.ts';

/*
 * The program of the case in `starving.ts`: an echo server on the driver named by the first argument, in a process
 * that may open few descriptors. For every line on its input it waits ten ticks and writes a report.
 */

const TICKS_PER_REPORT = 10;

const driver = await createDriver(process.argv[2] ?? '');
const { fds, port } = openListeners({ kind: 'ip', host: '127.0.0.1', port: 0 }, 1);
const handler: LinkHandler = {
  onConnected: () => {},
  onReceive: (link, id, offset, length) => link.send(id, offset, length),
  onEnd: (link) => link.close(),
  onDrain: () => {},
  onClosed: () => {},
};
const listening = driver.listen({ kind: 'descriptor', fd: fds[0] as number }, (link) => {
  link.handler = handler;
});

let ticksLeft = 0;
driver.onTick = () => {
  if (ticksLeft === 0) return;
  ticksLeft--;
  if (ticksLeft === 0) report();
};

const lines = createInterface(process.stdin);
lines.on('line', () => {
  ticksLeft = TICKS_PER_REPORT;
});
lines.on('close', () => {
  listening.stop();
  driver.close();
});

function report(): void {
  const { user, system } = process.cpuUsage();
  const { acceptFailures, openLinks } = driver;
  const all: StarvedReport = { port, acceptFailures, openLinks, cpuMs: (user + system) / 1000 };
  process.stdout.write(`${JSON.stringify(all)}\n`);
}

async function createDriver(name: string): Promise<Driver> {
  if (name === 'portable') {
    const { createPortableDriver } = await import('../portable/driver.ts');
    return createPortableDriver({ worker: 0 });
  }
  const { createUringDriver } = await import('../uring/driver.ts');
  const { Ledger } = await import('../uring/ledger.ts');
  return createUringDriver({
    worker: 0,
    ledger: new Int32Array(new SharedArrayBuffer(4 * Ledger.WORDS)),
    descriptorBits: new Int32Array(new SharedArrayBuffer(limits.descriptors / 8)),
  });
}
