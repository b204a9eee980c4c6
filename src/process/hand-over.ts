import type { HealthMemory } from '../control/probe/health-memory.ts';
import type { UpgradeOutcome } from '../control/publish/operations.ts';
import { readTotals, type Totals, type TotalsMeans, takeTotals } from '../control/report/totals.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Clock, RunningTimer } from '../platform/clock.ts';
import { fetchState, keepAs } from './kept-state.ts';
import { endHard } from './lifecycle.ts';
import type { ProcessLog } from './process-log.ts';
import { ExitCode } from './run-options.ts';
import type { StoreClient } from './store-client.ts';
import type { LeavingBalancer, Notice } from './store-protocol.ts';

/** What a balancer leaves for its successor when an upgrade begins. */
export interface Heritage {
  readonly health: HealthMemory;
  /** Last good answers by name. */
  readonly names: Readonly<Record<string, string>>;
  readonly totals: Totals;
  /** Of balancers that were leaving then: what `totals` contains of theirs, by generation. */
  readonly late: Readonly<Record<string, Totals | null>>;
  /** Counters of the process itself: reloads, restarts of workers. */
  readonly process: Readonly<Record<string, number>>;
}

/** What a hand-over works on. */
export interface HandOverMeans {
  readonly store: StoreClient | null;
  readonly generation: number;
  readonly clock: Clock;
  readonly log: ProcessLog;
  readonly totals: TotalsMeans;
  readonly snapshot: () => Snapshot;
  /** The rest of the heritage. */
  readonly heritage: () => Pick<Heritage, 'health' | 'names' | 'process'>;
  /** Leaves configuration and run-time changes with the supervisor. */
  readonly keep: () => Promise<void>;
  /** A reason why this balancer cannot be replaced now; null = it can. */
  readonly whyNot: () => string | null;
  /** The successor takes traffic: gives the admin sockets up, finishes what runs, ends. */
  readonly leave: () => void;
}

const HERITAGE = 'heritage';
const HERITAGE_FORMAT = 1;
/** Prefix of what leaving balancers count on. */
const LATE = 'late ';
/**
 * How often a leaving balancer says what it counted, and its successor looks. A long count waits
 * longer, so that it takes at most a fiftieth of the thread.
 */
const LATE_MS = 1_000;
const LATE_SHARE = 50;
/** Beyond the supervisor's own limit for a successor to get ready. */
const UPGRADE_MS = 40_000;
/** What a broken process may take to say why. */
const LAST_WORD_MS = 200;
/** A successor that nobody tells to take over does so by itself. */
const TAKE_OVER_MS = 10_000;

/**
 * The two sides of an upgrade in a balancer: what it gives to its successor, and what it takes from
 * those before it.
 *
 *   primary                     supervisor                   successor
 *     state, heritage ──store──▶
 *     upgrade ─────────────────▶ starts it ────────────────▶ takes state, heritage, sockets
 *     both accept                ◀────────────────── running
 *     ◀──────────────── upgraded
 *     closes admin, late counts
 *     left ────────────────────▶ takeOver ─────────────────▶ opens admin
 *     finishes what runs, late counts every second ─store──▶ adds them
 *     ends ─────────────────────▶ ended ───────────────────▶ adds the last ones
 */
export class HandOver {
  readonly #means: HandOverMeans;
  readonly #leaving = new Map<
    number,
    { readonly pid: number; taken: Totals | null; mark: string }
  >();
  #outcome: ((outcome: UpgradeOutcome) => void) | null = null;
  #given: Totals | null = null;
  #lateTimer: RunningTimer | null = null;
  #tookOver: () => void = () => {};
  readonly #takenOver: Promise<void>;
  #lateMark = '';
  /** Leaving ones that ended while a successor was under way. */
  readonly #ended = new Set<number>();
  #looking: Promise<void> = Promise.resolve();

  constructor(means: HandOverMeans) {
    this.#means = means;
    this.#takenOver = new Promise((resolve) => {
      this.#tookOver = resolve;
    });
  }

  /** A successor is being started: what it has taken already must not change. */
  get isUnderWay(): boolean {
    return this.#outcome !== null;
  }

  /** Balancers before this one that still finish what they had accepted. */
  get leaving(): readonly LeavingBalancer[] {
    return [...this.#leaving].map(([generation, { pid }]) => ({ generation, pid }));
  }

  /** Counts what the one before had counted, and what those before it count on. */
  inherit(heritage: Heritage): void {
    takeTotals(heritage.totals, null, this.#means.totals);
    for (const [generation, taken] of Object.entries(heritage.late)) {
      this.#leaving.set(Number(generation), { pid: 0, taken, mark: '' });
    }
  }

  /** Asks the supervisor for a successor; resolves when it takes traffic or is given up. */
  async upgrade(): Promise<UpgradeOutcome> {
    const { store, log, clock, keep } = this.#means;
    const refusal = store === null ? withoutStore : this.#means.whyNot();
    if (refusal !== null || store === null)
      return { ok: false, isTried: false, problem: refusal ?? '' };
    if (this.isUnderWay)
      return { ok: false, isTried: false, problem: 'an upgrade is running already' };
    const ended = new Promise<UpgradeOutcome>((resolve) => {
      this.#outcome = resolve;
    });
    log.info('Upgrade: a successor is asked for');
    try {
      await this.#look();
      await keep();
      const totals = readTotals(this.#means.snapshot(), this.#means.totals);
      const late = [...this.#leaving].map(([generation, { taken }]) => [generation, taken]);
      const heritage = { ...this.#means.heritage(), totals, late: Object.fromEntries(late) };
      this.#given = totals;
      await keepAs(store, HERITAGE, HERITAGE_FORMAT, heritage);
      await store.announce('upgrade');
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      this.#settle({ ok: false, isTried: false, problem });
    }
    const late = clock.after(UPGRADE_MS, () => {
      const problem = 'the supervisor did not say what came of it';
      this.#settle({ ok: false, isTried: true, problem });
    });
    return await ended.finally(() => late.stop());
  }

  /** What the supervisor says. */
  notice({ upgraded, takeOver, ended }: Notice): void {
    if (upgraded !== undefined) {
      const { pid, why } = upgraded;
      if (why !== null) {
        this.#means.log.error('Upgrade: rolled back, this balancer stays', { why });
        this.#settle({ ok: false, isTried: true, problem: why });
      } else void this.#giveOver(pid);
    }
    if (takeOver !== undefined) {
      this.#follow(takeOver.leaving);
      this.#tookOver();
    }
    if (ended !== undefined) void this.#onEnded(ended);
  }

  /** Resolves when the balancer before this one has given the admin sockets up. */
  async whenTakenOver(): Promise<void> {
    const { clock } = this.#means;
    const late = new Promise<void>((resolve) => clock.after(TAKE_OVER_MS, resolve));
    await Promise.race([this.#takenOver, late]);
  }

  /** The last counts of a leaving balancer. */
  async stop(): Promise<void> {
    this.#lateTimer?.stop();
    if (this.#given !== null && !this.isUnderWay) await this.#depositLate();
  }

  /** Only another process helps: says why, for the case that this one is being tried, and is gone. */
  async endBroken(why: string): Promise<void> {
    const { store, clock, log } = this.#means;
    log.error('This process is replaced', { why, exit: ExitCode.BROKEN });
    const told = store?.announce('failed', why).catch(() => undefined);
    const late = new Promise<void>((resolve) => clock.after(LAST_WORD_MS, resolve));
    await Promise.race([told, late]);
    endHard();
  }

  #settle(outcome: UpgradeOutcome): void {
    const settle = this.#outcome;
    this.#outcome = null;
    if (!outcome.ok) {
      this.#given = null;
      for (const generation of this.#ended) void this.#onEnded(generation);
      this.#ended.clear();
      this.#lookOnAndOn();
    }
    settle?.(outcome);
  }

  async #giveOver(pid: number): Promise<void> {
    const { store, log, leave } = this.#means;
    this.#lateTimer?.stop();
    this.#leaving.clear();
    log.info('Upgrade: the successor takes traffic', { pid });
    this.#settle({ ok: true, pid });
    leave();
    await this.#depositLate();
    // A supervisor that is gone or slow does not keep us: it goes on without our word.
    await store?.announce('left').catch(() => undefined);
    this.#depositOnAndOn();
  }

  #depositOnAndOn(afterMs: number = LATE_MS): void {
    const { clock } = this.#means;
    this.#lateTimer = clock.after(afterMs, () => {
      const startedMs = clock.nowMs();
      void this.#depositLate().then(() => {
        this.#depositOnAndOn(Math.max(LATE_MS, LATE_SHARE * (clock.nowMs() - startedMs)));
      });
    });
  }

  async #depositLate(): Promise<void> {
    const { store, generation, snapshot, totals, log } = this.#means;
    if (store === null) return;
    const late = readTotals(snapshot(), totals, this.#given);
    const mark = JSON.stringify(late);
    if (mark === this.#lateMark) return;
    try {
      await keepAs(store, LATE + generation, HERITAGE_FORMAT, late);
      this.#lateMark = mark;
    } catch (error) {
      log.warn('Cannot hand counters over', { why: String(error) });
    }
  }

  #follow(leaving: readonly LeavingBalancer[]): void {
    for (const { generation, pid } of leaving) {
      const known = this.#leaving.get(generation);
      const { taken = null, mark = '' } = known ?? {};
      this.#leaving.set(generation, { pid, taken, mark });
    }
    // One that ended meanwhile: its last word waits in the store, or was taken before.
    const living = new Set(leaving.map(({ generation }) => generation));
    for (const generation of this.#leaving.keys()) {
      if (!living.has(generation)) void this.#onEnded(generation);
    }
    this.#lookOnAndOn();
  }

  #lookOnAndOn(): void {
    this.#lateTimer?.stop();
    this.#lateTimer = null;
    if (this.#leaving.size === 0) return;
    this.#lateTimer = this.#means.clock.after(LATE_MS, () => {
      const looked = this.isUnderWay ? Promise.resolve() : this.#look();
      void looked.then(() => {
        if (this.#given === null) this.#lookOnAndOn();
      });
    });
  }

  async #onEnded(generation: number): Promise<void> {
    await this.#look();
    // With a successor under way the last word stays in the store for it, or for us after a roll-back.
    if (this.isUnderWay || this.#given !== null) {
      this.#ended.add(generation);
      return;
    }
    this.#leaving.delete(generation);
    await this.#means.store?.drop(LATE + generation).catch(() => undefined);
  }

  /** Adds what leaving balancers counted since the last look; looks come one after the other. */
  #look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#lookNow());
    return this.#looking;
  }

  async #lookNow(): Promise<void> {
    const { store, log, totals } = this.#means;
    if (store === null || this.#given !== null || this.#leaving.size === 0) return;
    try {
      for (const { name, meta } of await store.list()) {
        const known = name.startsWith(LATE)
          ? this.#leaving.get(Number(name.slice(LATE.length)))
          : undefined;
        const mark = JSON.stringify(meta);
        if (known === undefined || known.mark === mark) continue;
        const late = (await fetchState(store, name, HERITAGE_FORMAT)) as Totals | null;
        if (late === null || this.#given !== null) continue;
        takeTotals(late, known.taken, totals);
        known.taken = late;
        known.mark = mark;
      }
    } catch (error) {
      log.warn('Cannot take counters over', { why: String(error) });
    }
  }
}

/** What the balancer before left; null when there is none of our version. Errors: rejects. */
export async function heritageOf(store: StoreClient): Promise<Heritage | null> {
  const heritage = (await fetchState(store, HERITAGE, HERITAGE_FORMAT)) as Heritage | null;
  await store.drop(HERITAGE);
  return heritage;
}

const withoutStore = 'a supervisor that keeps the sockets is required: this one has none';
