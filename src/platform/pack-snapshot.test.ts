import assert from 'node:assert/strict';
import { test } from 'node:test';
import { finished } from '../base/steps.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { packSnapshot, SnapshotReader } from './pack-snapshot.ts';

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

test('read() gives what was packed, in many small steps', () => {
  const steps = new SnapshotReader().read(packSnapshot(snapshot()));
  let count = 0;
  let step = steps.next();
  for (; !step.done; step = steps.next()) count++;
  assert.deepEqual(step.value, snapshot());
  // Three pieces of 64 routes; of 64 servers one, none, four and one.
  assert.equal(count, 3 + 1 + 0 + 4 + 1);
});

test('what two snapshots share is packed once, and read as the same objects', () => {
  const first = snapshot();
  const [one, , ...others] = snapshot().pools;
  const second = { ...first, version: 8, pools: [one, first.pools[1], ...others] } as Snapshot;
  const packed = packSnapshot(first);
  const packedNext = packSnapshot(second);
  assert.equal(packedNext.routes, packed.routes);
  assert.equal(packedNext.pools[1], packed.pools[1]);
  assert.notEqual(packedNext.pools[0]?.id, packed.pools[0]?.id);

  const reader = new SnapshotReader();
  const before = finished(reader.read(packed));
  const after = finished(reader.read(packedNext));
  assert.deepEqual(after, second);
  assert.equal(after.routes, before.routes);
  assert.equal(after.pools[1], before.pools[1]);
  assert.notEqual(after.pools[0], before.pools[0]);
});

test('a snapshot whose reading was given up does no harm to the next', () => {
  const reader = new SnapshotReader();
  const given = reader.read(packSnapshot({ ...snapshot(), version: 8 }));
  for (let step = 0; step < 5; step++) given.next();
  const last = { ...snapshot(), version: 9 };
  assert.deepEqual(finished(reader.read(packSnapshot(last))), last);
});
