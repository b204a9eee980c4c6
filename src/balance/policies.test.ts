import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ipKey } from '../base/address.ts';
import { MaglevShelf } from './maglev-shelf.ts';
import { policies, policyOf } from './policies.ts';
import { benchOf, candidatesOf, conformance, requestOf, tally } from './policy.conformance.ts';
import type { Policy } from './policy.ts';

for (const policy of Object.values<Policy>(policies)) conformance(policy);

test('policyOf() finds every policy under its own name', () => {
  for (const [name, policy] of Object.entries<Policy>(policies)) {
    assert.equal(policy.name, name);
    assert.equal(policyOf(policy.name), policy);
  }
});

/** Within five standard deviations of a binomial count. */
function assertShare(count: number | undefined, total: number, share: number): void {
  const deviation = Math.sqrt(total * share * (1 - share));
  assert.ok(
    Math.abs((count ?? 0) - total * share) < 5 * deviation,
    `${count} of ${total}, not ${share}`,
  );
}

test('p2c: an idle pool is spread by weight', () => {
  const counts = tally(benchOf(policies.p2c, candidatesOf([2, 1, 1])), 8000);
  // Ties go to the one used less per weight, so shares are far closer than chance.
  assert.ok(Math.abs(counts.get(10)! - 4000) < 80, `${counts.get(10)}`);
  assert.ok(Math.abs(counts.get(11)! - 2000) < 80, `${counts.get(11)}`);
});

test('p2c: of the two drawn, the one with less load per weight wins', () => {
  const bench = benchOf(policies.p2c, candidatesOf([1, 4]));
  bench.loads.set(10, 2).set(11, 7);
  // With two servers both are always drawn: 2/1 against 7/4.
  for (let client = 0; client < 50; client++)
    assert.equal(bench.picker.pick(requestOf(client)), 11);
  bench.loads.set(11, 9);
  for (let client = 0; client < 50; client++)
    assert.equal(bench.picker.pick(requestOf(client)), 10);
});

test('p2c: the most loaded of many is never picked', () => {
  const bench = benchOf(policies.p2c, candidatesOf([1, 1, 1, 1, 1]));
  bench.loads.set(12, 50);
  assert.equal(tally(bench, 2000).get(12), undefined);
});

test('random: shares follow the weights', () => {
  const counts = tally(benchOf(policies.random, candidatesOf([5, 1, 4])), 10_000);
  assertShare(counts.get(10), 10_000, 0.5);
  assertShare(counts.get(11), 10_000, 0.1);
  assertShare(counts.get(12), 10_000, 0.4);
});

test('first: the first one takes everything up to its limit', () => {
  const bench = benchOf(policies.first, candidatesOf([1, 9], 3));
  assert.equal(bench.picker.pick(requestOf(0)), 10);
  bench.loads.set(10, 3);
  assert.equal(bench.picker.pick(requestOf(0)), 11);
});

test('round-robin: 5:1:1 gives a a b a c a a, and 10:2:2 of 14, never five of one in a row', () => {
  const bench = benchOf(policies['round-robin'], candidatesOf([5, 1, 1]));
  const picks = Array.from({ length: 28 }, () => 'abc'[bench.picker.pick(requestOf(0)) - 10]).join(
    '',
  );
  assert.equal(picks, 'aabacaa'.repeat(4));
  assert.doesNotMatch(picks, /a{5}/);
});

test('round-robin: two workers share one sequence', () => {
  const one = benchOf(policies['round-robin'], candidatesOf([5, 1, 1]));
  const candidates = candidatesOf([5, 1, 1]);
  const means = {
    load: { of: () => 0, pendingOf: () => 0 },
    random: () => 0,
    cursor: one.cursor,
    cursorIndex: 2,
    latency: one.latency,
    shelf: new MaglevShelf(),
  };
  const other = policies['round-robin'].build(candidates, means, candidates);
  const pickers = [one.picker, other, other, one.picker, other, one.picker, one.picker];
  const picks = pickers.map((picker) => 'abc'[picker.pick(requestOf(0)) - 10]).join('');
  assert.equal(picks, 'aabacaa');
});

test('round-robin: the turn of a server that cannot take it goes to the next, level with the rest', () => {
  const bench = benchOf(policies['round-robin'], candidatesOf([1, 1, 1], 1));
  bench.loads.set(10, 1);
  const counts = tally(bench, 300);
  assert.equal(counts.get(11), 150);
  assert.equal(counts.get(12), 150);
});

test('least-connections: the least load per weight wins, and the pick says what it saw', () => {
  const bench = benchOf(policies['least-connections'], candidatesOf([1, 3, 1]));
  bench.loads.set(10, 2).set(11, 5).set(12, 2);
  assert.equal(bench.picker.pick(requestOf(0)), 11);
  assert.equal(bench.picker.observedLoad, 5);
  bench.loads.set(11, 7);
  assert.notEqual(bench.picker.pick(requestOf(0)), 11);
  assert.equal(bench.picker.observedLoad, 2);
});

test('least-connections: an idle pool is spread by weight', () => {
  const counts = tally(benchOf(policies['least-connections'], candidatesOf([5, 1, 1])), 700);
  assert.deepEqual([counts.get(10), counts.get(11), counts.get(12)], [500, 100, 100]);
});

const addresses = Array.from({ length: 40 }, (_, at) => `192.0.2.${at + 1}`);
const byAddress = (bench: ReturnType<typeof benchOf>) =>
  addresses.map((address) => {
    const request = requestOf(0);
    request.addressHash = ipKey(address);
    return bench.picker.pick(request);
  });

test('ip-hash: 40 addresses reach every one of three to five servers, alike at each start', () => {
  for (const count of [3, 4, 5]) {
    const candidates = candidatesOf(new Array<number>(count).fill(1));
    const slots = byAddress(benchOf(policies['ip-hash'], candidates, 1));
    assert.equal(new Set(slots).size, count);
    assert.deepEqual(byAddress(benchOf(policies['ip-hash'], candidates, 2)), slots);
    // Neither the order nor the slots of the servers decide, only their keys.
    const turned = candidates
      .toReversed()
      .map((candidate) => ({ ...candidate, slot: candidate.slot + 50 }));
    assert.deepEqual(
      byAddress(benchOf(policies['ip-hash'], turned)),
      slots.map((slot) => slot + 50),
    );
  }
});

test('ip-hash: a server that leaves moves only its own clients, spread over the others', () => {
  const candidates = candidatesOf([1, 1, 1, 1, 1]);
  const clients = Array.from({ length: 5000 }, (_, client) => requestOf(client));
  const whole = benchOf(policies['ip-hash'], candidates);
  const less = benchOf(
    policies['ip-hash'],
    candidates.filter(({ slot }) => slot !== 12),
  );
  const counts = new Map<number, number>();
  for (const client of clients) {
    const before = whole.picker.pick(client);
    const after = less.picker.pick(client);
    if (before !== 12) assert.equal(after, before);
    else counts.set(after, (counts.get(after) ?? 0) + 1);
    // A full or tried server is stood in for by the one that would follow it for good.
    if (before === 12) {
      const tried = { ...client, tried: Int32Array.from([12]), triedCount: 1 };
      assert.equal(whole.picker.pick(tried), after);
    }
  }
  const moved = [...counts.values()].reduce((sum, count) => sum + count, 0);
  assertShare(moved, 5000, 0.2);
  for (const slot of [10, 11, 13, 14]) assertShare(counts.get(slot), moved, 0.25);
});

test('ip-hash: shares follow the weights', () => {
  const counts = tally(benchOf(policies['ip-hash'], candidatesOf([3, 1, 6])), 20_000);
  assertShare(counts.get(10), 20_000, 0.3);
  assertShare(counts.get(11), 20_000, 0.1);
  assertShare(counts.get(12), 20_000, 0.6);
});

test('first: a server that gets a part of its weight gets that part of the requests', () => {
  const [one, other] = candidatesOf([1, 1]);
  const bench = benchOf(policies.first, [{ ...one!, factor: 0.25 }, other!]);
  assertShare(tally(bench, 8000).get(10), 8000, 0.25);
});
