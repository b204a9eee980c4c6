/** What a server told within one step. */
export interface LoadStep {
  readonly reports: number;
  /** 0 … ; 1 = it can take no more. */
  readonly load: number;
}

interface Member {
  /** Smoothed answers per second at a load of 1, per unit of weight; 0 = not known. */
  capacity: number;
  /** When its first report of the present series came, and its last one. */
  sinceMs: number;
  lastMs: number;
}

/** What is told in the first seconds of a server is start-up, not load. Source: Envoy's and gRPC's blackout. */
const BLACKOUT_MS = 10_000;
/** After so long without a report a server counts like the mean again. Source: the same. */
const EXPIRY_MS = 180_000;
/** A new value's part in the smoothed one: three steps until most of a change is in. */
const GAIN = 0.3;
/** A load below this is told as this: dividing by next to nothing would make capacities without end. */
const LOAD_MIN = 0.01;
/** No server is held below this part of the best one. */
const FACTOR_MIN = 0.05;
/** Factors that differ by less say nothing new. */
const NOISE = 0.05;

/**
 * Turns what servers tell of their load into parts of their weights: a server that answers q
 * requests per second at a load of u has a capacity of q / u, and gets its share in proportion. The
 * capacity does not depend on how much it gets at the moment, so the weights come to rest.
 *
 *   capacity = q / max(u, 1 %) / weight, smoothed by 0.3 per step;   factor = capacity / the greatest
 *
 * Who tells nothing counts as the mean. Source: the client-side weighted round robin of gRPC (gRFC
 * A58) and Envoy, without the penalty for errors, which outlier detection sees to.
 */
export class ToldCapacities {
  readonly #members = new Map<number, Member>();
  readonly #factors = new Map<number, number>();

  /** One step for one server. */
  tell(
    slot: number,
    weight: number,
    { reports, load }: LoadStep,
    stepMs: number,
    nowMs: number,
  ): void {
    const known = this.#members.get(slot);
    if (reports === 0) {
      if (known !== undefined && nowMs - known.lastMs > EXPIRY_MS) this.#members.delete(slot);
      return;
    }
    const member = known ?? { capacity: 0, sinceMs: nowMs, lastMs: nowMs };
    member.lastMs = nowMs;
    this.#members.set(slot, member);
    if (nowMs - member.sinceMs < BLACKOUT_MS) return;
    const capacity = (reports * 1000) / stepMs / Math.max(load, LOAD_MIN) / Math.max(weight, 1);
    member.capacity =
      member.capacity === 0 ? capacity : member.capacity + (capacity - member.capacity) * GAIN;
  }

  forget(slot: number): void {
    this.#members.delete(slot);
    this.#factors.delete(slot);
  }

  /** The factor of each of these servers, 0.05 … 1; those that hardly changed keep theirs. */
  each(slots: readonly number[], onFactor: (slot: number, factor: number) => void): void {
    const capacities = slots.map((slot) => this.#members.get(slot)?.capacity ?? 0);
    const told = capacities.filter((capacity) => capacity > 0);
    const mean = told.reduce((sum, capacity) => sum + capacity, 0) / (told.length || 1);
    const most = Math.max(...told, 0);
    for (const [at, slot] of slots.entries()) {
      const capacity = capacities[at]! > 0 ? capacities[at]! : mean;
      const wanted = most === 0 ? 1 : Math.max(FACTOR_MIN, capacity / most);
      const present = this.#factors.get(slot) ?? 1;
      if (wanted !== 1 && Math.abs(wanted - present) < NOISE * present) continue;
      this.#factors.set(slot, wanted);
      onFactor(slot, wanted);
    }
  }
}
