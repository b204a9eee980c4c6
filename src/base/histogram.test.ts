import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bucketHigh,
  bucketLow,
  bucketMid,
  bucketOf,
  histogramBuckets,
  mergeInto,
  quantile,
  sampleCount,
  sampleSum,
} from './histogram.ts';
import { createRandom } from './prng.ts';

test('buckets cover 0 to 2³²-1 without gap or overlap', () => {
  assert.equal(bucketLow(0), 0);
  for (let bucket = 0; bucket < histogramBuckets; bucket++) {
    assert.equal(bucketOf(bucketLow(bucket)), bucket);
    assert.equal(bucketOf(bucketHigh(bucket)), bucket);
    const isLast = bucket === histogramBuckets - 1;
    assert.equal(bucketHigh(bucket) + 1, isLast ? 2 ** 32 : bucketLow(bucket + 1));
  }
});

test('bucketMid() is off by at most 2 %, and values outside the range count at its ends', () => {
  const random = createRandom(3);
  for (let draw = 0; draw < 20_000; draw++) {
    const us = Math.floor(2 ** (random() * 32));
    const mid = bucketMid(bucketOf(us));
    assert.ok(Math.abs(mid - us) <= us * 0.02, `${us} became ${mid}`);
  }
  assert.equal(bucketOf(-5), 0);
  assert.equal(bucketOf(0.9), 0);
  assert.equal(bucketOf(Number.NaN), histogramBuckets - 1);
  assert.equal(bucketOf(2 ** 32 + 17), histogramBuckets - 1);
});

test('quantile() finds exact ranks of small values', () => {
  const cells = new Uint32Array(histogramBuckets);
  assert.equal(quantile(cells, 0.5), 0);
  for (let us = 1; us <= 10; us++) cells[bucketOf(us)]! += 1;
  // Ranks ⌈q·10⌉ of 1…10: 5 for the median, 10 for 0.99, 1 for 0.
  assert.equal(quantile(cells, 0.5), 5);
  assert.equal(quantile(cells, 0.99), 10);
  assert.equal(quantile(cells, 0), 1);
  assert.equal(quantile(cells, 1), 10);
  assert.throws(() => quantile(cells, 1.1), /between 0 and 1/);
});

test('mergeInto() adds cells from a place in many, and sums follow', () => {
  const many = new Uint32Array(3 * histogramBuckets);
  many[histogramBuckets + bucketOf(7)] = 2;
  many[2 * histogramBuckets + bucketOf(9)] = 5;
  const into = new Float64Array(histogramBuckets);
  mergeInto(into, many, histogramBuckets);
  mergeInto(into, many, 2 * histogramBuckets);
  assert.equal(sampleCount(into), 7);
  // 2 × 7 + 5 × 9; both have buckets of their own.
  assert.equal(sampleSum(into), 59);
});

test('p50, p90 and p99 lie within 2 % of the exact ones, whatever the shape of the samples', () => {
  const random = createRandom(11);
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const shapes: Readonly<Record<string, () => number>> = {
    // Times of services, µs: a long tail, two clusters (cache hits and misses), all alike.
    lognormal: () => 5_000 * Math.exp(0.9 * normal()),
    bimodal: () => (random() < 0.7 ? 400 + 60 * random() : 90_000 + 20_000 * random()),
    uniform: () => 1_000 + 9_000 * random(),
  };
  for (const [shape, draw] of Object.entries(shapes)) {
    const cells = [0, 1].map(() => new Uint32Array(histogramBuckets));
    const samples = Array.from({ length: 100_000 }, () => Math.round(draw()));
    // Two workers; merged by addition.
    for (const [index, us] of samples.entries()) cells[index & 1]![bucketOf(us)]! += 1;
    const merged = new Float64Array(histogramBuckets);
    for (const each of cells) mergeInto(merged, each);
    samples.sort((one, other) => one - other);
    for (const q of [0.5, 0.9, 0.99]) {
      const exact = samples[Math.ceil(q * samples.length) - 1]!;
      const error = Math.abs(quantile(merged, q) / exact - 1);
      assert.ok(error <= 0.02, `${shape} p${q * 100}: ${(error * 100).toFixed(2)} % off`);
    }
  }
});
