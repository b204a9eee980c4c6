import type { PolicyName } from '../model/snapshot.ts';
import type { LatencyBook } from './latency-book.ts';
import type { MaglevShelf } from './maglev-shelf.ts';

/** What a policy must be given at each pick. */
export type PolicyNeed = 'nothing' | 'address' | 'key';

/** No server can take it. */
export const NONE = -1;
/** Servers exist and are eligible, but every one is at its limit. */
export const ALL_BUSY = -2;

/** A server as policies see it. */
export interface Candidate {
  readonly slot: number;
  /** What it gets now: ≥ 1 (servers of weight 0 never become candidates). */
  readonly weight: number;
  /** The weight that was configured. */
  readonly nominalWeight: number;
  /** Part of the nominal weight that it gets now, 0 < factor ≤ 1: `weight` has it in it already. */
  readonly factor: number;
  /** 0 = no limit. */
  readonly connectionsMax: number;
  /** Exchanges that may wait for its answer to begin; 0 = no limit. */
  readonly pendingMax: number;
  /** Identity for hashes: the same on every machine that has the same server. */
  readonly key: string;
  /** As configured or discovered. */
  readonly labels: Readonly<Record<string, string>>;
}

/** How loaded a slot is: smaller is freer. Knows nothing of choosing. */
export interface Load {
  /** In flight (and queued) of the slot now, over all workers. */
  of(slot: number): number;
  /** Of these, those that wait for an answer to begin; counted for servers with such a limit only. */
  pendingOf(slot: number): number;
}

/** What every pick is given. One object per worker, refilled per pick, never kept. */
export interface PickRequest {
  /** 32-bit hash of the client's address; 0 when the policy does not need it. */
  addressHash: number;
  /** 32-bit hash of the pool's key; 0 when the policy does not need it. */
  keyHash: number;
  /** Slots that this exchange has tried already. */
  tried: Int32Array;
  triedCount: number;
}

/**
 * The fast side: a momentary choice over a fixed eligible set. `pick` allocates nothing and returns
 * a slot, `NONE` or `ALL_BUSY`. It does not reserve.
 */
export interface Picker {
  pick(request: PickRequest): number;
  /**
   * Load of the slot just picked, as the pick saw it, when the choice holds only for that very load
   * (the reservation then expects it and picks anew otherwise); -1 when it does not.
   */
  readonly observedLoad: number;
}

/** What pickers may use, given once when they are built. */
export interface PickerMeans {
  readonly load: Load;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** The pool's cursor in shared memory: `Atomics.add(cursor, cursorIndex, 1)`. */
  readonly cursor: Int32Array;
  readonly cursorIndex: number;
  readonly latency: LatencyBook;
  /** Keeps the table of `hash` beyond one picker. */
  readonly shelf: MaglevShelf;
}

/** The slow side: builds a picker whenever the eligible set changes. */
export interface Policy {
  readonly name: PolicyName;
  readonly needs: PolicyNeed;
  /** One sentence for people (`status`, docs). */
  readonly says: string;
  /**
   * `members`: where the policy needs a key, all servers that could be candidates, those that take no
   * traffic now included, in their nominal weights; else none.
   */
  build(
    candidates: readonly Candidate[],
    means: PickerMeans,
    members: readonly Candidate[],
  ): Picker;
}
