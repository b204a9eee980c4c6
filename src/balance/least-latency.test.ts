import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatencyBook } from './latency-book.ts';
import { policies } from './policies.ts';
import { benchOf, candidatesOf, requestOf, tally } from './policy.conformance.ts';

const leastLatency = policies['least-latency'];

function book() {
  const clock = { nowMs: 5_000 };
  const words = { latencyUs: new Int32Array(8), latencyAt: new Int32Array(8) };
  return { clock, latency: new LatencyBook(words, () => clock.nowMs) };
}

test('LatencyBook takes a peak over at once and comes down by time', () => {
  const { clock, latency } = book();
  latency.observe(1, 1_000);
  latency.observe(1, 50_000);
  assert.equal(latency.estimateUs(1, latency.now()), 50_000);
  clock.nowMs += 10_000;
  // 50,000 / e without samples; a sample of 1,000: 1,000 + 49,000 / e.
  assert.ok(Math.abs(latency.estimateUs(1, latency.now()) - 18_394) < 1);
  latency.observe(1, 1_000);
  assert.ok(Math.abs(latency.estimateUs(1, latency.now()) - 19_026) < 1);
  assert.equal(latency.estimateUs(2, latency.now()), 0);
});

test('LatencyBook: a quick failure makes a server dearer, not cheaper', () => {
  const { latency } = book();
  latency.observe(1, 4_000);
  latency.observeFailure(1, 10);
  assert.equal(latency.estimateUs(1, latency.now()), 8_000);
  latency.observeFailure(2, 10);
  assert.equal(latency.estimateUs(2, latency.now()), 100_000);
  for (let failure = 0; failure < 40; failure++) latency.observeFailure(1, 10);
  assert.equal(latency.estimateUs(1, latency.now()), 60_000_000);
});

test('LatencyBook survives the wrap of its clock and a clock that is a little behind', () => {
  const { clock, latency } = book();
  clock.nowMs = 0x7fffffff - 4_999;
  latency.observe(1, 10_000);
  clock.nowMs = 5_000;
  assert.ok(Math.abs(latency.estimateUs(1, latency.now()) - 10_000 / Math.E) < 1);
  clock.nowMs = 0x7fffffff - 6_000;
  assert.equal(latency.estimateUs(1, latency.now()), 10_000);
});

test('least-latency: latency × (in flight + 1) / weight decides between two', () => {
  const bench = benchOf(leastLatency, candidatesOf([1, 2]));
  bench.latency.observe(10, 1_000);
  bench.latency.observe(11, 4_000);
  // 1,000 × 1 / 1 against 4,000 × 1 / 2.
  for (let client = 0; client < 20; client++) {
    assert.equal(bench.picker.pick(requestOf(client)), 10);
  }
  bench.loads.set(10, 2);
  for (let client = 0; client < 20; client++) {
    assert.equal(bench.picker.pick(requestOf(client)), 11);
  }
});

test('least-latency: a server that never answered counts as the mean of the others', () => {
  const bench = benchOf(leastLatency, candidatesOf([1, 1, 1]));
  bench.latency.observe(10, 1_000);
  bench.latency.observe(11, 3_000);
  // 12 counts as 2,000: it loses against 10 and wins against 11.
  const counts = tally(bench, 3_000);
  assert.ok(counts.get(12)! > 800 && counts.get(12)! < 1_200, `${counts.get(12)}`);
  assert.equal(counts.get(11), undefined);
});

test('least-latency: a slow server is asked again when its estimate has gone down', () => {
  const bench = benchOf(leastLatency, candidatesOf([1, 1]));
  bench.latency.observe(10, 1_000);
  bench.latency.observe(11, 20_000);
  assert.equal(tally(bench, 100).get(11), undefined);
  bench.clock.nowMs += 31_000;
  bench.latency.observe(10, 1_000);
  // 20,000 · e^-3.1 is 901.
  assert.equal(bench.picker.pick(requestOf(0)), 11);
});
