import { invariant } from './invariant.ts';

/**
 * Log-linear buckets for durations in µs: 0–31 have a bucket each, every octave above has 32 equal
 * ones.
 *
 *   value      0 … 31 | 32 … 63 | 64 … 127 | … | 2³¹ … 2³²-1
 *   width      1      | 1       | 2        | … | 2²⁶
 *
 * The mid-point is off by at most half a width over the bucket's low end: 1/64 = 1.6 %.
 * Source: the idea of HdrHistogram (G. Tene), with sub-buckets chosen by the value's own leading
 * bits.
 */
const SUB_BITS = 5;
const SUB_COUNT = 1 << SUB_BITS;
const VALUE_MAX = 0xffffffff;

/** Buckets of one histogram: 32 + 27 octaves × 32 = 896 cells, 3.5 KiB as Uint32. */
export const histogramBuckets: number = (32 - SUB_BITS + 1) * SUB_COUNT;

/**
 * The bucket of a duration. Range: any number of µs; below 0 counts as 0, above 2³²-1 (71 minutes)
 * as that.
 */
export function bucketOf(us: number): number {
  // `>>> 0` alone would wrap a tunnel of 72 minutes to half a minute.
  const value = us < VALUE_MAX ? (us > 0 ? us >>> 0 : 0) : VALUE_MAX;
  if (value < SUB_COUNT) return value;
  const shift = 31 - SUB_BITS - Math.clz32(value);
  return (shift << SUB_BITS) + (value >>> shift);
}

/** Least value of a bucket, in µs. */
export function bucketLow(bucket: number): number {
  if (bucket < SUB_COUNT) return bucket;
  const shift = (bucket >>> SUB_BITS) - 1;
  return (SUB_COUNT + (bucket & (SUB_COUNT - 1))) * 2 ** shift;
}

/** Greatest whole value of a bucket, in µs. */
export function bucketHigh(bucket: number): number {
  return bucketLow(bucket) + bucketWidth(bucket) - 1;
}

/** What a bucket stands for, in µs: the middle of its whole values. */
export function bucketMid(bucket: number): number {
  return bucketLow(bucket) + (bucketWidth(bucket) - 1) / 2;
}

function bucketWidth(bucket: number): number {
  return bucket < SUB_COUNT ? 1 : 2 ** ((bucket >>> SUB_BITS) - 1);
}

/** Cells of one histogram, `histogramBuckets` long. */
export type HistogramCells = Uint32Array | Float64Array;

/**
 * The value below which the share `q` of all samples lies, in µs (the bucket's middle); 0 for no
 * samples.
 *
 * Range: 0 ≤ q ≤ 1. Errors: 1.6 % of the value. Cost: two walks over the cells.
 */
export function quantile(cells: HistogramCells, q: number): number {
  invariant(q >= 0 && q <= 1, 'a quantile lies between 0 and 1');
  const total = sampleCount(cells);
  if (total === 0) return 0;
  const rank = Math.max(1, Math.ceil(q * total));
  let seen = 0;
  for (let bucket = 0; bucket < histogramBuckets; bucket++) {
    seen += cells[bucket]!;
    if (seen >= rank) return bucketMid(bucket);
  }
  return bucketMid(histogramBuckets - 1);
}

/** Samples in a histogram. */
export function sampleCount(cells: HistogramCells): number {
  let total = 0;
  for (let bucket = 0; bucket < histogramBuckets; bucket++) total += cells[bucket]!;
  return total;
}

/** Sum of all samples in µs as the buckets know it: within 1.6 %. */
export function sampleSum(cells: HistogramCells): number {
  let sum = 0;
  for (let bucket = 0; bucket < histogramBuckets; bucket++) {
    const count = cells[bucket]!;
    if (count !== 0) sum += count * bucketMid(bucket);
  }
  return sum;
}

/**
 * Adds one histogram to another. `from` may be a view on many: `fromStart` is the first cell there.
 * Cost: one walk over the cells.
 */
export function mergeInto(into: HistogramCells, from: HistogramCells, fromStart = 0): void {
  for (let bucket = 0; bucket < histogramBuckets; bucket++) {
    into[bucket]! += from[fromStart + bucket]!;
  }
}
