import type { PolicyModule } from '../model/balancing.ts';
import type { FailureCode } from '../model/failure.ts';
import type { SharedWords } from '../model/shared-memory.ts';
import type { Pool, Server } from '../model/snapshot.ts';
import type { CustomPolicies, CustomPolicy } from './custom.ts';
import { GroupedPicker } from './grouped-picker.ts';
import { eligibleGroups } from './groups.ts';
import type { LatencyBook } from './latency-book.ts';
import { MaglevShelf } from './maglev-shelf.ts';
import { policyOf } from './policies.ts';
import type { Candidate, Load, Picker, PickRequest, Policy } from './policy.ts';
import { ALL_BUSY } from './policy.ts';
import { isFull, isTried } from './usable.ts';
import { weightFactorOf } from './weight-factor.ts';

/** The shared words that an eligible set reads and writes. */
export type EligibleWords = Pick<
  SharedWords,
  | 'inFlight'
  | 'inFlightByWorker'
  | 'pending'
  | 'pendingByWorker'
  | 'verdict'
  | 'weightFactor'
  | 'epoch'
  | 'cursor'
>;

/** Who picks: the worker's index (its row of in-flight counts), its random numbers and its clock. */
export interface PickingWorker {
  readonly worker: number;
  readonly random: () => number;
  readonly latency: LatencyBook;
  /** Tables of `hash` by pool and group; they outlive a snapshot. */
  readonly shelves: Map<string, MaglevShelf>;
  /** Policies of one's own by `moduleKey`. */
  readonly custom?: CustomPolicies;
}

/** Groups of a pool at most: ten tiers, each in and out of the zone. */
const CURSORS = 20;
/** Tables kept by a worker at most, far more than pools; above, they are made anew when next used. */
const SHELVES_MAX = 2_048;

class SharedLoad implements Load {
  readonly #inFlight: Int32Array;
  readonly #pending: Int32Array;

  constructor({ inFlight, pending }: EligibleWords) {
    this.#inFlight = inFlight;
    this.#pending = pending;
  }

  of(slot: number): number {
    // A plain read: it cannot tear, and a load that is a moment old picks as well.
    return this.#inFlight[slot]!;
  }

  pendingOf(slot: number): number {
    return Atomics.load(this.#pending, slot);
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
  readonly #by: PickingWorker;
  readonly #load: Load;
  /** Of the whole pool, or what takes its place where there are several groups or a subset. */
  readonly #cursors = new Int32Array(CURSORS);
  readonly #subset: string;
  #epoch = 0;
  /** Null before the first pick. */
  #picker: Picker | null = null;
  #groups: readonly CandidateGroup[] = [];
  /** Verdict and factor of each server as the last rebuild saw them. */
  readonly #seen: Float64Array;
  #isPanic = false;
  #isBackup = false;
  /** Some server of the pool is a backup, whether it takes part or not. */
  readonly #hasBackup: boolean;
  /** `connectionsMax` by slot; empty when no candidate has a limit. */
  #limitBySlot: Int32Array = new Int32Array(0);
  /** `pendingMax` by slot, of all servers, since sessions reach those that are no candidates; empty when none has one. */
  readonly #pendingMaxBySlot: Int32Array;

  /** `subset`: the name of what `pool` is a part of; empty for a whole pool. */
  constructor(pool: Pool, words: EligibleWords, by: PickingWorker, subset = '') {
    this.pool = pool;
    this.policy = policyOf(pool.policy, customOf(pool, by));
    this.words = words;
    this.worker = by.worker;
    this.#by = by;
    this.#subset = subset;
    this.#load = new SharedLoad(words);
    this.#seen = new Float64Array(2 * pool.servers.length);
    this.#pendingMaxBySlot = limitsBySlot(pool.servers, ({ pendingMax = 0 }) => pendingMax);
    this.#hasBackup = pool.servers.some(({ isBackup }) => isBackup);
    // Built by the first pick: most pools of a big configuration wait long for theirs.
    this.#epoch = (Atomics.load(words.epoch, 0) - 1) | 0;
  }

  /** Makes ready in short steps what the first pick would take long for: the tables of `hash`. */
  *prepare(): Generator<void, void> {
    if (this.policy.name !== 'hash') return;
    const verdictOf = (slot: number): number => Atomics.load(this.words.verdict, slot);
    const { groups } = eligibleGroups(this.pool.servers, verdictOf, this.pool.balancing);
    for (const { name, members } of groups) {
      yield* this.#shelfOf(name).prepare(candidatesOf(members, null));
    }
  }

  /** The picker over the servers that are eligible now. */
  picker(): Picker {
    // A plain read: the next pick sees what this one may miss.
    if (this.words.epoch[0] !== this.#epoch) this.#picker = this.#rebuild(this.#picker);
    return this.#picker!;
  }

  /**
   * The servers that are eligible now, in written order; in panic those that are well come first.
   */
  get candidates(): readonly Candidate[] {
    this.picker();
    return this.#groups.flatMap(({ candidates }) => candidates);
  }

  /** The same by the groups that they are in, those that are asked first in front. */
  get groups(): readonly CandidateGroup[] {
    this.picker();
    return this.#groups;
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

  /**
   * Is there a server that the request has not tried? One that is full counts only if that is wanted.
   * A question: no turn is used up, nothing is reserved. Cost: O(tried) where servers have places.
   */
  hasOther(request: PickRequest, countsFull: boolean): boolean {
    this.picker();
    for (let at = 0; at < this.#groups.length; at++) {
      const { candidates } = this.#groups[at]!;
      for (let index = 0; index < candidates.length; index++) {
        const candidate = candidates[index]!;
        if (isTried(request, candidate.slot)) continue;
        if (countsFull || !isFull(candidate, this.#load)) return true;
      }
    }
    return this.spareFor(request) !== null;
  }

  /**
   * The least loaded backup for its weight, for a request that has tried all that are eligible and found them sick
   * before their verdicts say so; null where there is none. Cost: O(servers), and only then.
   */
  spareFor(request: PickRequest): Server | null {
    this.picker();
    if (this.#isBackup || !this.#hasBackup || request.triedCount === 0) return null;
    let best: Server | null = null;
    let bestLoad = 0;
    for (const server of this.pool.servers) {
      const { isBackup, slot, target, weight, connectionsMax } = server;
      if (!isBackup || weight === 0 || target === null || isTried(request, slot)) continue;
      if (Atomics.load(this.words.verdict, slot) !== 0) continue;
      const inFlight = this.#load.of(slot);
      const pendingMax = this.pendingMaxOf(slot);
      if (connectionsMax > 0 && inFlight >= connectionsMax) continue;
      if (pendingMax > 0 && this.#load.pendingOf(slot) >= pendingMax) continue;
      const load = (inFlight + 1) / weight;
      if (best !== null && load >= bestLoad) continue;
      best = server;
      bestLoad = load;
    }
    return best;
  }

  /** The limit of a candidate; 0 = none. */
  connectionsMaxOf(slot: number): number {
    return slot < this.#limitBySlot.length ? this.#limitBySlot[slot]! : 0;
  }

  /** How many exchanges may wait for an answer of this server; 0 = no limit. */
  pendingMaxOf(slot: number): number {
    return slot < this.#pendingMaxBySlot.length ? this.#pendingMaxBySlot[slot]! : 0;
  }

  /** The reason word for a pick that gave `NONE` or `ALL_BUSY`. */
  reasonFor(outcome: number): FailureCode {
    if (this.pool.servers.length === 0) return 'no-servers';
    if (outcome !== ALL_BUSY) return 'no-server-available';
    return this.#isAnyPending() ? 'pending-limit-reached' : 'server-limit-reached';
  }

  /** Some server takes nothing more because of what it has not answered yet. Cost: O(servers) where such limits are. */
  #isAnyPending(): boolean {
    const most = this.#pendingMaxBySlot;
    for (let slot = 0; slot < most.length; slot++) {
      if (most[slot]! > 0 && this.#load.pendingOf(slot) >= most[slot]!) return true;
    }
    return false;
  }

  /** `present` stays when nothing changed for this pool: its history and its tables are worth keeping. */
  #rebuild(present: Picker | null): Picker {
    // Before the verdicts: a change after this read moves the epoch on and rebuilds once more.
    this.#epoch = Atomics.load(this.words.epoch, 0);
    const hasChanged = this.#look();
    if (present !== null && !hasChanged) return present;
    const { groups, isPanic, isBackup } = eligibleGroups(
      this.pool.servers,
      (slot) => Atomics.load(this.words.verdict, slot),
      this.pool.balancing,
    );
    this.#isPanic = isPanic;
    this.#isBackup = isBackup;
    const before = this.#groups;
    // Only tables are made of all members; for others ten thousand more objects would be for nothing.
    const hasTable = this.policy.needs === 'key';
    this.#groups = groups.map((group) => ({
      name: group.name,
      share: group.share,
      candidates: candidatesOf(group.servers, this.words),
      members: hasTable ? candidatesOf(group.members, null) : [],
    }));
    if (present !== null && isSame(before, this.#groups)) return present;
    this.#limitBySlot = limitsBySlot(
      this.#groups.flatMap(({ candidates }) => candidates),
      ({ connectionsMax }) => connectionsMax,
    );
    const pickers = this.#groups.map((group, at) => this.#pickerOf(group, at));
    if (pickers.length === 1) return pickers[0]!;
    const parts = pickers.map((picker, at) => ({ picker, share: this.#groups[at]!.share }));
    return new GroupedPicker(parts, this.policy.needs, this.#by.random);
  }

  /** Takes over what is said of each server; true when anything is new. */
  #look(): boolean {
    const { servers } = this.pool;
    const seen = this.#seen;
    let isNew = false;
    for (let at = 0; at < servers.length; at++) {
      const { slot } = servers[at]!;
      const verdict = Atomics.load(this.words.verdict, slot);
      const factor = weightFactorOf(this.words, slot);
      if (seen[2 * at] === verdict && seen[2 * at + 1] === factor) continue;
      seen[2 * at] = verdict;
      seen[2 * at + 1] = factor;
      isNew = true;
    }
    return isNew;
  }

  #pickerOf(group: CandidateGroup, at: number): Picker {
    const isWhole = this.#groups.length === 1 && this.#subset === '';
    const { random, latency } = this.#by;
    return this.policy.build(
      group.candidates,
      {
        load: this.#load,
        random,
        latency,
        // Turns taken by others would skew a sequence that they do not share.
        cursor: isWhole ? this.words.cursor : this.#cursors,
        cursorIndex: isWhole ? this.pool.slot : at % CURSORS,
        shelf: this.#shelfOf(group.name),
      },
      group.members,
    );
  }

  #shelfOf(group: string): MaglevShelf {
    const name = [this.pool.name, this.#subset, group].join('\0');
    let shelf = this.#by.shelves.get(name);
    if (shelf === undefined) {
      if (this.#by.shelves.size >= SHELVES_MAX) this.#by.shelves.clear();
      shelf = new MaglevShelf();
      this.#by.shelves.set(name, shelf);
    }
    return shelf;
  }
}

/** What a policy's module is known by in a worker. */
export function moduleKey({ path, mark }: PolicyModule): string {
  return `${path}?${mark}`;
}

function customOf({ balancing }: Pool, by: PickingWorker): CustomPolicy | null {
  const { module } = balancing;
  return module === null ? null : (by.custom?.get(moduleKey(module)) ?? null);
}

/** Servers that take traffic now and are picked among together. */
export interface CandidateGroup {
  /** `0-near`: the tier, and whether it is the own zone; `all` where there is neither. */
  readonly name: string;
  /** 0 … 1 of the pool's traffic; 0 stands in only. */
  readonly share: number;
  readonly candidates: readonly Candidate[];
  readonly members: readonly Candidate[];
}

function isSame(before: readonly CandidateGroup[], now: readonly CandidateGroup[]): boolean {
  return (
    before.length === now.length &&
    now.every(
      ({ share, candidates, members }, at) =>
        share === before[at]!.share &&
        areSame(candidates, before[at]!.candidates) &&
        areSame(members, before[at]!.members),
    )
  );
}

function areSame(some: readonly Candidate[], others: readonly Candidate[]): boolean {
  if (some.length !== others.length) return false;
  for (let at = 0; at < some.length; at++) {
    const one = some[at]!;
    const other = others[at]!;
    if (one.slot !== other.slot || one.weight !== other.weight) return false;
  }
  return true;
}

/** Weights are whole for the policies: a factor is kept to this part of the smallest weight. */
const FACTOR_STEPS = 100;

/**
 * Servers with the weights that they have now; one that is told to get nothing is left out. Without
 * words: with the weights that they have by configuration.
 */
function candidatesOf(
  servers: readonly Server[],
  words: EligibleWords | null,
): readonly Candidate[] {
  const factors = servers.map(({ slot }) => (words === null ? 1 : weightFactorOf(words, slot)));
  const isWhole = factors.every((factor) => factor === 1 || factor === 0);
  const candidates: Candidate[] = [];
  for (let at = 0; at < servers.length; at++) {
    const { slot, weight, connectionsMax, pendingMax = 0, address, labels } = servers[at]!;
    const factor = factors[at]!;
    if (factor === 0) continue;
    candidates.push({
      slot,
      weight: isWhole ? weight : Math.max(1, Math.round(weight * factor * FACTOR_STEPS)),
      nominalWeight: weight,
      factor,
      connectionsMax,
      pendingMax,
      key: address,
      labels,
    });
  }
  return candidates;
}

function limitsBySlot<T extends { readonly slot: number }>(
  owners: readonly T[],
  limitOf: (owner: T) => number,
): Int32Array {
  const limited = owners.filter((owner) => limitOf(owner) > 0);
  const length = limited.reduce((most, { slot }) => Math.max(most, slot + 1), 0);
  const limitBySlot = new Int32Array(length);
  for (const owner of limited) limitBySlot[owner.slot] = limitOf(owner);
  return limitBySlot;
}
