import { histogramBuckets, mergeInto } from '../base/histogram.ts';
import { invariant } from '../base/invariant.ts';
import { limits } from '../model/limits.ts';
import type { SharedBuffers } from '../model/shared-memory.ts';
import { timingCount } from './columns.ts';

/**
 * Whose durations, three by `TimingColumn` for each. A pool's own are those of exchanges that no
 * server had: the others stand with its servers.
 */
export type HistogramOwner = 'listener' | 'route' | 'pool' | 'server';

const OWNER_CELLS = timingCount * histogramBuckets;
const LISTENERS = 0;
const ROUTES = LISTENERS + limits.listeners * OWNER_CELLS;
const POOLS = ROUTES + limits.routes * OWNER_CELLS;
const SERVERS = POOLS + limits.pools * OWNER_CELLS;
/** How late the worker's loop was, tick by tick. */
const LAG = SERVERS + limits.serverSlots * OWNER_CELLS;
const ROW = LAG + histogramBuckets;

const starts: Readonly<Record<HistogramOwner, number>> = {
  listener: LISTENERS,
  route: ROUTES,
  pool: POOLS,
  server: SERVERS,
};

/**
 * Uint32 words that `allocateShared` must provide as `histogramWords`: 260 MB of address space per
 * worker, of which the system backs only pages that were written: one of 4 KiB or two for each
 * histogram in use.
 */
export function histogramWords(workers: number): number {
  return workers * ROW;
}

/**
 * One worker's histograms of durations in µs. The hot path keeps bases and adds to `cells` itself:
 *
 *     writer.cells[serverBase + bucketOf(us)]! += 1;
 *
 * One writer per row, plain writes. A cell wraps after 2³² samples of one bucket in one worker.
 */
export class HistogramWriter {
  /** This worker's row. */
  readonly cells: Uint32Array;
  /** First bucket of the lateness of its loop. */
  readonly lag: number = LAG;

  constructor(buffers: SharedBuffers, worker: number) {
    this.cells = new Uint32Array(buffers.histograms, worker * ROW * 4, ROW);
  }

  /** First bucket of one of an owner's times; `timing` is a `TimingColumn`. */
  of(owner: HistogramOwner, slot: number, timing: number): number {
    return firstBucket(owner, slot, timing);
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

  /** The cells of one histogram, for `quantile` and friends. Cost: 896 reads per worker. */
  read(owner: HistogramOwner, slot: number, timing: number): Float64Array {
    return this.addTo(new Float64Array(histogramBuckets), owner, slot, timing);
  }

  /** Adds one histogram to `into`. */
  addTo(into: Float64Array, owner: HistogramOwner, slot: number, timing: number): Float64Array {
    const first = firstBucket(owner, slot, timing);
    for (let worker = 0; worker < this.#workers; worker++) {
      mergeInto(into, this.#cells, worker * ROW + first);
    }
    const baseline = this.#baselines.get(first);
    if (baseline === undefined) return into;
    for (let bucket = 0; bucket < histogramBuckets; bucket++) into[bucket]! -= baseline[bucket]!;
    return into;
  }

  /** How late one worker's loop was, tick by tick, since the process began. */
  lagOf(worker: number): Float64Array {
    invariant(worker < this.#workers, 'a worker has its row');
    const cells = new Float64Array(histogramBuckets);
    mergeInto(cells, this.#cells, worker * ROW + LAG);
    return cells;
  }

  /** Starts a slot's histograms at zero for its new owner. */
  resetSlot(owner: HistogramOwner, slot: number): void {
    for (let timing = 0; timing < timingCount; timing++) {
      const first = firstBucket(owner, slot, timing);
      this.#baselines.delete(first);
      const left = this.read(owner, slot, timing);
      if (left.some((count) => count !== 0)) this.#baselines.set(first, left);
    }
  }

  /** Counts samples that another process or owner had: bucket, count, bucket, count … */
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
}

function firstBucket(owner: HistogramOwner, slot: number, timing: number): number {
  return starts[owner] + slot * OWNER_CELLS + timing * histogramBuckets;
}
