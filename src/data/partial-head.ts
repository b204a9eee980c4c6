import type { FailureCode } from '../model/failure.ts';
import { type HeadLimits, INCOMPLETE, REFUSED } from '../wire/http1/head.ts';
import { HeadScanner } from '../wire/http1/head-scanner.ts';

const FIRST_BYTES = 2_048;

/**
 * A head that arrives in pieces, gathered outside the receive buffers so that a slow sender holds none
 * of them. Every byte is looked at once.
 */
export class PartialHead {
  /** The gathered bytes are `[0, length)`. */
  bytes: Uint8Array;
  length = 0;
  failure: FailureCode | null = null;
  readonly #scanner: HeadScanner;

  constructor(limits: HeadLimits, isResponse: boolean) {
    this.bytes = new Uint8Array(FIRST_BYTES);
    this.#scanner = new HeadScanner(limits, isResponse);
  }

  /** Adds `[from, end)` of `source`: offset in `source` behind the head's end, `INCOMPLETE` or `REFUSED`. */
  push(source: Uint8Array, from: number, end: number): number {
    const result = this.#scanner.push(source, from, end);
    if (result === REFUSED) {
      this.failure = this.#scanner.failure;
      return REFUSED;
    }
    this.#append(source, from, result === INCOMPLETE ? end : result);
    return result;
  }

  #append(source: Uint8Array, from: number, end: number): void {
    const needed = this.length + end - from;
    if (needed > this.bytes.length) {
      const wider = new Uint8Array(Math.max(needed, this.bytes.length * 2));
      wider.set(this.bytes.subarray(0, this.length));
      this.bytes = wider;
    }
    this.bytes.set(source.subarray(from, end), this.length);
    this.length = needed;
  }
}
