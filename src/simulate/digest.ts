import { mix32 } from '../base/hash.ts';
import type { Outcome } from './tally.ts';

const outcomes: Readonly<Record<Outcome, number>> = { ok: 1, error: 2, 'gave-up': 3, cut: 4 };

/** A fingerprint of a run: equal when every request ended in the same way at the same time. */
export class Digest {
  #high = 0x6a09e667;
  #low = 0x3c6ef372;

  /** A request ended. */
  add(id: number, outcome: Outcome, atUs: number): void {
    this.#high = mix32(this.#high ^ mix32(id + outcomes[outcome] * 0x01000193));
    this.#low = mix32(this.#low ^ mix32(atUs) ^ this.#high);
  }

  /** Sixteen hexadecimal digits. */
  get text(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
    return hex(this.#high) + hex(this.#low);
  }
}
