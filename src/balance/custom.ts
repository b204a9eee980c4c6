import { suspect } from '../base/invariant.ts';
import { p2c } from './p2c.ts';
import type { Candidate, Picker, PickerMeans, PickRequest, Policy, PolicyNeed } from './policy.ts';
import { ALL_BUSY, NONE } from './policy.ts';
import { isTried } from './usable.ts';

/** What a policy of one's own is told of the pool besides its candidates. */
export interface CustomMeans {
  /** Exchanges and tunnels in flight of a slot now, over all workers. */
  readonly load: (slot: number) => number;
  /** Of these, those that wait for an answer to begin; counted for servers with `maxPending` only. */
  readonly pending: (slot: number) => number;
  /** What the server took to answer lately in µs (peak EWMA, all workers); 0 for one that never did. */
  readonly latencyUs: (slot: number) => number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

/** The choice among fixed candidates, called for every request: it should allocate nothing. */
export interface CustomPicker {
  /**
   * The slot of a candidate that was not tried and is below its limit; -1 when none is left that
   * was not tried; -2 when those that were not tried are at their limits.
   */
  pick(request: Readonly<PickRequest>): number;
}

/**
 * A policy of one's own: the default export of the module that `policy: { module: … }` names. Each
 * worker imports the module by itself, and `build` is called whenever the healthy servers or their
 * weights change. What throws, or picks what it must not, is replaced by `p2c` for that request and
 * reported.
 *
 * @example
 * import type { CustomPolicy } from 'evenkeel';
 * const policy: CustomPolicy = {
 *   says: 'the server with the least in flight',
 *   build: (candidates, means) => ({
 *     pick(request) {
 *       let best = -1;
 *       for (const { slot } of candidates) {
 *         const isTried = request.tried.subarray(0, request.triedCount).includes(slot);
 *         if (!isTried && (best < 0 || means.load(slot) < means.load(best))) best = slot;
 *       }
 *       return best;
 *     },
 *   }),
 * };
 * export default policy;
 */
export interface CustomPolicy {
  /** One sentence for people. */
  readonly says?: string;
  /** `key`: the pool's `key` is read of each request into `keyHash`. Default: `nothing`. */
  readonly needs?: PolicyNeed;
  build(candidates: readonly Candidate[], means: CustomMeans): CustomPicker;
}

/** Modules by path and mark, as the snapshot names them. */
export type CustomPolicies = ReadonlyMap<string, CustomPolicy>;

/** A policy of one's own as the others are; `isGuarded`: its faults are caught. */
export function customPolicy(custom: CustomPolicy, isGuarded = true): Policy {
  return {
    name: 'custom',
    needs: custom.needs ?? 'nothing',
    says: custom.says ?? 'a policy of your own',
    build: (candidates, means, members) => {
      const fallback = isGuarded ? p2c.build(candidates, means, members) : null;
      return new CustomPolicyPicker(custom, candidates, means, fallback);
    },
  };
}

class CustomPolicyPicker implements Picker {
  readonly observedLoad = -1;
  readonly #picker: CustomPicker | null;
  readonly #slots: ReadonlySet<number>;
  readonly #fallback: Picker | null;
  /** Once per picker: a fault at each request would fill the log. */
  #isReported = false;

  constructor(
    custom: CustomPolicy,
    candidates: readonly Candidate[],
    means: PickerMeans,
    fallback: Picker | null,
  ) {
    this.#slots = new Set(candidates.map(({ slot }) => slot));
    this.#fallback = fallback;
    this.#picker = this.#build(custom, candidates, {
      load: (slot) => means.load.of(slot),
      pending: (slot) => means.load.pendingOf(slot),
      latencyUs: (slot) => means.latency.estimateUs(slot, means.latency.now()),
      random: means.random,
    });
  }

  pick(request: PickRequest): number {
    const fallback = this.#fallback;
    if (fallback === null) return this.#picker!.pick(request);
    if (this.#picker === null) return fallback.pick(request);
    // Rule zero: a try on the path of a request, because this code is not ours; it costs nothing
    // while nothing is thrown.
    try {
      const slot = this.#picker.pick(request);
      if (slot === NONE || slot === ALL_BUSY) return slot;
      if (this.#slots.has(slot) && !isTried(request, slot)) return slot;
      this.#report(`picked slot ${slot}, which it may not`);
    } catch (error) {
      this.#report(`threw in pick: ${String(error)}`);
    }
    return fallback.pick(request);
  }

  #report(what: string): void {
    suspect(this.#isReported, `a policy of your own ${what}; p2c stands in`);
    this.#isReported = true;
  }

  #build(
    custom: CustomPolicy,
    candidates: readonly Candidate[],
    means: CustomMeans,
  ): CustomPicker | null {
    if (this.#fallback === null) return custom.build(candidates, means);
    try {
      return custom.build(candidates, means);
    } catch (error) {
      this.#report(`threw in build: ${String(error)}`);
      return null;
    }
  }
}
