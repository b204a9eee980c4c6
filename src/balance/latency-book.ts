import type { SharedWords } from '../model/shared-memory.ts';

/** The words of shared memory that latencies live in. */
export type LatencyWords = Pick<SharedWords, 'latencyUs' | 'latencyAt'>;

/** In so long an estimate falls to 1/e of what it was. Source: Finagle's and Envoy's peak EWMA. */
const DECAY_MS = 10_000;
/** A time that is more than half of the wrapped clock away is one from the future. */
const WRAP_MASK = 0x7fffffff;
const WRAP_HALF = 0x3fffffff;
/** An estimate never exceeds a minute: what is slower is out by other means. */
const LATENCY_US_MAX = 60_000_000;
/** A failure is worth so many times the estimate: quick failures must not attract. */
const FAILURE_RATIO = 2;
/** What a failure of a server without any estimate is worth. */
const FAILURE_US = 100_000;

/**
 * What servers took to answer lately, shared by all workers: a mean that takes a slower sample over
 * at once and comes down from it by time ("peak EWMA"). Without samples it falls toward nothing, so
 * that who was slow is asked again.
 *
 *   e(t) = e · exp(-(t - at) / 10 s)      sample s:  s > e(t): s,  else  s + (e - s) · exp(-(t - at) / 10 s)
 *
 * Two workers that note at the same time may lose one sample of the two. Cost: one `exp`, four
 * atomic words. Source: Finagle's PeakEwma.
 */
export class LatencyBook {
  readonly #us: Int32Array;
  readonly #at: Int32Array;
  readonly #nowMs: () => number;

  /** `nowMs`: one clock for all threads, wrapped to 31 bits. */
  constructor(words: LatencyWords, nowMs: () => number) {
    this.#us = words.latencyUs;
    this.#at = words.latencyAt;
    this.#nowMs = nowMs;
  }

  /** An answer began so many µs after its request was sent. */
  observe(slot: number, sampleUs: number): void {
    const now = this.#nowMs();
    const sample = Math.min(Math.max(sampleUs, 1), LATENCY_US_MAX);
    const before = Atomics.load(this.#us, slot);
    let after = sample;
    if (before > sample) {
      const kept = decayOf(now, Atomics.load(this.#at, slot));
      after = before * kept > sample ? sample + (before - sample) * kept : sample;
    }
    Atomics.store(this.#us, slot, Math.max(1, Math.round(after)));
    Atomics.store(this.#at, slot, now);
  }

  /** An attempt failed after so many µs. */
  observeFailure(slot: number, afterUs: number): void {
    const before = Atomics.load(this.#us, slot);
    this.observe(slot, Math.max(afterUs, before === 0 ? FAILURE_US : before * FAILURE_RATIO));
  }

  /** The time now, for `estimateUs`. */
  now(): number {
    return this.#nowMs();
  }

  /** The estimate at a time in µs; 0 for a server that never answered. */
  estimateUs(slot: number, nowMs: number): number {
    const before = Atomics.load(this.#us, slot);
    if (before === 0) return 0;
    return before * decayOf(nowMs, Atomics.load(this.#at, slot));
  }

  /** The estimate as it was noted, without what time has taken off. */
  notedUs(slot: number): number {
    return Atomics.load(this.#us, slot);
  }
}

function decayOf(nowMs: number, atMs: number): number {
  const elapsed = (nowMs - atMs) & WRAP_MASK;
  if (elapsed > WRAP_HALF) return 1;
  const part = elapsed / DECAY_MS;
  // Right to 0.02 % below a tenth, where samples of a busy server are, for a third of the price.
  return part < 0.1 ? 1 - part + (part * part) / 2 : Math.exp(-part);
}
