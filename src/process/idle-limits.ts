import { forgetIdleLimit, keptMs } from '../limit/idle-limit.ts';
import type { SharedWords } from '../model/shared-memory.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Clock } from '../platform/clock.ts';
import type { ProcessLog } from './process-log.ts';

/** A limit that was learned by watching is tried anew after this: the server's setting may have been raised. */
const FORGET_MS = 15 * 60_000;

/** What a worker found out about a server. */
export interface IdleLimitNews {
  readonly slot: number;
  readonly limitMs: number;
  /** It says so itself (`Keep-Alive: timeout=`), or it was seen to close idle links. */
  readonly isSaid: boolean;
}

/**
 * Names the cause of lost keep-alive races once per server and limit: a server that closes idle links sooner than
 * they are kept by default.
 */
export class IdleLimits {
  readonly #words: SharedWords;
  readonly #clock: Clock;
  readonly #log: ProcessLog;
  readonly #snapshot: () => Snapshot | null;
  /** Limit last told of, by slot. */
  readonly #told = new Map<number, number>();

  constructor(words: SharedWords, clock: Clock, log: ProcessLog, snapshot: () => Snapshot | null) {
    this.#words = words;
    this.#clock = clock;
    this.#log = log;
    this.#snapshot = snapshot;
  }

  on({ slot, limitMs, isSaid }: IdleLimitNews): void {
    if (!isSaid) {
      this.#clock.after(FORGET_MS, () => {
        if (Atomics.load(this.#words.idleLimit, slot) === limitMs) {
          forgetIdleLimit(this.#words, slot);
        }
      });
    }
    const told = this.#told.get(slot);
    // The same limit, measured or said again.
    if (told !== undefined && Math.abs(told - limitMs) <= told / 5) return;
    const server = this.#nameOf(slot);
    if (server === null) return;
    this.#told.set(slot, limitMs);
    const says = isSaid ? 'says that it closes' : 'closes';
    this.#log.info(
      `server ${server} ${says} idle links after ${seconds(limitMs)} s; keeping them ${seconds(keptMs(limitMs))} s`,
      { slot, limitMs },
    );
  }

  #nameOf(slot: number): string | null {
    for (const pool of this.#snapshot()?.pools ?? []) {
      const server = pool.servers.find((one) => one.slot === slot);
      if (server !== undefined) return server.address;
    }
    return null;
  }
}

function seconds(ms: number): string {
  return String(Math.round(ms / 100) / 10);
}
