import { RingBuffer } from '../../base/ring-buffer.ts';
import type { SharedWords } from '../../model/shared-memory.ts';
import { Verdict } from '../../model/shared-memory.ts';
import type { ServerState, VerdictChange } from '../report/status.ts';
import type { ServerMemory } from './health-memory.ts';
import type { ProbeSet } from './probe-set.ts';
import type { SlowStarts } from './slow-starts.ts';

/** Changes kept for people, of each server. */
const historyMax = 20;

/** The name of a verdict word: the gravest bit that is set. Draining tells an operator more than up. */
export function stateOfBits(bits: number): ServerState {
  if ((bits & Verdict.UNRESOLVED) !== 0) return 'unresolved';
  if ((bits & Verdict.PROBE_DOWN) !== 0) return 'down';
  if ((bits & Verdict.REFUSING) !== 0) return 'refusing';
  if ((bits & Verdict.EJECTED) !== 0) return 'ejected';
  if ((bits & Verdict.DRAINING) !== 0) return 'draining';
  return 'up';
}

/** How often something happened to a server, since the first balancer of this line began. */
export interface HealthCounts {
  /** Probes that ended, by their end. */
  passes: number;
  failures: number;
  /** By passive health, for refusing connections included. */
  ejections: number;
  /** Changes of the state's name. */
  changes: number;
}

/** A server's health for people. */
export interface HealthView {
  readonly state: ServerState;
  readonly why: string;
  /** Oldest first; times are ms of the epoch. */
  readonly history: readonly VerdictChange[];
  readonly counts: Readonly<HealthCounts>;
}

/**
 * What control knows of one server's health: its verdict word in shared memory, which it alone
 * writes, and the history of its names.
 */
export class ServerHealth {
  readonly slot: number;
  readonly pool: string;
  readonly address: string;
  probes: ProbeSet | null = null;
  /** An operator wants no new traffic here. */
  isDrained = false;
  readonly counts: HealthCounts = { passes: 0, failures: 0, ejections: 0, changes: 0 };
  /** Why the judge of outliers decided what it did last. */
  outlierReason = '';
  readonly #words: SharedWords;
  readonly #ramps: SlowStarts;
  readonly #history: RingBuffer<VerdictChange> = new RingBuffer<VerdictChange>(historyMax);

  /** The last state that was noted. */
  #noted: ServerState | null = null;

  constructor(
    words: SharedWords,
    ramps: SlowStarts,
    server: { slot: number; pool: string; address: string },
  ) {
    this.#words = words;
    this.#ramps = ramps;
    this.slot = server.slot;
    this.pool = server.pool;
    this.address = server.address;
  }

  get bits(): number {
    return Atomics.load(this.#words.verdict, this.slot);
  }

  get state(): ServerState {
    return stateOfBits(this.bits);
  }

  get view(): HealthView {
    const { state, why, history, counts } = this;
    return { state, why, history, counts };
  }

  /** Oldest first. */
  get history(): readonly VerdictChange[] {
    return this.#history.toArray();
  }

  /** Sets the whole word, for a slot's new owner. */
  begin(bits: number): void {
    Atomics.store(this.#words.failureStreak, this.slot, 0);
    this.#ramps.onVerdict(this.slot, -1, bits);
    Atomics.store(this.#words.verdict, this.slot, bits);
    Atomics.add(this.#words.epoch, 0, 1);
  }

  /** Sets and clears bits, visible to the next pick. True when the word changed. */
  change(setBits: number, clearBits: number): boolean {
    const before = this.bits;
    const after = (before & ~clearBits) | setBits;
    if (after === before) return false;
    this.#ramps.onVerdict(this.slot, before, after);
    Atomics.store(this.#words.verdict, this.slot, after);
    Atomics.add(this.#words.epoch, 0, 1);
    return true;
  }

  /** The next failure begins a new streak. */
  forgetStreak(): void {
    Atomics.store(this.#words.failureStreak, this.slot, 0);
  }

  /** Takes over what another process had of the same server. */
  recall({ history, counts }: Pick<ServerMemory, 'history' | 'counts'>): void {
    for (const name of Object.keys(this.counts) as (keyof HealthCounts)[]) {
      this.counts[name] += counts?.[name] ?? 0;
    }
    for (const change of history) this.#history.push(change);
    this.#noted = history.at(-1)?.state ?? null;
  }

  /** Keeps a change of the state for people; one outage is one, however many signs of it come. */
  note(atMs: number, why: string): void {
    const { state } = this;
    const before = this.#noted;
    if (state === before) return;
    this.#noted = state;
    if (isSick(before) && isSick(state)) return;
    this.counts.changes++;
    this.#history.push({ atMs, state, why });
  }

  /** Why it is in its state, in words. */
  get why(): string {
    const { state, probes } = this;
    if (state === 'unresolved') return 'its name has no address';
    if (state === 'down') return probes === null ? 'no probe' : `probe: ${probes.reason}`;
    if (state === 'refusing' || state === 'ejected') return this.outlierReason;
    if (state === 'draining') return this.drainReason;
    return probes === null ? 'no probe' : `probe: ${probes.reason}`;
  }

  /** Who wants it drained. */
  get drainReason(): string {
    return this.isDrained ? 'drained by an operator' : 'its agent says drain';
  }
}

function isSick(state: ServerState | null): boolean {
  return state === 'refusing' || state === 'ejected' || state === 'down';
}
