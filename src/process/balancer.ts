import type { Config } from '../control/config/config.ts';
import { shownConfig } from '../control/config/shown-config.ts';
import { HealthKeeper } from '../control/probe/keeper.ts';
import { trafficReadings } from '../control/probe/traffic-readings.ts';
import type {
  BalancerControl,
  OperationOutcome,
  ReloadOutcome,
  ServerSpec,
} from '../control/publish/operations.ts';
import { Publisher } from '../control/publish/publisher.ts';
import { NameResolver } from '../control/publish/resolver.ts';
import type { StatusReport } from '../control/report/status.ts';
import { ageBudgets } from '../limit/retry-budget.ts';
import { limits } from '../model/limits.ts';
import type { FromWorker } from '../model/messages.ts';
import {
  allocateShared,
  attachWords,
  type SharedBuffers,
  type SharedWords,
} from '../model/shared-memory.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { CounterReader, counterCount } from '../observe/counters.ts';
import { HistogramReader, histogramWords } from '../observe/histograms.ts';
import type { Clock, RunningTimer } from '../platform/clock.ts';
import { resolveName } from '../platform/dns.ts';
import { connectProbe } from '../platform/probe-link.ts';
import { AccessLogSink } from './access-log-sink.ts';
import type { ConfigSources } from './config-sources.ts';
import type { StoreClient } from './descriptor-store.ts';
import { Discovery } from './discovery.ts';
import { faultRefused } from './fault-refused.ts';
import { areProbed, whenProbed } from './first-probes.ts';
import { type KeptState, keepState } from './kept-state.ts';
import { endHard } from './lifecycle.ts';
import type { ListenerSockets } from './listener-sockets.ts';
import type { ProcessLog } from './process-log.ts';
import { Reloader } from './reload.ts';
import { Reports } from './reports.ts';
import { ExitCode, type RunOptions } from './run-options.ts';
import { createSlotBook } from './shared-slots.ts';
import { sibling } from './sibling.ts';
import { WorkerCrew } from './worker-crew.ts';

/** What a balancer is made of; everything that can be refused at the start has been decided. */
export interface BalancerParts {
  readonly options: RunOptions;
  readonly config: Config;
  readonly sources: ConfigSources;
  /** What a balancer before us left; null at the first start. */
  readonly kept: KeptState | null;
  readonly driver: { readonly name: 'uring' | 'portable'; readonly reason: string };
  readonly workers: number;
  readonly sockets: ListenerSockets;
  readonly store: StoreClient | null;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: ProcessLog;
  readonly areFaultsArmed: boolean;
  /** Closes what a dead worker left in the kernel; returns how many links. */
  readonly reclaim: (words: SharedWords, worker: number) => number;
  readonly exit: (code: number) => void;
}

/** How long the first snapshot waits for names; traffic waits in the kernel's queue. */
const NAMES_WAIT_MS = 500;
/** Beyond the drain's own deadline, before threads are told to stop. */
const DRAIN_GRACE_MS = 1_000;
/**
 * From the moment in which new connections are refused, so long is accepted on: what is queued and
 * handshakes whose last packet is under way (most round trips of the world are shorter).
 */
const LAST_ACCEPTS_MS = 200;
/** Retry budgets are balances of the last seconds: this is the second that they are aged by. */
const BUDGET_AGE_MS = 1_000;
/** Changes of names within so long make one snapshot. */
const NAMES_GATHER_MS = 20;

/** The balancer process: control on the main thread, traffic on the workers. */
export class Balancer implements BalancerControl {
  readonly #parts: BalancerParts;
  readonly #shared: SharedBuffers;
  readonly #words: SharedWords;
  readonly #crew: WorkerCrew;
  readonly #publisher: Publisher;
  readonly #resolver: NameResolver;
  readonly #keeper: HealthKeeper;
  readonly #discovery: Discovery;
  readonly #accessLog: AccessLogSink;
  readonly #reloader: Reloader;
  readonly #reports: Reports;
  readonly #aging: RunningTimer;
  readonly #beforeEnd: (() => Promise<void>)[] = [];
  readonly explain: BalancerControl['explain'] = (asked) => this.#reports.explain(asked);
  #isServing = false;
  #isDraining = false;
  #isEnding = false;
  #isNamesDue = false;

  constructor(parts: BalancerParts) {
    this.#parts = parts;
    const { config, workers, clock, log, random, sockets } = parts;
    this.#shared = allocateShared(workers, {
      counterCount: counterCount(workers),
      histogramWords: histogramWords(workers),
    });
    this.#words = attachWords(this.#shared);
    const counters = new CounterReader(this.#shared);
    const histograms = new HistogramReader(this.#shared);
    const { slots, departed } = createSlotBook(this.#words, { counters, histograms }, workers);
    const say = (level: 'info' | 'warn', message: string): void => log[level](message);
    this.#keeper = new HealthKeeper({
      words: this.#words,
      clock,
      connect: connectProbe,
      readings: trafficReadings(counters, histograms),
      random,
      log: say,
    });
    this.#resolver = new NameResolver({
      clock,
      ask: resolveName,
      onChange: () => this.#onNames(),
      report: (message) => log.warn(message),
    });
    this.#publisher = new Publisher(config, {
      slots,
      resolver: this.#resolver,
      publish: (snapshot) => this.#bringOut(snapshot),
    });
    this.#discovery = new Discovery({
      clock,
      random,
      log,
      publisher: this.#publisher,
      onPublished: () => this.#keep(),
    });
    this.#accessLog = new AccessLogSink(clock, log);
    this.#crew = this.#createCrew((version) => slots.applied(version));
    this.#reloader = new Reloader({
      load: () => parts.sources.load(),
      publisher: this.#publisher,
      sockets,
      discoverer: this.#discovery.discoverer,
      whenApplied: (version) => this.#crew.whenApplied(version),
      onReloaded: (reloaded) => this.#useSettings(reloaded),
      wallMs: () => clock.wallMs(),
      log,
    });
    this.#reports = new Reports({
      parts,
      words: this.#words,
      counters,
      histograms,
      departed,
      keeper: this.#keeper,
      discoverer: this.#discovery.discoverer,
      crew: this.#crew,
      reloader: this.#reloader,
      publisher: this.#publisher,
      accessLog: this.#accessLog,
    });
    this.#aging = clock.every(BUDGET_AGE_MS, () => {
      ageBudgets(this.#words.retryTokens, limits.pools);
    });
  }

  /** Takes traffic: resolves when all workers accept. The sockets have been opened before. */
  async start(): Promise<void> {
    this.#useSettings(this.#publisher.config);
    const { kept } = this.#parts;
    await this.#discovery.begin(kept?.found ?? null);
    if (kept !== null) this.#publisher.restoreOverlay(kept.overlay);
    await this.#resolver.settled(NAMES_WAIT_MS);
    this.#publisher.publish();
    await this.#firstProbes();
    await this.#crew.start();
    this.#isServing = true;
    this.#discovery.serve();
    this.#keep();
  }

  /** Runs before the process ends: closes what others opened around the balancer. */
  beforeEnd(close: () => Promise<void>): void {
    this.#beforeEnd.push(close);
  }

  status(): StatusReport {
    return this.#reports.status(this.#isDraining);
  }

  metricsText(): string {
    return this.#reports.metricsText(this.#isDraining);
  }

  effectiveConfig(): unknown {
    return shownConfig(this.#publisher.effective);
  }

  isReady(): boolean {
    return this.#isServing && !this.#isDraining && this.#crew.isReady;
  }

  async reload(): Promise<ReloadOutcome> {
    if (this.#isDraining)
      return { ok: false, problems: ['Cannot reload as the balancer is draining'] };
    return await this.#reloader.reload();
  }

  async reopenLogs(): Promise<void> {
    await this.#accessLog.reopen();
    this.#parts.log.info('Reopened the log files');
  }

  /** The first call drains, the second one ends at once. */
  stop(): void {
    if (this.#isDraining) this.stopNow();
    else this.drain();
  }

  /** No new traffic; what runs is finished within `timeouts.drain`; then the process ends. */
  drain(): void {
    if (this.#isDraining) return;
    void this.#drain();
  }

  /** Ends all threads, then the process. */
  stopNow(): void {
    this.#isDraining = true;
    this.#parts.log.warn('Stopping at once; what is in flight is cut');
    void this.#stopNow();
  }

  drainServer(pool: string, address: string): OperationOutcome {
    return this.#kept(this.#publisher.setDrained(pool, address, true));
  }

  readyServer(pool: string, address: string): OperationOutcome {
    return this.#kept(this.#publisher.setDrained(pool, address, false));
  }

  setWeight(pool: string, address: string, weight: number): OperationOutcome {
    return this.#kept(this.#publisher.setWeight(pool, address, weight));
  }

  addServer(pool: string, spec: ServerSpec): OperationOutcome {
    return this.#kept(this.#publisher.addServer(pool, spec));
  }

  removeServer(pool: string, address: string): OperationOutcome {
    return this.#kept(this.#publisher.removeServer(pool, address));
  }

  injectFault(worker: number, kind: 'invariant' | 'stuck'): OperationOutcome {
    const isPlanted = this.#parts.areFaultsArmed && this.#crew.injectFault(worker, kind);
    if (isPlanted) return { ok: true, version: this.#publisher.snapshot?.version ?? 0 };
    return faultRefused(worker, this.#parts.workers);
  }

  #createCrew(onApplied: (version: number) => void): WorkerCrew {
    const { driver, workers, clock, log, random, sockets, areFaultsArmed, reclaim } = this.#parts;
    return new WorkerCrew({
      entry: sibling(import.meta.url, 'worker-entry'),
      count: workers,
      driver: driver.name,
      shared: this.#shared,
      words: this.#words,
      clock,
      log,
      random,
      areFaultsArmed,
      snapshot: () => this.#publisher.snapshot as Snapshot,
      geoOf: ({ geo }) => this.#parts.sources.geoBytes(geo),
      socketsOf: (worker) => sockets.socketsOf(worker),
      reclaim: (worker) => (driver.name === 'uring' ? reclaim(this.#words, worker) : 0),
      onMessage: (_worker, message) => this.#onMessage(message),
      onApplied,
      onHopeless: (why) => {
        log.error('This process is replaced', { why, exit: ExitCode.BROKEN });
        endHard();
      },
    });
  }

  #onMessage(message: FromWorker): void {
    if (message.type === 'log') this.#accessLog.write(message);
    else if (message.type === 'streak')
      this.#keeper.onStreak(message.slot, message.code, message.count);
  }

  /** Verdicts first: a new server's word stands before any worker can pick it. */
  #bringOut(snapshot: Snapshot): void {
    this.#keeper.apply(snapshot);
    this.#reports.follow(snapshot);
    for (const pool of snapshot.pools) {
      for (const { slot, address } of pool.servers) {
        this.#keeper.setDraining(slot, this.#publisher.isDrained(pool.name, address));
      }
    }
    if (!this.#isServing || this.#isDraining) return;
    const isListenerLeaving = this.#parts.sockets.refuseUnused();
    if (!isListenerLeaving && this.#areProbed()) {
      this.#crew.publish();
      return;
    }
    // Servers that are all new would answer 503 until their first probe, and a listener that leaves
    // has connections to accept: the old table serves on.
    const lastAccepts = isListenerLeaving ? this.#wait(LAST_ACCEPTS_MS) : null;
    void Promise.all([lastAccepts, this.#firstProbes()]).then(() => this.#crew.publish());
  }

  #useSettings(config: Config): void {
    this.#parts.log.setLevel(config.log.level);
    this.#accessLog.use(config.log);
    if (this.#isServing) this.#keep();
  }

  #onNames(): void {
    if (this.#isNamesDue || !this.#isServing || this.#isDraining) return;
    this.#isNamesDue = true;
    this.#parts.clock.after(NAMES_GATHER_MS, () => {
      this.#isNamesDue = false;
      if (!this.#isDraining) this.#publisher.publish();
    });
  }

  #firstProbes(): Promise<void> {
    return whenProbed(this.#parts.clock, () => this.#areProbed());
  }

  #areProbed(): boolean {
    const isUp = (slot: number): boolean => this.#keeper.viewOf(slot)?.state === 'up';
    return areProbed(this.#publisher.snapshot?.pools ?? [], isUp);
  }

  #kept(outcome: OperationOutcome): OperationOutcome {
    if (outcome.ok) this.#keep();
    return outcome;
  }

  /**
   * Leaves the state with the supervisor. Without it a crash forgets run-time changes, so say so.
   */
  #keep(): void {
    const { store, log } = this.#parts;
    if (store === null) return;
    const { config, overlayState: overlay } = this.#publisher;
    const state = { config, overlay, found: this.#discovery.discoverer.state };
    keepState(store, state).catch((error: unknown) => {
      log.warn('Cannot keep the state for the time after a crash', { why: String(error) });
    });
  }

  async #drain(): Promise<void> {
    this.#isDraining = true;
    const { log, sockets, store } = this.#parts;
    const { drainMs } = this.#publisher.config.timeouts;
    log.info('Draining: no new traffic, what runs is finished', { atMostMs: drainMs });
    await store?.announce('ending').catch(() => undefined);
    // Refuse first, then accept what had come before, then close: the other way round, connections
    // that the kernel had completed would be reset by the close.
    const refusing = sockets.refuse();
    await this.#wait(LAST_ACCEPTS_MS);
    const drained = this.#crew.drain(drainMs).then(() => true);
    const late = this.#wait(drainMs + DRAIN_GRACE_MS).then(() => false);
    await refusing;
    await sockets.closeAll();
    if (await Promise.race([drained, late])) return await this.#end();
    log.warn('The drain took longer than its limit');
    await this.#stopNow();
  }

  async #stopNow(): Promise<void> {
    await this.#parts.store?.announce('ending').catch(() => undefined);
    const hasEnded = await this.#crew.stop();
    await this.#end();
    if (!hasEnded) endHard();
  }

  async #end(): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#resolver.stop();
    this.#discovery.stop();
    this.#keeper.stop();
    this.#reports.stop();
    this.#aging.stop();
    await Promise.allSettled([...this.#beforeEnd.map((close) => close()), this.#accessLog.close()]);
    this.#parts.sockets.removeSocketFiles();
    this.#parts.log.info('Ended');
    if (this.#crew.hasEnded) this.#parts.exit(ExitCode.DRAINED);
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.clock.after(ms, resolve);
    });
  }
}
