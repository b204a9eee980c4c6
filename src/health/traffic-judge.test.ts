import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketOf, histogramBuckets } from '../base/histogram.ts';
import type { Outlier } from '../model/snapshot.ts';
import { TrafficJudge, type TrafficLook, type TrafficReadings } from './traffic-judge.ts';

const rules: Outlier = {
  consecutive: 5,
  successMarginRatio: 0.1,
  latencyFactor: 4,
  latencyLeastMs: 10,
  intervalMs: 1_000,
  volumeMin: 10,
  ejectForMs: 30_000,
  ejectMaxRatio: 0.3,
};

/** Five servers whose counters grow by what the test says of each second. */
class Traffic implements TrafficReadings {
  readonly judge = new TrafficJudge();
  readonly proving = new Set<number>();
  readonly #good = new Map<number, number>();
  readonly #faults = new Map<number, number>();
  readonly #cells = new Map<number, Float64Array>();
  nowMs = 0;
  /** Histograms read so far. */
  reads = 0;

  constructor() {
    this.judge.setServers([0, 1, 2, 3, 4]);
    this.second(() => ({ good: 0 }));
  }

  good(slot: number): number {
    return this.#good.get(slot) ?? 0;
  }

  faults(slot: number): number {
    return this.#faults.get(slot) ?? 0;
  }

  firstBytes(slot: number): Float64Array {
    this.reads++;
    return Float64Array.from(this.#cells.get(slot) ?? new Float64Array(histogramBuckets));
  }

  second(of: (slot: number) => { good: number; faults?: number; us?: number }): TrafficLook {
    this.nowMs += 1_000;
    for (let slot = 0; slot < 5; slot++) {
      const { good, faults = 0, us = 5_000 } = of(slot);
      this.#good.set(slot, this.good(slot) + good);
      this.#faults.set(slot, this.faults(slot) + faults);
      const cells = this.#cells.get(slot) ?? new Float64Array(histogramBuckets);
      cells[bucketOf(us)]! += good;
      this.#cells.set(slot, cells);
    }
    return this.judge.look(this.nowMs, this, rules, (slot) => this.proving.has(slot));
  }
}

/** Seconds until server 2 stands out; 0 when it never does. */
function secondsUntil(traffic: Traffic, of: Parameters<Traffic['second']>[0]): number {
  for (let second = 1; second <= 30; second++) {
    const { standouts } = traffic.second(of);
    assert.ok(standouts.every(({ slot }) => slot === 2));
    if (standouts.length > 0) return second;
  }
  return 0;
}

test('look() finds a server that fails 30 % within a second at 20 requests a second', () => {
  const sick = (slot: number) => (slot === 2 ? { good: 14, faults: 6 } : { good: 20 });
  assert.equal(secondsUntil(new Traffic(), sick), 1);
});

test('look() finds it within ten seconds at three requests a second', () => {
  const sick = (slot: number) => (slot === 2 ? { good: 2, faults: 1 } : { good: 3 });
  // Ten attempts, three faults and a share above three sample errors: after four seconds.
  assert.equal(secondsUntil(new Traffic(), sick), 4);
});

test('look() finds a server that is ten times slower, but not one that pauses once', () => {
  const slow = (slot: number) => ({ good: 20, us: slot === 2 ? 50_000 : 5_000 });
  assert.equal(secondsUntil(new Traffic(), slow), 3);
  const rare = (slot: number) => ({ good: 4, us: slot === 2 ? 50_000 : 5_000 });
  assert.ok(secondsUntil(new Traffic(), rare) <= 9);
  const traffic = new Traffic();
  traffic.second(() => ({ good: 20 }));
  assert.deepEqual(traffic.second(slow).standouts, []);
  assert.deepEqual(traffic.second(slow).standouts, []);
  for (let second = 0; second < 5; second++) {
    assert.deepEqual(traffic.second(() => ({ good: 20 })).standouts, []);
  }
});

test('look() forgets after ten seconds, on restart() and when a slot counts from zero', () => {
  const traffic = new Traffic();
  const sick = (slot: number) => ({ good: slot === 2 ? 7 : 20, faults: slot === 2 ? 3 : 0 });
  assert.equal(traffic.second(sick).standouts.length, 1);
  const well = () => ({ good: 1 });
  for (let second = 0; second < 10; second++) traffic.second(well);
  const { good, faults, medianUs } = traffic.judge.recordOf(2);
  assert.deepEqual([good, faults], [10, 0]);
  // Within 1.6 %, half a bucket.
  assert.ok(Math.abs((medianUs ?? 0) - 5_000) < 80, `${medianUs}`);
  traffic.second(sick);
  traffic.judge.restart(2);
  assert.equal(traffic.second(well).standouts.length, 0);
  assert.equal(traffic.judge.recordOf(2).good, 0);
});

test('look() calls it common trouble when most servers fail, and names nobody', () => {
  const traffic = new Traffic();
  const look = traffic.second((slot) => (slot < 3 ? { good: 14, faults: 6 } : { good: 20 }));
  assert.equal(look.commonTrouble, '3 of 5 servers fail 20% or more of their attempts');
  assert.deepEqual(look.standouts, []);
  for (let second = 0; second < 10; second++) traffic.second(() => ({ good: 20 }));
  assert.equal(traffic.second(() => ({ good: 20 })).commonTrouble, null);
});

test('look() believes sooner that a server that proves itself is still slow', () => {
  const traffic = new Traffic();
  traffic.proving.add(2);
  const slow = (slot: number) => ({ good: 20, us: slot === 2 ? 50_000 : 5_000 });
  assert.equal(secondsUntil(traffic, slow), 1);
});

test('look() reads no histogram of a server that has counted nothing new', () => {
  const traffic = new Traffic();
  for (let second = 0; second < 30; second++) traffic.second(() => ({ good: 0 }));
  assert.equal(traffic.reads, 0);
  traffic.second((slot) => ({ good: slot === 1 ? 20 : 0 }));
  assert.equal(traffic.reads, 1);
  for (let second = 0; second < 30; second++) traffic.second(() => ({ good: 0 }));
  assert.equal(traffic.reads, 1);
});
