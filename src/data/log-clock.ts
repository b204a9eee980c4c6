import { plainBytes, putPlain } from './json-bytes.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Writes the wall clock's time into log lines; its text is made once a second. */
export class LogClock {
  readonly #wallClock: () => number;
  #second = -1;
  /** `2026-11-21T01:12:27.` of the present second. */
  #iso: Uint8Array = new Uint8Array(0);
  #commonSecond = -1;
  #common: Uint8Array = new Uint8Array(0);

  constructor(wallClock: () => number) {
    this.#wallClock = wallClock;
  }

  /** `2026-11-21T01:12:27.123`, in UTC, without its `Z`. */
  putIso(out: Uint8Array, at: number): number {
    const now = this.#wallClock();
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#iso = plainBytes(new Date(second * 1000).toISOString().slice(0, 20));
    }
    const to = putPlain(out, at, this.#iso);
    const ms = now - second * 1000;
    out[to] = 0x30 + ((ms / 100) | 0);
    out[to + 1] = 0x30 + (((ms / 10) | 0) % 10);
    out[to + 2] = 0x30 + ((ms | 0) % 10);
    return to + 3;
  }

  /** `21/Nov/2026:01:12:27 +0000`, as in the common log format. */
  putCommon(out: Uint8Array, at: number): number {
    const second = Math.floor(this.#wallClock() / 1000);
    if (second !== this.#commonSecond) {
      this.#commonSecond = second;
      const iso = new Date(second * 1000).toISOString();
      const month = MONTHS[Number(iso.slice(5, 7)) - 1]!;
      const day = `${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}`;
      this.#common = plainBytes(`${day}:${iso.slice(11, 19)} +0000`);
    }
    return putPlain(out, at, this.#common);
  }
}
