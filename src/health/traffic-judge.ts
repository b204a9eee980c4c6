import type { HistogramCells } from '../base/histogram.ts';
import type { Outlier } from '../model/snapshot.ts';
import { failingServers, failingShare, type Standout, slowServers } from './peer-outliers.ts';
import { TrafficWindow, windowSpans } from './traffic-window.ts';

/** Counters of the servers as workers keep them: they only grow. */
export interface TrafficReadings {
  /** Attempts that ended well, and those that speak against the server. */
  good(slot: number): number;
  faults(slot: number): number;
  /** A fresh copy of the histogram of times to the first byte. */
  firstBytes(slot: number): HistogramCells;
}

/** What a look at a pool's traffic gave. */
export interface TrafficLook {
  /** Servers that stand out, worst first, those that fail before those that are slow. */
  readonly standouts: readonly Standout[];
  /** Set while most servers fail alike: then it is not the servers, and none is to be taken out. */
  readonly commonTrouble: string | null;
}

/** A server that fails so many of its attempts counts as failing when it is asked whether most do. */
const FAILING_RATE = 0.2;
/** Above this share of failing servers the trouble is common. */
const COMMON_SHARE = 0.5;
/** Slow medians in a row must cover so many intervals: a pause of one server is no slow server. */
const SLOW_INTERVALS = 3;

/**
 * Watches the traffic of one pool's servers: in windows of ten intervals, each server against its
 * peers. Pure: control feeds it counters and the time, once per interval.
 */
export class TrafficJudge {
  readonly #windows = new Map<number, TrafficWindow>();

  /** Takes over the servers that may get traffic; what is known of those that stay is kept. */
  setServers(slots: readonly number[]): void {
    const present = new Set(slots);
    for (const slot of this.#windows.keys()) if (!present.has(slot)) this.#windows.delete(slot);
    for (const slot of slots) {
      if (!this.#windows.has(slot)) this.#windows.set(slot, new TrafficWindow());
    }
  }

  /** A server came back: what it did before says nothing about it now. */
  restart(slot: number): void {
    this.#windows.get(slot)?.restart();
  }

  /** Attempts of a server within the window, for people. */
  recordOf(slot: number): {
    readonly good: number;
    readonly faults: number;
    readonly medianUs: number | null;
  } {
    const window = this.#windows.get(slot);
    return window === undefined
      ? { good: 0, faults: 0, medianUs: null }
      : { good: window.good, faults: window.faults, medianUs: window.medianUs };
  }

  /** Reads the counters, once per interval, and says who stands out. Cost: O(n log n). */
  look(
    nowMs: number,
    readings: TrafficReadings,
    rules: Outlier,
    isProving: (slot: number) => boolean,
  ): TrafficLook {
    const { volumeMin, successMarginRatio } = rules;
    const records = [...this.#windows].map(([slot, window]) => {
      window.take(readings.good(slot), readings.faults(slot));
      return { slot, good: window.good, faults: window.faults };
    });
    const slow = this.#slow(nowMs, readings, rules, isProving);
    const { failing, known } = failingShare(records, volumeMin, FAILING_RATE);
    if (failing > 1 && failing > known * COMMON_SHARE) {
      const commonTrouble = `${failing} of ${known} servers fail ${FAILING_RATE * 100}% or more of their attempts`;
      return { standouts: [], commonTrouble };
    }
    const marginRatio = successMarginRatio;
    const failed = failingServers(records, { marginRatio, volumeMin, isProving });
    return { standouts: [...failed, ...slow], commonTrouble: null };
  }

  #slow(
    nowMs: number,
    readings: TrafficReadings,
    rules: Outlier,
    isProving: (slot: number) => boolean,
  ): Standout[] {
    const { latencyFactor, latencyLeastMs, intervalMs, volumeMin } = rules;
    if (latencyFactor <= 0) return [];
    const ageMaxMs = intervalMs * windowSpans;
    const known: { slot: number; medianUs: number }[] = [];
    for (const [slot, window] of this.#windows) {
      window.takeLatency(nowMs, { volumeMin, ageMaxMs }, () => readings.firstBytes(slot));
      if (window.medianUs !== null) known.push({ slot, medianUs: window.medianUs });
    }
    const standing = new Map(
      slowServers(known, { factor: latencyFactor, leastMs: latencyLeastMs }).map((one) => [
        one.slot,
        one,
      ]),
    );
    for (const [slot, window] of this.#windows) {
      const coveredMs = window.noteSlow(standing.has(slot));
      const neededMs = isProving(slot) ? 0 : SLOW_INTERVALS * intervalMs;
      if (coveredMs < neededMs) standing.delete(slot);
    }
    return [...standing.values()];
  }
}
