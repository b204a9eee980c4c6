import { invariant } from './invariant.ts';

/**
 * A mean that forgets: a sample's weight falls to 1/e in `timeConstantMs`, however irregularly
 * samples come.
 *
 * Shape: the first sample is the value. Cost: one `Math.exp` per sample.
 */
export class Ewma {
  readonly #timeConstantMs: number;
  #value = 0;
  #atMs = Number.NEGATIVE_INFINITY;

  constructor(timeConstantMs: number) {
    invariant(timeConstantMs > 0, 'a moving mean has a time constant');
    this.#timeConstantMs = timeConstantMs;
  }

  /** The mean now; 0 before the first sample. */
  get value(): number {
    return this.#value;
  }

  /**
   * Takes a sample. A clock that stands still counts as one tenth of a per cent of the time
   * constant.
   */
  observe(sample: number, nowMs: number): void {
    // A floor, because samples of one turn carry one time and would otherwise count for nothing.
    const elapsedMs = Math.max(nowMs - this.#atMs, this.#timeConstantMs / 1000);
    this.#value = sample + (this.#value - sample) * Math.exp(-elapsedMs / this.#timeConstantMs);
    this.#atMs = nowMs;
  }
}
