import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import type { LinkHandler } from '../driver.ts';
import { createUringDriver } from './driver.ts';

/*
 * The worker of reclaim.test.ts: serves echoes on a stored socket until a byte 'X' arrives, then dies
 * of an exception inside a handler, with live links and an armed accept.
 */

/** What the test gives to the worker. */
export interface ReclaimWork {
  readonly listenFd: number;
  readonly ledger: Int32Array;
  readonly descriptorBits: Int32Array;
}

if (!isMainThread) serve(workerData as ReclaimWork);

function serve({ listenFd, ledger, descriptorBits }: ReclaimWork): void {
  const driver = createUringDriver({ worker: 0, ledger, descriptorBits });
  const handler: LinkHandler = {
    onConnected: () => {},
    onReceive(link, id, offset, length) {
      if (driver.buffers.bytes[offset] === 88) throw new Error('planted');
      link.send(id, offset, length);
    },
    onEnd: (link) => link.close(),
    onDrain: () => {},
    onClosed: () => {},
  };
  driver.listen({ kind: 'descriptor', fd: listenFd }, (link) => {
    link.handler = handler;
  });
  parentPort?.postMessage('listening');
}
