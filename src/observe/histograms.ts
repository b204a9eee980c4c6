import { histogramBuckets, mergeInto } from '../base/histogram.ts';
import { limits } from '../model/limits.ts';
import type { SharedBuffers } from '../model/shared-memory.ts';
import { serverTimingCount } from './columns.ts';

/** Whose durations: a route's and a pool's total, a server's by `ServerTiming`. */
export type HistogramOwner = 'route' | 'pool' | 'server';

const ROUTES = 0;
const POOLS = ROUTES + limits.routes * histogramBuckets;
const SERVERS = POOLS + limits.pools * histogramBuckets;
const ROW = SERVERS + limits.serverSlots * serverTimingCount * histogramBuckets;

/**
 * Uint32 words that `allocateShared` must provide as `histogramWords`: 240 MB of address space per
 * worker, of which the system backs only pages that were written: one of 4 KiB or two for each
 * histogram in use.
 */
export function histogramWords(workers: number): number {
  return workers * ROW;
}

/**
 * One worker's histograms of durations in µs. The hot path keeps bases and adds to `cells` itself:
 *
 *     writer.cells[poolBase + bucketOf(us)]! += 1;
 *
 * One writer per row, plain writes. A cell wraps after 2³² samples of one bucket in one worker.
 */
export class HistogramWriter {
  /** This worker's row. */
  readonly cells: Uint32Array;

  constructor(buffers: SharedBuffers, worker: number) {
    this.cells = new Uint32Array(buffers.histograms, worker * ROW * 4, ROW);
  }

  /** First bucket of a route's total time. */
  route(slot: number): number {
    return ROUTES + slot * histogramBuckets;
  }

  /** First bucket of a pool's total time. */
  pool(slot: number): number {
    return POOLS + slot * histogramBuckets;
  }

  /** First bucket of one of a server's times; `timing` is a `ServerTiming`. */
  server(slot: number, timing: number): number {
    return SERVERS + (slot * serverTimingCount + timing) * histogramBuckets;
  }
}

/** Sums over all workers, for control, less what a slot's former owner left. */
export class HistogramReader {
  readonly #cells: Uint32Array;
  readonly #workers: number;
  /**
   * By first bucket; only slots that had an owner before have one, so it stays as small as reuse is
   * rare.
   */
  readonly #baselines = new Map<number, Float64Array>();

  constructor(buffers: SharedBuffers) {
    this.#cells = new Uint32Array(buffers.histograms);
    this.#workers = buffers.workers;
  }

  /**
   * The cells of one histogram, for `quantile` and friends. `timing` counts for servers only. Cost:
   * 896 reads per worker.
   */
  read(owner: HistogramOwner, slot: number, timing = 0): Float64Array {
    const first = firstBucket(owner, slot, timing);
    const cells = this.#sum(first);
    const baseline = this.#baselines.get(first);
    if (baseline !== undefined) {
      for (let bucket = 0; bucket < histogramBuckets; bucket++) cells[bucket]! -= baseline[bucket]!;
    }
    return cells;
  }

  /** Starts a slot's histograms at zero for its new owner. */
  resetSlot(owner: HistogramOwner, slot: number): void {
    const timings = owner === 'server' ? serverTimingCount : 1;
    for (let timing = 0; timing < timings; timing++) {
      const first = firstBucket(owner, slot, timing);
      const left = this.#sum(first);
      if (left.some((count) => count !== 0)) this.#baselines.set(first, left);
      else this.#baselines.delete(first);
    }
  }

  /** Counts samples that another process had: bucket, count, bucket, count … */
  add(owner: HistogramOwner, slot: number, timing: number, cells: readonly number[]): void {
    const first = firstBucket(owner, slot, timing);
    const baseline = this.#baselines.get(first) ?? new Float64Array(histogramBuckets);
    this.#baselines.set(first, baseline);
    for (let i = 0; i < cells.length; i += 2) {
      const bucket = cells[i]!;
      // Another version may have had more buckets.
      if (bucket < histogramBuckets) baseline[bucket]! -= cells[i + 1]!;
    }
  }

  #sum(first: number): Float64Array {
    const sum = new Float64Array(histogramBuckets);
    for (let worker = 0; worker < this.#workers; worker++) {
      mergeInto(sum, this.#cells, worker * ROW + first);
    }
    return sum;
  }
}

function firstBucket(owner: HistogramOwner, slot: number, timing: number): number {
  if (owner === 'route') return ROUTES + slot * histogramBuckets;
  if (owner === 'pool') return POOLS + slot * histogramBuckets;
  return SERVERS + (slot * serverTimingCount + timing) * histogramBuckets;
}
