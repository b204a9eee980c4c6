import type { SharedWords } from '../model/shared-memory.ts';

type IdleWords = Pick<SharedWords, 'idleLimit' | 'idleSeen'>;

/** A link is given up this long before its server would close it, or at half that time where that is later. */
const MARGIN_MS = 1_000;
/** Closes sooner than this are no idle limit: a server that ends, or that wants no reuse at all. */
const LEAST_MS = 100;
/** Two closes tell the same limit when they are this near to one another. */
const ALIKE_MS = 100;
const ALIKE_SHARE = 0.2;

/** How long a link may be kept idle whose server closes it after `limitMs`. */
export function keptMs(limitMs: number): number {
  return Math.max(limitMs - MARGIN_MS, limitMs / 2);
}

/**
 * A server closed a link that had been idle for `idleMs`. Two closes in a row at about the same age, whatever worker
 * saw them, are its limit: a server that is stopped closes all its links at once, at ages of all kinds. Returns
 * the limit when it is new or lower, else 0.
 */
export function noteIdleClose(words: IdleWords, slot: number, idleMs: number): number {
  if (idleMs < LEAST_MS) return 0;
  const before = Atomics.exchange(words.idleSeen, slot, idleMs);
  if (before === 0) return 0;
  const apart = Math.abs(idleMs - before);
  if (apart > Math.max(ALIKE_MS, Math.max(idleMs, before) * ALIKE_SHARE)) return 0;
  const limit = Math.min(idleMs, before);
  const known = Atomics.load(words.idleLimit, slot);
  if (known !== 0 && known <= limit) return 0;
  Atomics.store(words.idleLimit, slot, limit);
  return limit;
}

/** The server may have changed: its limit is learned anew. */
export function forgetIdleLimit(words: IdleWords, slot: number): void {
  Atomics.store(words.idleLimit, slot, 0);
  Atomics.store(words.idleSeen, slot, 0);
}
