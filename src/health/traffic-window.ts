import { type HistogramCells, histogramBuckets, quantile } from '../base/histogram.ts';

/** One for all: differences are looked at and forgotten. */
const grown = new Float64Array(histogramBuckets);

/** What a server has counted that nobody ever asked: of ten thousand servers, most histograms need not be read. */
const untouched = new Float64Array(histogramBuckets);

/** Spans of one interval that a window is made of. */
export const windowSpans = 10;

/**
 * What a server's traffic said in the last ten intervals, made of counters that only grow: how many
 * attempts ended well, how many speak against it, and how long half of the first bytes took.
 */
export class TrafficWindow {
  /** Counters at the ends of the last spans, `good, faults` each, as a ring. */
  readonly #ends: Float64Array = new Float64Array(2 * (windowSpans + 1));
  #at = 0;
  #filled = 0;
  /** The histogram when its present window began; null before. */
  #base: HistogramCells | null = null;
  #baseGood = 0;
  #baseFaults = 0;
  #baseAtMs = 0;
  #medianUs: number | null = null;
  #medianAtMs = 0;
  /** When the window of the present median began, and the first of those in a row that stood out. */
  #windowBeganMs = 0;
  #slowSinceMs: number | null = null;

  /** Begins anew: what was before says nothing about what comes. */
  restart(): void {
    this.#filled = 0;
    this.#base = null;
    this.#medianUs = null;
    this.#slowSinceMs = null;
  }

  /** Takes the counters as they are at the end of a span. */
  take(good: number, faults: number): void {
    // A slot that got a new owner counts from zero again.
    if (this.#filled > 0 && (good < this.#newest(0) || faults < this.#newest(1))) this.restart();
    this.#at = this.#filled === 0 ? 0 : (this.#at + 1) % (windowSpans + 1);
    this.#ends[2 * this.#at] = good;
    this.#ends[2 * this.#at + 1] = faults;
    this.#filled = Math.min(this.#filled + 1, windowSpans + 1);
  }

  /** Attempts that ended well within the window. */
  get good(): number {
    return this.#grown(0);
  }

  /** Attempts that spoke against the server within the window. */
  get faults(): number {
    return this.#grown(1);
  }

  /**
   * Closes the window of first bytes when it has `volumeMin` answers, or drops it when it is
   * `ageMaxMs` old. `read` gives a fresh copy of the histogram, which is kept; it is called only when
   * needed, for it costs a pass over all cells.
   */
  takeLatency(
    nowMs: number,
    rules: { readonly volumeMin: number; readonly ageMaxMs: number },
    read: () => HistogramCells,
  ): void {
    const good = this.#newest(0);
    const isOld = nowMs - this.#baseAtMs >= rules.ageMaxMs;
    if (this.#medianUs !== null && nowMs - this.#medianAtMs >= rules.ageMaxMs) {
      this.#medianUs = null;
      this.#slowSinceMs = null;
    }
    if (this.#base !== null && good - this.#baseGood < rules.volumeMin && !isOld) return;
    const faults = this.#newest(1);
    const base = this.#base;
    if (base !== null && good === this.#baseGood && faults === this.#baseFaults) {
      this.#baseAtMs = nowMs;
      return;
    }
    const cells = base === null && good === 0 && faults === 0 ? untouched : read();
    if (base !== null && good - this.#baseGood >= rules.volumeMin) {
      for (let cell = 0; cell < histogramBuckets; cell++) grown[cell] = cells[cell]! - base[cell]!;
      this.#medianUs = quantile(grown, 0.5);
      this.#medianAtMs = nowMs;
      this.#windowBeganMs = this.#baseAtMs;
    }
    this.#base = cells;
    this.#baseGood = good;
    this.#baseFaults = faults;
    this.#baseAtMs = nowMs;
  }

  /** Median of the first bytes, µs; null where too few came lately. */
  get medianUs(): number | null {
    return this.#medianUs;
  }

  /** Notes whether the last median stood out; gives how long a time such medians in a row cover, ms. */
  noteSlow(isSlow: boolean): number {
    if (!isSlow) {
      this.#slowSinceMs = null;
      return 0;
    }
    this.#slowSinceMs ??= this.#windowBeganMs;
    return this.#medianAtMs - this.#slowSinceMs;
  }

  #newest(which: 0 | 1): number {
    return this.#ends[2 * this.#at + which]!;
  }

  #grown(which: 0 | 1): number {
    if (this.#filled < 2) return 0;
    const oldest = (this.#at + windowSpans + 2 - this.#filled) % (windowSpans + 1);
    return this.#newest(which) - this.#ends[2 * oldest + which]!;
  }
}
