import assert from 'node:assert/strict';
import { test } from 'node:test';
// In a project of your own: 'evenkeel/testing'.
import { policyConformance } from '../../src/testing.ts';
import policy from './cores-policy.ts';

policyConformance(policy);

test('a server with eight cores takes eight times the requests of one with one', () => {
  const loads = new Map<number, number>();
  const candidates = ['1', '8'].map((cores, slot) => ({
    slot,
    weight: 1,
    nominalWeight: 1,
    factor: 1,
    connectionsMax: 0,
    pendingMax: 0,
    key: `server-${slot}`,
    labels: { cores },
  }));
  let turn = 0;
  const picker = policy.build(candidates, {
    load: (slot) => loads.get(slot) ?? 0,
    pending: () => 0,
    latencyUs: () => 0,
    // Both are drawn each time.
    random: () => (turn++ % 2) / 2,
  });
  const request = { addressHash: 0, keyHash: 0, tried: new Int32Array(4), triedCount: 0 };
  for (let open = 0; open < 90; open++) {
    const slot = picker.pick(request);
    loads.set(slot, (loads.get(slot) ?? 0) + 1);
  }
  assert.deepEqual(Object.fromEntries(loads), { 0: 10, 1: 80 });
});
