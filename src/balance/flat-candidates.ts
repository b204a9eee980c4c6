import type { Candidate, Load, PickRequest } from './policy.ts';
import { isTried } from './usable.ts';

/**
 * Candidates as arrays of numbers: with thousands of servers a pick waits for memory, and a number
 * is one line of the cache where an object is two or three (picks.bench.ts: p2c at 10,000 servers).
 */
export class FlatCandidates {
  readonly count: number;
  readonly slots: Int32Array;
  readonly weights: Float64Array;
  /** Null when no candidate has a limit. */
  readonly #limits: Int32Array | null;
  /** Null when no candidate has a limit of unanswered exchanges. */
  readonly #pendingLimits: Int32Array | null;

  constructor(candidates: readonly Candidate[]) {
    this.count = candidates.length;
    this.slots = Int32Array.from(candidates, ({ slot }) => slot);
    this.weights = Float64Array.from(candidates, ({ weight }) => weight);
    this.#limits = candidates.some(({ connectionsMax }) => connectionsMax > 0)
      ? Int32Array.from(candidates, ({ connectionsMax }) => connectionsMax)
      : null;
    this.#pendingLimits = candidates.some(({ pendingMax }) => pendingMax > 0)
      ? Int32Array.from(candidates, ({ pendingMax }) => pendingMax)
      : null;
  }

  /** May this exchange go to the candidate of this index now? */
  isUsable(at: number, request: PickRequest, load: Load): boolean {
    const slot = this.slots[at]!;
    if (request.triedCount > 0 && isTried(request, slot)) return false;
    if (this.#pendingLimits !== null) {
      const mostPending = this.#pendingLimits[at]!;
      if (mostPending > 0 && load.pendingOf(slot) >= mostPending) return false;
    }
    if (this.#limits === null) return true;
    const most = this.#limits[at]!;
    return most === 0 || load.of(slot) < most;
  }
}
