import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mix32 } from '../base/hash.ts';
import { createRandom } from '../base/prng.ts';
import { LatencyBook } from './latency-book.ts';
import { MaglevShelf } from './maglev-shelf.ts';
import type { Candidate, Picker, PickerMeans, PickRequest, Policy } from './policy.ts';
import { ALL_BUSY, NONE } from './policy.ts';

/** Loads by slot that a test sets; the policy under test reads them. */
export interface Bench {
  readonly picker: Picker;
  readonly loads: Map<number, number>;
  readonly cursor: Int32Array;
  readonly latency: LatencyBook;
  readonly means: PickerMeans;
  /** Of `latency`; a test moves it. */
  readonly clock: { nowMs: number };
}

/** Candidates with slots 10, 11, … and the weights given. */
export function candidatesOf(weights: readonly number[], connectionsMax = 0): readonly Candidate[] {
  return weights.map((weight, at) => ({
    slot: 10 + at,
    weight,
    nominalWeight: weight,
    factor: 1,
    connectionsMax,
    pendingMax: 0,
    key: `10.0.0.${at + 1}:80`,
    labels: {},
  }));
}

/** A picker with loads and a cursor of its own. */
export function benchOf(
  policy: Policy,
  candidates: readonly Candidate[],
  seed = 1,
  members: readonly Candidate[] = candidates,
): Bench {
  const loads = new Map<number, number>();
  const pending = new Map<number, number>();
  const cursor = new Int32Array(new SharedArrayBuffer(16));
  const clock = { nowMs: 1_000 };
  const latency = new LatencyBook(
    { latencyUs: new Int32Array(20_000), latencyAt: new Int32Array(20_000) },
    () => clock.nowMs,
  );
  const means: PickerMeans = {
    load: { of: (slot) => loads.get(slot) ?? 0, pendingOf: (slot) => pending.get(slot) ?? 0 },
    random: createRandom(seed),
    cursor,
    cursorIndex: 2,
    latency,
    shelf: new MaglevShelf(),
  };
  return { picker: policy.build(candidates, means, members), loads, cursor, latency, means, clock };
}

/** A request of client number `client` that has tried these slots. */
export function requestOf(client: number, tried: readonly number[] = []): PickRequest {
  return {
    addressHash: mix32(client + 1),
    keyHash: mix32(client + 1),
    tried: Int32Array.from([...tried, 0, 0, 0, 0]),
    triedCount: tried.length,
  };
}

/** How often each slot is picked by clients 0 … count-1. */
export function tally(bench: Bench, count: number): Map<number, number> {
  const counts = new Map<number, number>();
  for (let client = 0; client < count; client++) {
    const slot = bench.picker.pick(requestOf(client));
    counts.set(slot, (counts.get(slot) ?? 0) + 1);
  }
  return counts;
}

/** What every policy does, whatever its way of choosing. */
export function conformance(policy: Policy): void {
  const { name } = policy;

  test(`${name}: pick() returns NONE for an empty pool`, () => {
    assert.equal(benchOf(policy, []).picker.pick(requestOf(0)), NONE);
  });

  test(`${name}: pick() returns the only server, again and again`, () => {
    const bench = benchOf(policy, candidatesOf([3]));
    for (let client = 0; client < 20; client++) {
      assert.equal(bench.picker.pick(requestOf(client)), 10);
    }
  });

  test(`${name}: pick() never returns a tried server, and NONE when all were tried`, () => {
    const bench = benchOf(policy, candidatesOf([1, 5, 1, 2]));
    for (let client = 0; client < 200; client++) {
      assert.equal([10, 13].includes(bench.picker.pick(requestOf(client, [11, 12]))), true);
      assert.equal(bench.picker.pick(requestOf(client, [11, 12, 10])), 13);
      assert.equal(bench.picker.pick(requestOf(client, [13, 11, 12, 10])), NONE);
    }
  });

  test(`${name}: pick() passes over full servers, and returns ALL_BUSY when all are full`, () => {
    const bench = benchOf(policy, candidatesOf([1, 1, 1], 2));
    bench.loads.set(10, 2).set(12, 3).set(11, 1);
    for (let client = 0; client < 50; client++) {
      assert.equal(bench.picker.pick(requestOf(client)), 11);
    }
    bench.loads.set(11, 2);
    assert.equal(bench.picker.pick(requestOf(1)), ALL_BUSY);
    // Not tried and full: busy. Everything tried: none, full or not.
    assert.equal(bench.picker.pick(requestOf(1, [11])), ALL_BUSY);
    assert.equal(bench.picker.pick(requestOf(1, [10, 11, 12])), NONE);
  });

  test(`${name}: pick() returns slots of its candidates only, with many servers and odd weights`, () => {
    const random = createRandom(5);
    const weights = Array.from({ length: 300 }, () => 1 + Math.floor(random() * 1000));
    const bench = benchOf(policy, candidatesOf(weights));
    for (let client = 0; client < 1000; client++) {
      const slot = bench.picker.pick(requestOf(client));
      assert.ok(slot >= 10 && slot < 310, `${slot}`);
    }
  });

  test(`${name}: pick() survives the wrap of its cursor`, () => {
    const bench = benchOf(policy, candidatesOf([1, 2, 3]));
    bench.cursor[2] = 2 ** 31 - 3;
    for (let client = 0; client < 6; client++) {
      assert.ok(bench.picker.pick(requestOf(client)) >= 10);
    }
  });

  test(`${name}: pick() depends on the seed and nothing else that is hidden`, () => {
    const run = (seed: number) => {
      const bench = benchOf(policy, candidatesOf([1, 2, 3, 4]), seed);
      return Array.from({ length: 50 }, (_, client) => bench.picker.pick(requestOf(client)));
    };
    assert.deepEqual(run(4), run(4));
  });
}
