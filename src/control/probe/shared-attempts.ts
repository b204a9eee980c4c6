import type { Probe } from '../../model/snapshot.ts';
import { type AttemptOptions, type ProbeResult, startAttempt } from './attempt.ts';

/** A result and when it came, in ms of the caller's clock. */
export interface TimedResult extends ProbeResult {
  readonly atMs: number;
}

/** A result of another pool's probe is good for this share of the interval. */
const freshShare = 0.5;

interface Entry {
  readonly waiting: Set<(result: TimedResult) => void>;
  cancel: (() => void) | null;
  last: TimedResult | null;
  users: number;
}

/**
 * Runs attempts, one for all pools that ask the same of the same server: who asks while one runs gets
 * its result, who asks shortly after gets the last one. So ten pools over one server probe it as often
 * as one does.
 */
export class SharedAttempts {
  readonly #entries = new Map<string, Entry>();
  /** Who took a result. */
  readonly #takers = new WeakMap<TimedResult, Set<(result: TimedResult) => void>>();

  /** Names a user of a question; the last one that leaves takes what is known with it. */
  join(key: string): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) entry.users++;
    else this.#entries.set(key, { waiting: new Set(), cancel: null, last: null, users: 1 });
  }

  /** The user is gone. */
  leave(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined || --entry.users > 0) return;
    entry.cancel?.();
    this.#entries.delete(key);
  }

  /** Asks; gives the function that waits no longer. `onResult` may be called before this returns. */
  ask(
    key: string,
    options: Omit<AttemptOptions, 'onResult'>,
    onResult: (result: TimedResult) => void,
  ): () => void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return () => {};
    const { clock, probe } = options;
    const { last } = entry;
    const isShared = entry.users > 1;
    if (isShared && last !== null && clock.nowMs() - last.atMs < probe.intervalMs * freshShare) {
      // Once for each of the others: a server that is looked at faster is asked anew.
      if (!this.#isTaken(last, onResult)) {
        onResult(last);
        return () => {};
      }
    }
    entry.waiting.add(onResult);
    if (entry.cancel === null) this.#start(entry, options);
    return () => {
      entry.waiting.delete(onResult);
      if (entry.waiting.size > 0) return;
      entry.cancel?.();
      entry.cancel = null;
    };
  }

  /** Notes that a result was taken; was it before? */
  #isTaken(result: TimedResult, taker: (result: TimedResult) => void): boolean {
    const takers = this.#takers.get(result) ?? new Set();
    this.#takers.set(result, takers);
    const had = takers.has(taker);
    takers.add(taker);
    return had;
  }

  #start(entry: Entry, options: Omit<AttemptOptions, 'onResult'>): void {
    entry.cancel = startAttempt({
      ...options,
      onResult: (result) => {
        entry.cancel = null;
        const timed = { ...result, atMs: options.clock.nowMs() };
        entry.last = timed;
        const waiting = [...entry.waiting];
        entry.waiting.clear();
        for (const taker of waiting) {
          this.#isTaken(timed, taker);
          taker(timed);
        }
      },
    });
  }
}

/** What makes two probes the same question. Programs are told their pool, so theirs differ. */
export function questionOf(
  probe: Probe,
  server: { readonly pool: string; readonly address: string; readonly target: unknown },
): string {
  const {
    intervalMs,
    fastIntervalMs,
    downIntervalMs,
    rise,
    fall,
    jitterRatio,
    startState,
    ...asked
  } = probe;
  const pool = probe.type === 'exec' ? server.pool : '';
  return JSON.stringify([asked, server.address, server.target, pool]);
}
