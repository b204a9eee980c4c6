import type { FailureCode } from '../model/failure.ts';
import type { SharedWords } from '../model/shared-memory.ts';
import type { Pool, Server } from '../model/snapshot.ts';
import { eligibleServers } from './fitness.ts';
import { policyOf } from './policies.ts';
import type { Candidate, Load, Picker, Policy } from './policy.ts';
import { ALL_BUSY } from './policy.ts';
import { weightFactorOf } from './weight-factor.ts';

/** The shared words that an eligible set reads and writes. */
export type EligibleWords = Pick<
  SharedWords,
  'inFlight' | 'inFlightByWorker' | 'verdict' | 'weightFactor' | 'epoch' | 'cursor'
>;

/** Who picks: the worker's index (its row of in-flight counts) and its random numbers. */
export interface PickingWorker {
  readonly worker: number;
  readonly random: () => number;
}

class SharedLoad implements Load {
  readonly #inFlight: Int32Array;

  constructor(inFlight: Int32Array) {
    this.#inFlight = inFlight;
  }

  of(slot: number): number {
    return Atomics.load(this.#inFlight, slot);
  }
}

/**
 * One worker's view of who takes a pool's traffic now. Made per pool whenever a snapshot is
 * compiled; its picker is made anew, at the next pick, after any verdict of any pool has changed.
 *
 * Cost: one atomic read per pick while nothing changes; else O(servers) once.
 */
export class EligibleSet {
  readonly pool: Pool;
  readonly policy: Policy;
  readonly words: EligibleWords;
  readonly worker: number;
  /** Why `choose` last gave no slot. */
  reason: FailureCode = 'no-server-available';
  readonly #random: () => number;
  readonly #load: Load;
  #epoch = 0;
  #picker: Picker;
  #candidates: readonly Candidate[] = [];
  #isPanic = false;
  #isBackup = false;
  /** `connectionsMax` by slot; empty when no candidate has a limit. */
  #limitBySlot: Int32Array = new Int32Array(0);

  constructor(pool: Pool, words: EligibleWords, by: PickingWorker) {
    this.pool = pool;
    this.policy = policyOf(pool.policy);
    this.words = words;
    this.worker = by.worker;
    this.#random = by.random;
    this.#load = new SharedLoad(words.inFlight);
    this.#picker = this.#rebuild();
  }

  /** The picker over the servers that are eligible now. */
  picker(): Picker {
    if (Atomics.load(this.words.epoch, 0) !== this.#epoch) this.#picker = this.#rebuild();
    return this.#picker;
  }

  /**
   * The servers that are eligible now, in written order; in panic those that are well come first.
   */
  get candidates(): readonly Candidate[] {
    this.picker();
    return this.#candidates;
  }

  /** Softly ejected servers take part because too few others are left. */
  get isPanic(): boolean {
    this.picker();
    return this.#isPanic;
  }

  /** Backup servers stand in. */
  get isBackup(): boolean {
    this.picker();
    return this.#isBackup;
  }

  /** The limit of a candidate; 0 = none. */
  connectionsMaxOf(slot: number): number {
    return slot < this.#limitBySlot.length ? this.#limitBySlot[slot]! : 0;
  }

  /** The reason word for a pick that gave `NONE` or `ALL_BUSY`. */
  reasonFor(outcome: number): FailureCode {
    if (this.pool.servers.length === 0) return 'no-servers';
    return outcome === ALL_BUSY ? 'server-limit-reached' : 'no-server-available';
  }

  #rebuild(): Picker {
    // Before the verdicts: a change after this read moves the epoch on and rebuilds once more.
    this.#epoch = Atomics.load(this.words.epoch, 0);
    const { servers, isPanic, isBackup } = eligibleServers(this.pool.servers, (slot) =>
      Atomics.load(this.words.verdict, slot),
    );
    this.#isPanic = isPanic;
    this.#isBackup = isBackup;
    this.#candidates = candidatesOf(servers, this.words);
    this.#limitBySlot = limitsBySlot(this.#candidates);
    return this.policy.build(this.#candidates, {
      load: this.#load,
      random: this.#random,
      cursor: this.words.cursor,
      cursorIndex: this.pool.slot,
    });
  }
}

/** Weights are whole for the policies: a factor is kept to this part of the smallest weight. */
const FACTOR_STEPS = 100;

/** Servers with the weights that they have now; one that is told to get nothing is left out. */
function candidatesOf(servers: readonly Server[], words: EligibleWords): readonly Candidate[] {
  const factors = servers.map(({ slot }) => weightFactorOf(words, slot));
  const isWhole = factors.every((factor) => factor === 1 || factor === 0);
  const candidates: Candidate[] = [];
  for (const [at, { slot, weight, connectionsMax, address }] of servers.entries()) {
    const factor = factors[at]!;
    if (factor === 0) continue;
    const scaled = isWhole ? weight : Math.max(1, Math.round(weight * factor * FACTOR_STEPS));
    candidates.push({ slot, weight: scaled, connectionsMax, key: address });
  }
  return candidates;
}

function limitsBySlot(candidates: readonly Candidate[]): Int32Array {
  const limited = candidates.filter((candidate) => candidate.connectionsMax > 0);
  const length = limited.reduce((most, { slot }) => Math.max(most, slot + 1), 0);
  const limitBySlot = new Int32Array(length);
  for (const { slot, connectionsMax } of limited) limitBySlot[slot] = connectionsMax;
  return limitBySlot;
}
