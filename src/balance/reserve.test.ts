import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { plainBalancing } from '../model/balancing.ts';
import { allocateShared, attachWords } from '../model/shared-memory.ts';
import { reserve, reserveExpecting } from './reserve.ts';

test('reserve() stops at the limit, and reserveExpecting() at another load', () => {
  const words = attachWords(allocateShared(1, { counterCount: 1, histogramWords: 1 }));
  assert.deepEqual([reserve(words, 0, 5, 1), reserve(words, 0, 5, 1)], [true, false]);
  assert.equal(reserve(words, 0, 5, 0), true);
  assert.equal(reserveExpecting(words, 0, 5, 1), false);
  assert.equal(reserveExpecting(words, 0, 5, 2), true);
  assert.equal(words.inFlight[5], 3);
  assert.equal(words.inFlightByWorker[5], 3);
});

/** Chooses `count` times as one of two threads, starting together as closely as threads do. */
const threadCode = `
const { workerData } = require('node:worker_threads');
(async () => {
  const { attachWords } = await import(workerData.memoryUrl);
  const { EligibleSet } = await import(workerData.eligibleUrl);
  const { choose } = await import(workerData.chooseUrl);
  const words = attachWords(workerData.buffers);
  const set = new EligibleSet(workerData.pool, words, {
    worker: workerData.worker, random: () => 0.5, latency: null, shelves: new Map(),
  });
  const request = { addressHash: 0, keyHash: 0, tried: new Int32Array(4), triedCount: 0 };
  Atomics.add(words.links, 0, 1);
  for (let spin = 0; spin < 5e7 && Atomics.load(words.links, 0) < 2; spin++);
  for (let pick = 0; pick < workerData.count; pick++) choose(set, request);
})();
`;

for (const [policy, connectionsMax] of [
  ['least-connections', 0],
  ['p2c', 2000],
  ['round-robin', 0],
] as const) {
  test(`choose() of two threads is exact: ${policy}`, async () => {
    const buffers = allocateShared(2, { counterCount: 1, histogramWords: 1 });
    const words = attachWords(buffers);
    const count = 4500;
    const pool = {
      slot: 1,
      policy,
      balancing: plainBalancing,
      servers: [1, 2, 3].map((slot) => ({
        slot,
        address: `a${slot}:1`,
        target: { kind: 'ip', host: '127.0.0.1', port: slot },
        weight: 1,
        isBackup: false,
        tier: 0,
        connectionsMax,
        labels: {},
      })),
    };
    const urls = {
      memoryUrl: new URL('../model/shared-memory.ts', import.meta.url).href,
      eligibleUrl: new URL('./eligible.ts', import.meta.url).href,
      chooseUrl: new URL('./choose.ts', import.meta.url).href,
    };
    const threads = [0, 1].map(
      (worker) =>
        new Worker(threadCode, {
          eval: true,
          workerData: { ...urls, buffers, pool, worker, count },
        }),
    );
    const codes = await Promise.all(threads.map((thread) => once(thread, 'exit')));
    assert.deepEqual(codes.flat(), [0, 0]);
    // 9,000 places over three servers, or every place there is below the limit of 2,000 each.
    const expected = connectionsMax === 0 ? 3000 : connectionsMax;
    assert.deepEqual([...words.inFlight.subarray(1, 4)], [expected, expected, expected]);
  });
}
