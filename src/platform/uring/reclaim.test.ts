import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';

import { limits } from '../../model/limits.ts';
import { closeDescriptor, openListeners } from '../sockets.ts';
import { Ledger } from './ledger.ts';
import { probeUring } from './probe.ts';
import { reclaimDeadWorker } from './reclaim.ts';
import type { ReclaimWork } from './reclaim-worker.ts';

const probe = probeUring();
const skip = probe.isUsable ? false : probe.reason;

function sharedWords(count: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(count * 4));
}

async function startWorker(work: ReclaimWork): Promise<Worker> {
  const worker = new Worker(new URL('./reclaim-worker.ts', import.meta.url), { workerData: work });
  const [message] = await once(worker, 'message');
  assert.equal(message, 'listening');
  return worker;
}

async function echoes(port: number, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect({ port, host: '127.0.0.1' }));
  await Promise.all(
    sockets.map(async (socket) => {
      socket.write('a');
      const [answer] = await once(socket, 'data');
      assert.equal(String(answer), 'a');
    }),
  );
  return sockets;
}

/** Not `once`, which an `error` event before the exit would reject. */
function exit(worker: Worker): Promise<void> {
  return new Promise((resolve) => worker.on('exit', () => resolve()));
}

/** Resolves when the socket is closed by whatever the other side did. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('error', () => {});
    socket.on('close', () => resolve());
  });
}

test('reclaimDeadWorker() closes links and strands no new connection', { skip }, async () => {
  const { fds, port } = openListeners({ kind: 'ip', host: '127.0.0.1', port: 0 }, 1);
  const listenFd = fds[0] as number;
  const ledger = sharedWords(Ledger.WORDS);
  const descriptorBits = sharedWords(limits.descriptors >>> 5);
  const work: ReclaimWork = { listenFd, ledger, descriptorBits };

  const first = await startWorker(work);
  const sockets = await echoes(port, 40);
  const gone = sockets.map(closed);
  const died = new Promise<string>((resolve) => {
    first.on('error', (error) => resolve((error as Error).message));
  });
  const exited = exit(first);
  sockets[0]?.write('X');
  assert.equal(await died, 'planted', 'what a handler throws ends the thread');
  await exited;
  // These reach the kernel's queue, or the dead ring's armed accept.
  const late = Array.from({ length: 20 }, () => connect({ port, host: '127.0.0.1' }));
  await Promise.all(late.map((socket) => once(socket, 'connect')));
  // Those that the dead ring swallowed are closed and may try again; silence is what must not be.
  const fate = late.map(async (socket) => {
    socket.on('error', () => {});
    socket.write('b');
    return Promise.race([
      once(socket, 'data').then(() => 'served'),
      once(socket, 'close').then(() => 'closed'),
    ]);
  });
  assert.ok(reclaimDeadWorker(ledger, descriptorBits) >= 40);
  assert.equal(reclaimDeadWorker(ledger, descriptorBits), 0, 'a cleared ledger has nothing');
  await Promise.all(gone);
  assert.ok(ledger.every((word) => word === 0));

  const second = await startWorker(work);
  const after = await echoes(port, 60);
  const fates = await Promise.all(fate);
  assert.equal(fates.length, 20);
  assert.ok(
    fates.every((one) => one === 'served'),
    `connections made after the death are served: ${fates}`,
  );
  for (const socket of [...after, ...late]) socket.destroy();
  second.on('error', () => {});
  const [last] = await echoes(port, 1);
  last?.on('error', () => {});
  const secondExited = exit(second);
  last?.write('X');
  await secondExited;
  reclaimDeadWorker(ledger, descriptorBits);
  closeDescriptor(listenFd);
  const rings = readdirSync('/proc/self/fd').length;
  assert.ok(rings < 100, 'descriptors of both workers are back');
});
