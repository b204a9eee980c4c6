import { takeToldLoad } from '../../balance/told-load.ts';
import { setWeightFactor, WeightSource } from '../../balance/weight-factor.ts';
import { ToldCapacities } from '../../health/told-capacity.ts';
import type { SharedWords } from '../../model/shared-memory.ts';
import type { Server, Snapshot } from '../../model/snapshot.ts';
import type { Clock, RunningTimer } from '../../platform/clock.ts';

/** What servers tell is looked at so often. Source: the update period of gRPC's weighted round robin. */
const STEP_MS = 1_000;

interface TellingPool {
  readonly capacities: ToldCapacities;
  servers: readonly Server[];
}

/** Weighs the servers of pools with `loadHeader` by what their answers told in the last second. */
export class ToldLoads {
  readonly #words: SharedWords;
  readonly #clock: Clock;
  readonly #pools = new Map<string, TellingPool>();
  #timer: RunningTimer | null = null;
  #lastMs = 0;

  constructor(words: SharedWords, clock: Clock) {
    this.#words = words;
    this.#clock = clock;
  }

  /** Takes over a snapshot. */
  apply(snapshot: Snapshot): void {
    const telling = snapshot.pools.filter(({ balancing }) => balancing.usesLoadHeader);
    const names = new Set(telling.map(({ name }) => name));
    for (const [name, { servers }] of this.#pools) {
      if (names.has(name)) continue;
      for (const { slot } of servers) this.#set(slot, 1);
      this.#pools.delete(name);
    }
    for (const { name, servers } of telling) this.#applyPool(name, servers);
    if (telling.length === 0) this.stop();
    else if (this.#timer === null) {
      this.#lastMs = this.#clock.nowMs();
      this.#timer = this.#clock.every(STEP_MS, () => this.#step());
    }
  }

  stop(): void {
    this.#timer?.stop();
    this.#timer = null;
  }

  #applyPool(name: string, servers: readonly Server[]): void {
    const known = this.#pools.get(name);
    if (known === undefined) {
      this.#pools.set(name, { capacities: new ToldCapacities(), servers });
      return;
    }
    const present = new Set(servers.map(({ slot }) => slot));
    for (const { slot } of known.servers) if (!present.has(slot)) known.capacities.forget(slot);
    known.servers = servers;
  }

  #step(): void {
    const nowMs = this.#clock.nowMs();
    const stepMs = Math.max(nowMs - this.#lastMs, 1);
    this.#lastMs = nowMs;
    for (const { capacities, servers } of this.#pools.values()) {
      for (const { slot, weight } of servers) {
        capacities.tell(slot, weight, takeToldLoad(this.#words, slot), stepMs, nowMs);
      }
      const slots = servers.map(({ slot }) => slot);
      capacities.each(slots, (slot, factor) => this.#set(slot, factor));
    }
  }

  #set(slot: number, factor: number): void {
    if (!setWeightFactor(this.#words, WeightSource.LOAD, slot, factor)) return;
    Atomics.add(this.#words.epoch, 0, 1);
  }
}
