import type { Libc } from '../libc.ts';
import { Posix } from './constants.ts';
import { forgetDescriptor, noteDescriptor } from './ledger.ts';

/** Descriptors that a worker keeps for dials, where the process may have that many. */
const RESERVE = 32;
/** All workers together keep at most this part of what the process may have. */
const SHARE_OF_LIMIT = 8;
/** So many must be free besides before accepting goes on: files, and connections of the admin API. */
const MARGIN = 8;

/** How many descriptors each of `workers` keeps when the process may open `limit`: at least one. */
export function reserveOf(limit: number, workers: number): number {
  return Math.max(1, Math.min(RESERVE, Math.floor(limit / SHARE_OF_LIMIT / workers)));
}

/**
 * Descriptors for what must not fail when clients use up all others: dials for links that were already accepted,
 * files, the admin API. They are held as copies of one that is open anyway, and let go when accepting has to stop:
 *
 *   held ──accept finds none free, or almost none──▶ lent: free for all but accepting ──all can be had again──▶ held
 *
 * Why they are really held, and not only left free: a multishot accept takes all connections that wait in one go,
 * before we see the first, so nobody could stop it at a number.
 */
export class DescriptorReserve {
  /** Accepting has to stop at a descriptor of this number: the system gives the lowest that is free. */
  readonly ceiling: number;
  readonly #libc: Libc;
  readonly #bits: Int32Array;
  readonly #source: number;
  readonly #size: number;
  readonly #held: number[] = [];

  /** `source`: the descriptor that is copied; `bits`: what is reclaimed when this thread dies. */
  constructor(
    libc: Libc,
    bits: Int32Array,
    source: number,
    by: { readonly limit: number; readonly workers: number },
  ) {
    this.#libc = libc;
    this.#bits = bits;
    this.#source = source;
    this.#size = reserveOf(by.limit, by.workers);
    this.ceiling = by.limit - MARGIN;
    this.restore();
  }

  get isHeld(): boolean {
    return this.#held.length === this.#size;
  }

  /** Lets all go. Nobody may accept until `restore` has given true. */
  lend(): void {
    for (const fd of this.#held.splice(0)) {
      forgetDescriptor(this.#bits, fd);
      this.#libc.close(fd);
    }
  }

  /** Takes them back; false, and all are free still, while there are not as many and a few more. */
  restore(): boolean {
    while (!this.isHeld) {
      const fd = this.#copy();
      if (fd < 0) break;
      noteDescriptor(this.#bits, fd);
      this.#held.push(fd);
    }
    const next = this.#copy();
    if (next >= 0) this.#libc.close(next);
    const isEnough = this.isHeld && next >= 0 && next < this.ceiling;
    if (!isEnough) this.lend();
    return isEnough;
  }

  #copy(): number {
    return this.#libc.fcntl(this.#source, Posix.F_DUPFD_CLOEXEC, 0);
  }
}
