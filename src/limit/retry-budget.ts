/** One retry is a thousand units, so that 0.2 per request is a whole number. */
const UNIT = 1000;

/**
 * Retries that a pool without traffic has. Source: design §7; Finagle's RetryBudget keeps 10 per s.
 */
const RESERVE = 10 * UNIT;

/**
 * Above any budget that makes sense, and far enough below 2³¹ for a second of deposits on top of
 * it.
 */
const BALANCE_MAX = 500_000 * UNIT;

/**
 * Share of the balance that is left after a second: a deposit lasts 10 s on average, the window of
 * the budget.
 */
const KEPT_PER_SECOND = 0.9;

/**
 * The retry budget of every pool, in one Int32 word each: the balance above the reserve, in
 * thousandths of a retry.
 *
 *     -10,000 … 0 … 200 × requests of the last 10 s      zero: untouched, the reserve is there
 *     empty
 *
 * A request pays in its share, a retry takes out 1,000, a second takes 10 % of what differs from
 * zero. At a steady rate the balance is 10 s of deposits plus the reserve: retries are at most a
 * fixed share of requests over 10 s, plus 10. A word of zero is a full reserve, so fresh memory
 * needs no start.
 */
export function deposit(words: Int32Array, poolSlot: number, ratioThousandths: number): void {
  // A store, not a loop: what another worker pays in between is lost at a level where it does not
  // matter.
  if (Atomics.add(words, poolSlot, ratioThousandths) > BALANCE_MAX) {
    Atomics.store(words, poolSlot, BALANCE_MAX);
  }
}

/**
 * The `budgetRatio` of a pool as `deposit` wants it; worked out once per snapshot. Range: 0–1 →
 * 0–1000.
 */
export function depositOf(budgetRatio: number): number {
  return Math.round(Math.min(Math.max(budgetRatio, 0), 1) * UNIT);
}

/**
 * Takes one retry out. False when the budget does not have it. Cost: one atomic subtraction; when
 * refused one addition. Two workers at the last one may both be refused, never both served.
 */
export function tryWithdraw(words: Int32Array, poolSlot: number): boolean {
  const before = Atomics.sub(words, poolSlot, UNIT);
  if (before + RESERVE >= UNIT) return true;
  Atomics.add(words, poolSlot, UNIT);
  return false;
}

/** Puts a retry back that was taken out and not made. */
export function refund(words: Int32Array, poolSlot: number): void {
  Atomics.add(words, poolSlot, UNIT);
}

/**
 * Lets a second pass over every pool's budget. Control calls it once per second. Cost: O(pools).
 */
export function ageBudgets(words: Int32Array, pools: number): void {
  for (let pool = 0; pool < pools; pool++) {
    const balance = Atomics.load(words, pool);
    if (balance === 0) continue;
    // A difference, not a store: deposits and retries of this moment are kept. Truncation ends at
    // zero from both sides.
    Atomics.sub(words, pool, balance - Math.trunc(balance * KEPT_PER_SECOND));
  }
}

/** Retries that a pool could make now, for people. */
export function retriesLeft(words: Int32Array, poolSlot: number): number {
  return Math.max(0, Math.floor((Atomics.load(words, poolSlot) + RESERVE) / UNIT));
}
