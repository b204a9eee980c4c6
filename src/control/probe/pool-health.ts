import { eligibleServers } from '../../balance/fitness.ts';
import { type BreakerChange, CircuitBreaker } from '../../health/breaker.ts';
import { type OutlierChange, OutlierJudge } from '../../health/outlier.ts';
import { TrafficJudge, type TrafficReadings } from '../../health/traffic-judge.ts';
import { windowSpans } from '../../health/traffic-window.ts';
import type { Outlier, Pool } from '../../model/snapshot.ts';
import type { Clock, RunningTimer } from '../../platform/clock.ts';
import type { PoolCondition } from '../report/status.ts';

/** What the health of a pool works with. */
export interface PoolHealthMeans {
  readonly clock: Clock;
  readonly readings: TrafficReadings;
  /** The breakers' words, by pool slot. */
  readonly breakers: Int32Array;
  /** A server's verdict word. */
  readonly verdictOf: (slot: number) => number;
  /** Makes a decision true. */
  readonly carryOut: (change: OutlierChange) => void;
  /** Ejections have changed: the next thing to do may come sooner. */
  readonly onDecided: () => void;
  /** Takes what became of the pool, in words, without its name. */
  readonly log: (level: 'info' | 'warn', text: string) => void;
}

/** How a pool is, in a word and a sentence. */
export interface PoolView {
  readonly condition: PoolCondition;
  readonly why: string;
}

/** What control knows of one pool as a whole: who judges its servers, and how it is. */
export class PoolHealth {
  readonly #means: PoolHealthMeans;
  readonly #traffic = new TrafficJudge();
  #pool: Pool;
  #judge: OutlierJudge | null = null;
  #timer: RunningTimer | null = null;
  #intervalMs = 0;
  #breaker: CircuitBreaker | null = null;
  #breakerTimer: RunningTimer | null = null;
  #breakerMs = 0;

  constructor(pool: Pool, means: PoolHealthMeans) {
    this.#pool = pool;
    this.#means = means;
    this.apply(pool);
  }

  get name(): string {
    return this.#pool.name;
  }

  /** As the snapshot has it. */
  get pool(): Pool {
    return this.#pool;
  }

  /** Decides on this pool's ejections; null where passive health is off. */
  get judge(): OutlierJudge | null {
    return this.#judge;
  }

  /** What the servers' traffic said in the last ten intervals. */
  get traffic(): Pick<TrafficJudge, 'recordOf'> {
    return this.#traffic;
  }

  /** Takes over a snapshot's settings and servers; what is known of those that stay is kept. */
  apply(pool: Pool): void {
    this.#pool = pool;
    this.#applyBreaker(pool);
    const { outlier } = pool;
    if (outlier === null) {
      this.#timer?.stop();
      this.#timer = null;
      this.#judge = null;
      this.#traffic.setServers([]);
      return;
    }
    if (this.#judge === null) this.#judge = new OutlierJudge(outlier);
    else this.#judge.configure(outlier);
    const judged = pool.servers.filter((server) => server.weight > 0).map((server) => server.slot);
    this.#judge.setServers(judged);
    this.#traffic.setServers(judged);
    this.#watch(outlier);
  }

  /** A server is back: its traffic is judged anew. */
  onReadmitted(slot: number): void {
    this.#traffic.restart(slot);
  }

  stop(): void {
    this.#timer?.stop();
    this.#timer = null;
    this.#breakerTimer?.stop();
    this.#breakerTimer = null;
  }

  /** How the pool is now. Cost: one pass over its servers. */
  view(): PoolView {
    const { servers } = this.#pool;
    const { verdictOf } = this.#means;
    const { servers: eligible, isPanic, isBackup } = eligibleServers(servers, verdictOf);
    const trouble = this.#judge?.trouble ?? null;
    const well = eligible.filter(({ slot }) => verdictOf(slot) === 0).length;
    const wanted = servers.filter((server) => server.weight > 0 && !server.isBackup).length;
    const broken = this.#breaker?.changes.at(-1);
    if (broken?.state === 'open') {
      return { condition: 'open', why: `requests are refused: ${broken.why}` };
    }
    if (eligible.length === 0) return { condition: 'down', why: noneWhy(servers.length) };
    if (isPanic) {
      const why = `only ${well} of ${wanted} servers are well: ejected ones take traffic again`;
      return { condition: 'panic', why };
    }
    if (trouble !== null) {
      return { condition: 'panic', why: `${trouble}: nobody is ejected, traffic goes on` };
    }
    if (isBackup) return { condition: 'degraded', why: 'no primary server is well: backups serve' };
    if (well < wanted)
      return { condition: 'degraded', why: `${well} of ${wanted} servers take traffic` };
    const all = wanted === 1 ? 'its only server takes' : `all ${wanted} servers take`;
    return { condition: 'well', why: `${all} traffic` };
  }

  /** What the breaker did, oldest first; null where there is none. */
  get breakerChanges(): readonly BreakerChange[] | null {
    return this.#breaker?.changes ?? null;
  }

  #applyBreaker({ breaker, slot }: Pool): void {
    if (breaker === null) {
      this.#breakerTimer?.stop();
      this.#breakerTimer = null;
      this.#breaker = null;
      Atomics.store(this.#means.breakers, slot, 0);
      return;
    }
    if (this.#breaker === null) this.#breaker = new CircuitBreaker(breaker);
    else this.#breaker.configure(breaker);
    const everyMs = breaker.windowMs / windowSpans;
    if (this.#breakerTimer !== null && this.#breakerMs === everyMs) return;
    this.#breakerTimer?.stop();
    this.#breakerMs = everyMs;
    this.#breakerTimer = this.#means.clock.every(everyMs, () => this.#lookBreaker());
  }

  #lookBreaker(): void {
    const { readings, breakers, clock, log } = this.#means;
    const { servers, slot } = this.#pool;
    let good = 0;
    let faults = 0;
    for (const server of servers) {
      good += readings.good(server.slot);
      faults += readings.faults(server.slot);
    }
    const before = Atomics.load(breakers, slot);
    const word = this.#breaker?.look(clock.nowMs(), good, faults, before) ?? null;
    if (word === null) return;
    Atomics.store(breakers, slot, word);
    const change = this.#breaker?.changes.at(-1);
    const level = change?.state === 'open' ? 'warn' : 'info';
    log(level, `circuit ${change?.state}: ${change?.why}`);
  }

  #watch({ intervalMs }: Outlier): void {
    if (this.#timer !== null && this.#intervalMs === intervalMs) return;
    this.#timer?.stop();
    this.#intervalMs = intervalMs;
    this.#timer = this.#means.clock.every(intervalMs, () => this.#look());
  }

  #look(): void {
    const { outlier } = this.#pool;
    const judge = this.#judge;
    if (outlier === null || judge === null) return;
    const { clock, readings, verdictOf, carryOut, onDecided, log } = this.#means;
    const nowMs = clock.nowMs();
    const isProving = (slot: number): boolean => judge.isProving(slot, nowMs);
    const { standouts, commonTrouble } = this.#traffic.look(nowMs, readings, outlier, isProving);
    const before = judge.trouble;
    const readmitted = judge.setTrouble(commonTrouble, nowMs);
    if ((before === null) !== (commonTrouble === null)) {
      if (commonTrouble === null) log('info', 'panic is over');
      else log('warn', `panic, as ${commonTrouble}: nobody is ejected`);
    }
    for (const change of readmitted) carryOut(change);
    for (const standout of standouts) {
      const change = judge.onStandout(standout, nowMs, verdictOf);
      if (change !== null) carryOut(change);
    }
    if (readmitted.length > 0 || standouts.length > 0) onDecided();
  }
}

function noneWhy(count: number): string {
  return count === 0 ? 'it has no servers' : `none of its ${count} servers takes traffic`;
}
