import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mix32 } from '../base/hash.ts';
import { createRandom } from '../base/prng.ts';
import { policies } from './policies.ts';
import { benchOf, candidatesOf, requestOf, tally } from './policy.conformance.ts';

const { hash } = policies;

test('hash: a key keeps its server when others are out, and those of a sick one are spread', () => {
  const all = candidatesOf([1, 1, 1, 1, 1]);
  const whole = benchOf(hash, all);
  const less = benchOf(
    hash,
    all.filter(({ slot }) => slot !== 12),
    1,
    all,
  );
  const counts = new Map<number, number>();
  for (let client = 0; client < 5000; client++) {
    const before = whole.picker.pick(requestOf(client));
    const after = less.picker.pick(requestOf(client));
    if (before !== 12) assert.equal(after, before);
    else counts.set(after, (counts.get(after) ?? 0) + 1);
    // A tried server is stood in for by the one that would follow it for good.
    if (before === 12) assert.equal(whole.picker.pick(requestOf(client, [12])), after);
  }
  for (const slot of [10, 11, 13, 14]) {
    assert.ok(counts.get(slot)! > 180 && counts.get(slot)! < 320, `${counts.get(slot)}`);
  }
});

test('hash: shares follow the weights', () => {
  const counts = tally(benchOf(hash, candidatesOf([3, 1, 6])), 20_000);
  assert.ok(Math.abs(counts.get(10)! - 6000) < 400);
  assert.ok(Math.abs(counts.get(11)! - 2000) < 300);
  assert.ok(Math.abs(counts.get(12)! - 12_000) < 400);
});

test('hash: the address does not matter, the key does', () => {
  const bench = benchOf(hash, candidatesOf([1, 1, 1, 1, 1]));
  const slots = new Set<number>();
  for (let client = 0; client < 50; client++) {
    const request = { ...requestOf(client), keyHash: 77 };
    slots.add(bench.picker.pick(request));
  }
  assert.equal(slots.size, 1);
});

for (const count of [5, 300]) {
  test(`hash: no server of ${count} gets above 1.25 × mean + 1 under a skewed key set`, () => {
    const bench = benchOf(hash, candidatesOf(new Array<number>(count).fill(1)));
    const random = createRandom(11);
    const open: number[] = [];
    const target = count * 8;
    for (let step = 0; step < 30_000; step++) {
      if (open.length >= target) {
        const [slot] = open.splice(Math.floor(random() * open.length), 1);
        bench.loads.set(slot!, bench.loads.get(slot!)! - 1);
      }
      // Half of all requests have one of three keys, the others any of a thousand.
      const key = random() < 0.5 ? Math.floor(random() * 3) : Math.floor(random() * 1000);
      const slot = bench.picker.pick({ ...requestOf(0), keyHash: mix32(key + 1) });
      const load = (bench.loads.get(slot) ?? 0) + 1;
      bench.loads.set(slot, load);
      open.push(slot);
      assert.ok(load <= (1.25 * open.length) / count + 1, `${load} of ${open.length}`);
      assert.equal(bench.picker.observedLoad, load - 1);
    }
  });
}

test('hash: a new server gets a part of its keys, always the same and more by and by', () => {
  const whole = candidatesOf([1, 1, 1, 1]);
  const at = (factor: number) => {
    const candidates = whole.map((one) => (one.slot === 11 ? { ...one, factor } : one));
    const bench = benchOf(hash, candidates, 1, whole);
    return Array.from({ length: 4000 }, (_, client) => bench.picker.pick(requestOf(client)));
  };
  const [little, half, all] = [at(0.1), at(0.5), at(1)];
  const keysOf = (slots: readonly number[]) =>
    slots.flatMap((slot, client) => (slot === 11 ? [client] : []));
  const share = keysOf(little).length / keysOf(all).length;
  assert.ok(share > 0.07 && share < 0.13, `${share}`);
  for (const client of keysOf(little)) assert.equal(half[client], 11);
  for (const client of keysOf(half)) assert.equal(all[client], 11);
});

test('hash: a new server is taken in with few moves, once its table is ready', () => {
  const some = candidatesOf(new Array<number>(9).fill(1));
  const more = candidatesOf(new Array<number>(10).fill(1));
  const bench = benchOf(hash, some);
  const before = Array.from({ length: 3000 }, (_, client) => bench.picker.pick(requestOf(client)));
  // As after a reload: another picker, the same shelf.
  const next = hash.build(more, bench.means, more);
  assert.equal(next.pick(requestOf(0)), before[0]);
  for (let pick = 0; pick < 3000; pick++) next.pick(requestOf(pick));
  const after = before.map((_, client) => next.pick(requestOf(client)));
  const taken = after.filter((slot) => slot === 19).length;
  const moved = after.filter((slot, client) => slot !== before[client]).length;
  assert.ok(Math.abs(taken / 3000 - 0.1) < 0.03, `${taken}`);
  assert.ok(moved - taken < 3000 * 0.02, `${moved} ${taken}`);
});
