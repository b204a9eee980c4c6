import { setWeightFactor, WeightSource } from '../../balance/weight-factor.ts';
import type { OutlierChange, OutlierJudge } from '../../health/outlier.ts';
import type { TrafficReadings } from '../../health/traffic-judge.ts';
import type { FailureCode } from '../../model/failure.ts';
import type { SharedWords } from '../../model/shared-memory.ts';
import { Verdict } from '../../model/shared-memory.ts';
import type { DialAddress, Pool, Server, Snapshot } from '../../model/snapshot.ts';
import type { Clock, RunningTimer } from '../../platform/clock.ts';
import type { ConnectProbe } from '../../platform/probe-link.ts';
import type { RunProgram } from '../../platform/run-program.ts';
import type { PoolHealthReport } from '../report/health-report.ts';
import { startAttempt } from './attempt.ts';
import { type HealthLog, tellPool, tellServer } from './health-log.ts';
import { type HealthMemory, memoryKey, type ServerMemory } from './health-memory.ts';
import { LagMeter } from './lag-meter.ts';
import { plainProbe } from './plain-probe.ts';
import { PoolHealth, type PoolView } from './pool-health.ts';
import { isDownAtStart, ProbeSet } from './probe-set.ts';
import { type HealthReportMeans, reportHealth } from './report-health.ts';
import { type HealthView, ServerHealth } from './server-health.ts';
import type { ProbeMeans } from './server-probe.ts';
import { SharedAttempts } from './shared-attempts.ts';
import { slotsOf } from './slots-of.ts';
import { SlowStarts } from './slow-starts.ts';
import { ToldLoads } from './told-loads.ts';

/** What the keeper works with. */
export interface HealthKeeperOptions {
  readonly words: SharedWords;
  /** `systemClock` of platform/clock.ts. */
  readonly clock: Clock;
  /** `connectProbe` of platform/probe-link.ts. */
  readonly connect: ConnectProbe;
  /** `runProgram` of platform/run-program.ts. */
  readonly run: RunProgram;
  /** The counters that traffic is judged by. */
  readonly readings: TrafficReadings;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly drainedUntil: HealthReportMeans['drainedUntil'];
  /** The process log: one line per change. */
  readonly log: HealthLog;
}

/** First probes that begin in one go, and the pause between goes: thousands at once would be a flood of our own. */
const firstProbesAtOnce = 16;
const firstProbesPauseMs = 10;
/** Time-out of a connection that is tried to a refusing server: the interval between tries. */
const reconnectTimeoutMs = 1_000;
/** The next look at ejections is at least this far away. */
const lookPauseMsMin = 5;

/**
 * Keeps the verdict word of every server: runs the probes, judges the streaks that workers report,
 * lets ejections end, takes an operator's drains and the resolver's news.
 *
 * Control is the only writer of the words; after each change the epoch grows and pickers rebuild at
 * their next pick. Verdicts live by slot, so a reload keeps them.
 */
export class HealthKeeper {
  readonly #options: HealthKeeperOptions;
  readonly #means: ProbeMeans;
  readonly #lag: LagMeter;
  readonly #ramps: SlowStarts;
  readonly #told: ToldLoads;
  readonly #servers = new Map<number, ServerHealth>();
  readonly #targets = new Map<number, DialAddress | null>();
  readonly #pools = new Map<string, PoolHealth>();
  /** Slots that an operator drains, also those whose server comes with the next snapshot. */
  readonly #draining = new Set<number>();
  readonly #reconnecting = new Map<number, () => void>();
  /** What another process knew of servers that we have not seen yet. */
  readonly #remembered = new Map<string, ServerMemory>();
  #look: RunningTimer | null = null;
  #firstProbes = 0;

  constructor(options: HealthKeeperOptions) {
    this.#options = options;
    this.#lag = new LagMeter(options.clock);
    this.#ramps = new SlowStarts(options.words, options.clock);
    this.#told = new ToldLoads(options.words, options.clock);
    const { clock, connect, run, random } = options;
    const attempts = new SharedAttempts();
    this.#means = { clock, connect, run, attempts, random, lagMs: () => this.#lag.totalMs };
  }

  /**
   * Takes over a snapshot's servers and probes. Call it before the snapshot goes to the workers, so
   * that a new server's word stands before its first pick.
   */
  apply(snapshot: Snapshot): void {
    this.#firstProbes = 0;
    this.#ramps.apply(snapshot);
    this.#told.apply(snapshot);
    const present = new Set(slotsOf(snapshot));
    for (const slot of [...this.#servers.keys()]) if (!present.has(slot)) this.#forget(slot);
    const names = new Set(snapshot.pools.map((pool) => pool.name));
    for (const [name, pool] of this.#pools) {
      if (names.has(name)) continue;
      pool.stop();
      this.#pools.delete(name);
    }
    for (const pool of snapshot.pools) this.#applyPool(pool);
    this.#lookAgain();
  }

  /** A worker saw a server's streak of failures reach a trigger. */
  onStreak(slot: number, code: FailureCode, count: number): void {
    const nowMs = this.#options.clock.nowMs();
    const change = this.#judgeOf(slot)?.onStreak({ slot, code, count }, nowMs, this.#verdictOf);
    if (change) this.#carryOut(change);
    this.#lookAgain();
  }

  /** Takes a server out of new traffic by order of an operator, or back. */
  setDraining(slot: number, isDraining: boolean): void {
    if (isDraining) this.#draining.add(slot);
    else this.#draining.delete(slot);
    const health = this.#servers.get(slot);
    if (health === undefined) return;
    health.isDrained = isDraining;
    this.#drainOrNot(health, isDraining ? 'drained by an operator' : 'taken back by an operator');
  }

  /** Its name has no address, or has one again. `apply` does the same from the server's target. */
  setUnresolved(slot: number, isUnresolved: boolean): void {
    const which = isUnresolved ? 'no' : 'an';
    this.#setBit(slot, Verdict.UNRESOLVED, isUnresolved, `its name has ${which} address`);
  }

  /** Health of a slot; null for one that has no server. */
  viewOf(slot: number): HealthView | null {
    return this.#servers.get(slot)?.view ?? null;
  }

  /** How a pool is; null for one that is not known. */
  viewOfPool(name: string): PoolView | null {
    return this.#pools.get(name)?.view() ?? null;
  }

  /** Everything that is known of a pool's health; null for one that is not known. */
  reportOf(name: string): PoolHealthReport | null {
    const pool = this.#pools.get(name);
    const servers = [...this.#servers.values()].filter((server) => server.pool === name);
    const means = { ...this.#options, ramps: this.#ramps };
    return pool === undefined ? null : reportHealth(pool, servers, means);
  }

  /** What is known of the servers that is more than a new process would assume: plain data for JSON. */
  get memory(): HealthMemory {
    const nowMs = this.#options.clock.nowMs();
    return [...this.#servers.values()].map((health) => {
      const { slot, pool, address, history, outlierReason, counts } = health;
      const ejection = this.#judgeOf(slot)?.ejectionOf(slot, nowMs) ?? null;
      const probes = health.probes?.memory ?? [];
      return { pool, address, probes, ejection, why: outlierReason, history, counts };
    });
  }

  /** Takes over what another process knew; before the first `apply`. */
  remember(memory: HealthMemory): void {
    for (const server of memory) this.#remembered.set(memoryKey(server), server);
  }

  /** Ends all probes and timers. */
  stop(): void {
    this.#lag.stop();
    this.#ramps.stop();
    this.#told.stop();
    this.#look?.stop();
    for (const pool of this.#pools.values()) pool.stop();
    for (const slot of [...this.#servers.keys()]) this.#forget(slot);
  }

  #applyPool(pool: Pool): void {
    const known = this.#pools.get(pool.name);
    if (known?.pool === pool) return;
    if (known !== undefined) known.apply(pool);
    else this.#pools.set(pool.name, this.#createPool(pool));
    for (const server of pool.servers) {
      this.#applyServer(pool, server);
      // The judge forgets servers of weight 0; what it had set must not outlive that.
      if (server.weight > 0 && pool.outlier !== null) continue;
      this.#servers.get(server.slot)?.change(0, Verdict.EJECTED | Verdict.REFUSING);
    }
  }

  #createPool(pool: Pool): PoolHealth {
    const { clock, readings, log } = this.#options;
    return new PoolHealth(pool, {
      clock,
      readings,
      log: (level, text) => tellPool(log, level, pool.name, text),
      breakers: this.#options.words.breaker,
      verdictOf: this.#verdictOf,
      carryOut: (change) => this.#carryOut(change),
      onDecided: () => this.#lookAgain(),
    });
  }

  #judgeOf(slot: number): OutlierJudge | null {
    return this.#pools.get(this.#servers.get(slot)?.pool ?? '')?.judge ?? null;
  }

  #applyServer(pool: Pool, server: Server): void {
    const { slot, address, target } = server;
    let health = this.#servers.get(slot);
    const isNew = health === undefined || health.pool !== pool.name || health.address !== address;
    if (health === undefined || isNew) {
      const isDraining = this.#draining.has(slot);
      if (health !== undefined) this.#forget(slot);
      if (isDraining) this.#draining.add(slot);
      health = new ServerHealth(this.#options.words, this.#ramps, {
        slot,
        pool: pool.name,
        address,
      });
      health.isDrained = isDraining;
      const down = isDownAtStart(pool) ? Verdict.PROBE_DOWN : 0;
      health.begin(down | (isDraining ? Verdict.DRAINING : 0));
      this.#servers.set(slot, health);
    }
    this.#targets.set(slot, target);
    this.setUnresolved(slot, target === null);
    this.#applyProbes(pool, server, health, isNew);
    if (isNew && this.#remembered.size > 0) this.#recall(health);
  }

  #applyProbes(pool: Pool, server: Server, health: ServerHealth, isNew: boolean): void {
    const { address, target } = server;
    if (pool.probes.length === 0) {
      if (health.probes === null) return;
      health.probes.stop();
      health.probes = null;
      this.#setBit(server.slot, Verdict.PROBE_DOWN, false, 'no longer probed');
      this.#drainOrNot(health, 'no longer probed');
      this.#weigh(health, 1);
      return;
    }
    if (health.probes !== null) {
      health.probes.update({ pool, address, target });
      this.#onProbed(health);
      return;
    }
    // A server that takes traffic already goes on doing so until its new probes say otherwise.
    const probes = isNew
      ? pool.probes
      : pool.probes.map((probe) => ({ ...probe, startState: 'up' as const }));
    const delayMs = Math.floor(this.#firstProbes++ / firstProbesAtOnce) * firstProbesPauseMs;
    const listener = {
      onProbed: (isPass: boolean) => {
        health.counts[isPass ? 'passes' : 'failures']++;
        this.#onProbed(health);
      },
      onPass: () => this.#onPass(health),
    };
    const probed = { pool: { ...pool, probes }, address, target };
    health.probes = new ProbeSet(probed, this.#means, listener, delayMs);
  }

  /** A server that another process knew goes on as it was there. */
  #recall(health: ServerHealth): void {
    const known = this.#remembered.get(memoryKey(health));
    if (known === undefined) return;
    this.#remembered.delete(memoryKey(health));
    health.recall(known);
    if (health.probes?.restore(known.probes) === true) {
      const { isUp } = health.probes;
      health.change(isUp ? 0 : Verdict.PROBE_DOWN, isUp ? Verdict.PROBE_DOWN : 0);
    }
    const judge = this.#judgeOf(health.slot);
    if (known.ejection === null || judge === null) return;
    judge.restore(health.slot, known.ejection, this.#options.clock.nowMs());
    health.outlierReason = known.why;
    health.change(known.ejection.bits, 0);
  }

  #onProbed(health: ServerHealth): void {
    const { probes, slot } = health;
    if (probes === null) return;
    if (probes.isUp && (health.bits & Verdict.PROBE_DOWN) !== 0) {
      // Back from down: what it did before it went is forgotten, first of all, so that its state changes once.
      const nowMs = this.#options.clock.nowMs();
      const lifted = this.#judgeOf(slot)?.readmit(slot, nowMs, 'its probe passes again');
      if (lifted) this.#carryOut(lifted);
    }
    this.#setBit(slot, Verdict.PROBE_DOWN, !probes.isUp, `probe: ${probes.reason}`);
    this.#drainOrNot(health, probes.isDraining ? 'its agent says drain' : 'its agent says ready');
    this.#weigh(health, probes.factor);
  }

  #drainOrNot(health: ServerHealth, why: string): void {
    const isDraining = health.isDrained || health.probes?.isDraining === true;
    this.#setBit(health.slot, Verdict.DRAINING, isDraining, why);
  }

  /** What part of its weight its agent or program gives it. */
  #weigh({ slot, pool, address }: ServerHealth, factor: number): void {
    const { words, log } = this.#options;
    if (!setWeightFactor(words, WeightSource.AGENT, slot, factor)) return;
    Atomics.add(words.epoch, 0, 1);
    const percent = Math.round(factor * 100);
    log('info', `pool ${pool}, server ${address}: gets ${percent} percent of its weight`);
  }

  #onPass(health: ServerHealth): void {
    if ((health.bits & Verdict.REFUSING) === 0) return;
    this.#onReconnect(health, true);
  }

  #onReconnect(health: ServerHealth, isConnected: boolean): void {
    const judge = this.#judgeOf(health.slot);
    const change = judge?.onReconnect(health.slot, isConnected, this.#options.clock.nowMs());
    if (change) this.#carryOut(change);
    this.#lookAgain();
  }

  #carryOut(change: OutlierChange): void {
    const { slot, kind, reason } = change.event;
    const health = this.#servers.get(slot);
    if (health === undefined) return;
    health.forgetStreak();
    if (kind === 'ejected' || kind === 'refusing') health.counts.ejections++;
    if (kind !== 'spared') health.outlierReason = reason;
    if (kind === 'readmitted') this.#pools.get(health.pool)?.onReadmitted(slot);
    health.change(change.setBits, change.clearBits);
    health.note(this.#options.clock.wallMs(), reason);
    const level = kind === 'readmitted' ? 'info' : 'warn';
    tellServer(this.#options.log, level, 'ejection', health, `${kind}: ${reason}`);
  }

  #setBit(slot: number, bit: number, isSet: boolean, why: string): void {
    const health = this.#servers.get(slot);
    if (health === undefined || !health.change(isSet ? bit : 0, isSet ? 0 : bit)) return;
    health.note(this.#options.clock.wallMs(), why);
    const level = isSet && bit !== Verdict.DRAINING ? 'warn' : 'info';
    const kind = bit === Verdict.DRAINING ? 'drain' : 'health';
    tellServer(this.#options.log, level, kind, health, `${health.state}: ${why}`);
  }

  /** Ends ejections whose time is over and tries the connections that are due, then waits for the next. */
  #onLook(): void {
    const nowMs = this.#options.clock.nowMs();
    for (const { judge } of this.#pools.values()) {
      if (judge === null) continue;
      for (const change of judge.advance(nowMs)) this.#carryOut(change);
      for (const slot of judge.reconnectsDue(nowMs)) this.#tryReconnect(slot);
    }
    this.#lookAgain();
  }

  #lookAgain(): void {
    this.#look?.stop();
    this.#look = null;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { judge } of this.#pools.values()) {
      if (judge !== null) nextMs = Math.min(nextMs, judge.nextAtMs());
    }
    if (nextMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.max(nextMs - this.#options.clock.nowMs(), lookPauseMsMin);
    this.#look = this.#options.clock.after(delayMs, () => this.#onLook());
  }

  #tryReconnect(slot: number): void {
    const health = this.#servers.get(slot);
    const target = this.#targets.get(slot);
    if (health === undefined || !target || this.#reconnecting.has(slot)) return;
    const cancel = startAttempt({
      probe: { ...plainProbe, timeoutMs: reconnectTimeoutMs },
      pool: health.pool,
      address: health.address,
      target,
      ...this.#means,
      onResult: ({ isPass }) => {
        this.#reconnecting.delete(slot);
        this.#onReconnect(health, isPass);
      },
    });
    this.#reconnecting.set(slot, cancel);
  }

  /** The word stays as it is: workers may still pick from the table that has the server. */
  #forget(slot: number): void {
    this.#servers.get(slot)?.probes?.stop();
    this.#reconnecting.get(slot)?.();
    this.#reconnecting.delete(slot);
    this.#servers.delete(slot);
    this.#targets.delete(slot);
    this.#draining.delete(slot);
  }

  readonly #verdictOf = (slot: number): number => this.#servers.get(slot)?.bits ?? 0;
}
