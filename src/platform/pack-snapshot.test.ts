import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Snapshot } from '../model/snapshot.ts';
import { packSnapshot, unpackSnapshot } from './pack-snapshot.ts';

/** Pools of 3, 0, 200 and 1 servers; 130 routes. */
function snapshot(): Snapshot {
  const server = (slot: number): object => ({ slot, address: `10.0.0.${slot}:80`, weight: 1 });
  const pools = [3, 0, 200, 1].map((count, at) => ({
    name: `p${at}`,
    slot: at,
    timeouts: { idleMs: Number.POSITIVE_INFINITY },
    servers: Array.from({ length: count }, (_, slot) => server(1_000 * at + slot)),
  }));
  const routes = Array.from({ length: 130 }, (_, slot) => ({ slot, name: `r${slot}` }));
  return { version: 7, listeners: [], routes, pools, geo: null } as unknown as Snapshot;
}

test('unpackSnapshot() gives what was packed, in many small steps', () => {
  const packed = packSnapshot(snapshot());
  const steps = unpackSnapshot(packed);
  let count = 0;
  let step = steps.next();
  for (; !step.done; step = steps.next()) count++;
  assert.deepEqual(step.value, snapshot());
  // Three parts of 64 routes and four of 64 servers, after the frame.
  assert.equal(count, 3 + 4);
});
