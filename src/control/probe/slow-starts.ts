import { setWeightFactor, WeightSource } from '../../balance/weight-factor.ts';
import { SlowStartRamps } from '../../health/slow-start.ts';
import type { SharedWords } from '../../model/shared-memory.ts';
import type { Pool, Snapshot } from '../../model/snapshot.ts';
import type { Clock, RunningTimer } from '../../platform/clock.ts';

/** Ramps move on so often: thirty steps of a usual window, each a rebuild of the pool's pickers. */
const STEP_MS = 1_000;
/** The shortest step, for short windows. */
const STEP_MS_MIN = 100;
/** Steps in a window. */
const STEPS = 30;
/** Servers of a pool that was not there before are no newcomers when they are fit within so long. */
const FIRST_MS = 10_000;

interface RampedPool {
  readonly ramps: SlowStartRamps;
  /** Servers that came with the pool, and until when their first fitness is nothing new. */
  readonly first: Set<number>;
  readonly firstUntilMs: number;
  stepMs: number;
}

/**
 * Writes the ramps of new and recovered servers into shared memory. Told of each verdict before it
 * is in force, so that not even the first pick sees a newcomer whole.
 */
export class SlowStarts {
  readonly #words: SharedWords;
  readonly #clock: Clock;
  readonly #pools = new Map<string, RampedPool>();
  /** Pool of each slot in the present snapshot, ramped or not. */
  #poolOf = new Map<number, string>();
  #step: RunningTimer | null = null;

  constructor(words: SharedWords, clock: Clock) {
    this.#words = words;
    this.#clock = clock;
  }

  /** Takes over a snapshot; before the verdicts of its new servers are set. */
  apply(snapshot: Snapshot): void {
    const before = this.#poolOf;
    const known = new Set(before.values());
    this.#poolOf = new Map();
    for (const pool of snapshot.pools) {
      for (const { slot } of pool.servers) this.#poolOf.set(slot, pool.name);
    }
    const names = new Set(snapshot.pools.map(({ name }) => name));
    for (const name of this.#pools.keys()) if (!names.has(name)) this.#pools.delete(name);
    for (const [slot, name] of before) {
      if (this.#poolOf.get(slot) !== name) this.#pools.get(name)?.ramps.unfit(slot);
    }
    for (const pool of snapshot.pools) this.#applyPool(pool, before, known.has(pool.name));
    this.#write();
  }

  /** A verdict word is about to change; -1 = it had no owner. */
  onVerdict(slot: number, before: number, after: number): void {
    const pool = this.#pools.get(this.#poolOf.get(slot) ?? '');
    if (pool === undefined || (before === 0) === (after === 0)) return;
    if (after !== 0) {
      pool.ramps.unfit(slot);
      return;
    }
    const nowMs = this.#clock.nowMs();
    const isKnown = pool.first.delete(slot) && nowMs < pool.firstUntilMs;
    pool.ramps.fit(slot, nowMs, isKnown);
    this.#write();
  }

  /** Where a server's slow start is, in ms of the clock; null outside of one. */
  rampOf(slot: number): ReturnType<SlowStartRamps['rampOf']> {
    const pool = this.#pools.get(this.#poolOf.get(slot) ?? '');
    return pool?.ramps.rampOf(slot, this.#clock.nowMs()) ?? null;
  }

  stop(): void {
    this.#step?.stop();
    this.#step = null;
  }

  #applyPool(pool: Pool, before: ReadonlyMap<number, string>, isKnown: boolean): void {
    const { slowStart } = pool.balancing;
    const ramped = this.#pools.get(pool.name);
    if (slowStart === null) {
      if (!this.#pools.delete(pool.name)) return;
      for (const { slot } of pool.servers) this.#set(slot, 1);
      return;
    }
    const stepMs = Math.min(STEP_MS, Math.max(STEP_MS_MIN, slowStart.windowMs / STEPS));
    if (ramped !== undefined) {
      ramped.ramps.apply(slowStart);
      ramped.stepMs = stepMs;
      return;
    }
    const nowMs = this.#clock.nowMs();
    const first = new Set(isKnown ? [] : pool.servers.map(({ slot }) => slot));
    const ramps = new SlowStartRamps(slowStart);
    this.#pools.set(pool.name, { ramps, first, firstUntilMs: nowMs + FIRST_MS, stepMs });
    for (const { slot } of pool.servers) {
      const isFit = before.get(slot) === pool.name && Atomics.load(this.#words.verdict, slot) === 0;
      if (isFit) ramps.fit(slot, nowMs, true);
    }
  }

  /** Writes all factors as they are now, and comes again while there are ramps. */
  #write(): void {
    this.stop();
    const nowMs = this.#clock.nowMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { ramps, stepMs } of this.#pools.values()) {
      const isRamping = ramps.each(nowMs, (slot, factor) => this.#set(slot, factor));
      if (isRamping) nextMs = Math.min(nextMs, stepMs);
    }
    if (nextMs < Number.POSITIVE_INFINITY) {
      this.#step = this.#clock.after(nextMs, () => this.#write());
    }
  }

  #set(slot: number, factor: number): void {
    const isNew = setWeightFactor(this.#words, WeightSource.SLOW_START, slot, factor);
    if (isNew) Atomics.add(this.#words.epoch, 0, 1);
  }
}
