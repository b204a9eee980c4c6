// Rule zero: longer than 400 lines, because it is the one place where all parts of the process are joined.
import type { Config } from '../control/config/config.ts';
import { shownConfig } from '../control/config/shown-config.ts';
import { aimsOf } from '../control/history/aims.ts';
import type { PoolAims } from '../control/history/questions.ts';
import type { Outlook } from '../control/outlook/outlook.ts';
import { HealthKeeper } from '../control/probe/keeper.ts';
import { DrainDeadlines } from '../control/publish/drain-deadlines.ts';
import type {
  BalancerControl,
  ConfigText,
  OperationOutcome,
  PreviewOutcome,
  ReloadOutcome,
  ServerOperation,
  UpgradeOutcome,
} from '../control/publish/operations.ts';
import { Publisher } from '../control/publish/publisher.ts';
import { NameResolver } from '../control/publish/resolver.ts';
import type { ExpositionFormat } from '../control/report/exposition.ts';
import type { TrafficSample } from '../control/report/sample.ts';
import type { StatusReport } from '../control/report/status.ts';
import type { TotalsMeans } from '../control/report/totals.ts';
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
import type { BalancerParts } from './balancer-parts.ts';
import { configurationPath } from './configuration-source.ts';
import { Discovery } from './discovery.ts';
import { Ending, lastAccepts } from './ending.ts';
import { faultRefused } from './fault-refused.ts';
import { areProbed, whenProbed } from './first-probes.ts';
import { HandOver } from './hand-over.ts';
import { History } from './history.ts';
import { IdleLimits } from './idle-limits.ts';
import { keepState } from './kept-state.ts';
import { Outlets } from './outlets.ts';
import { createOutlook } from './outlook.ts';
import { probeMeans } from './probe-means.ts';
import { Reloader } from './reload.ts';
import { Reports } from './reports.ts';
import { createSlotBook } from './shared-slots.ts';
import { sibling } from './sibling.ts';
import { Watching } from './watching.ts';
import { WorkerCrew } from './worker-crew.ts';

/** How long the first snapshot waits for names; traffic waits in the kernel's queue. */
const NAMES_WAIT_MS = 500;
/** Retry budgets are balances of the last seconds: this is the second that they are aged by. */
const BUDGET_AGE_MS = 1_000;
/** Changes of names within so long make one snapshot. */
const NAMES_GATHER_MS = 20;

/** The balancer process: control on the main thread, traffic on the workers. */
export class Balancer implements BalancerControl {
  /** How this process ends in order. */
  readonly ending: Ending;
  /** How it is replaced by another, and what it takes from those before it. */
  readonly handOver: HandOver;
  /** What those who look may see as it happens. */
  readonly watch: Watching;
  readonly #parts: BalancerParts;
  readonly #shared: SharedBuffers;
  readonly #words: SharedWords;
  readonly #crew: WorkerCrew;
  readonly #publisher: Publisher;
  readonly #resolver: NameResolver;
  readonly #keeper: HealthKeeper;
  readonly #discovery: Discovery;
  readonly #outlets: Outlets;
  readonly #reloader: Reloader;
  readonly #reports: Reports;
  readonly #outlook: Outlook;
  readonly #deadlines: DrainDeadlines;
  readonly #aging: RunningTimer;
  readonly health: BalancerControl['health'] = (pool) => this.#keeper.reportOf(pool);
  /** Figures of the past; kept once traffic flows. */
  readonly past: History;
  readonly history: BalancerControl['history'] = (question) => this.past.ask(question);
  readonly explain: BalancerControl['explain'] = (asked) => this.#reports.explain(asked);
  #isServing = false;
  #isNamesDue = false;
  #hadDrained = false;

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
    this.watch = new Watching(clock, log);
    this.#keeper = new HealthKeeper({
      words: this.#words,
      clock,
      ...probeMeans(counters, histograms),
      random,
      drainedUntil: (pool, address) => this.#publisher.drainedUntil(pool, address),
      log: this.watch.onHealth,
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
      wallMs: () => clock.wallMs(),
      publish: (snapshot) => this.#bringOut(snapshot),
    });
    this.#discovery = new Discovery(parts, this.#publisher, () => this.#keep());
    this.#outlets = new Outlets(clock, log, () => this.metricsText('prometheus'));
    this.#crew = this.#createCrew((version) => slots.applied(version));
    this.#reloader = new Reloader({
      load: () => parts.sources.load(),
      publisher: this.#publisher,
      sockets,
      discoverer: this.#discovery.discoverer,
      whenApplied: (version) => this.#crew.whenApplied(version),
      onReloaded: (reloaded) => this.#useSettings(reloaded),
      keep: () => this.#keep(),
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
      outlets: this.#outlets,
      leaving: () => this.handOver.leaving.map(({ pid }) => pid),
      outlook: () => this.#outlook,
    });
    this.watch.attach(clock, this.#reports, this.#crew, this);
    [this.#outlook, this.past] = this.#createPast();
    this.#deadlines = this.#createDeadlines(clock);
    this.ending = this.#createEnding();
    this.handOver = this.#createHandOver({ counters, histograms, departed, slots });
    this.#aging = this.#createAging(clock);
  }

  /** Takes traffic: resolves when all workers accept. The sockets have been opened before. */
  async start(): Promise<void> {
    this.#useSettings(this.#publisher.config);
    const { kept, heritage } = this.#parts;
    this.#keeper.remember(heritage?.health ?? []);
    this.#resolver.remember(heritage?.names ?? {});
    await this.#discovery.begin(kept?.found ?? null);
    if (kept !== null) this.#publisher.restoreOverlay(kept.overlay);
    await this.#resolver.settled(NAMES_WAIT_MS);
    this.#publisher.publish();
    if (heritage !== null) {
      this.handOver.inherit(heritage);
      this.#reports.goOn(heritage.process);
    }
    await this.#firstProbes();
    await this.#crew.start();
    this.#isServing = true;
    this.watch.onStarted('takes traffic');
    this.#discovery.serve();
    this.#keep();
  }

  async upgrade(): Promise<UpgradeOutcome> {
    const outcome = await this.handOver.upgrade();
    this.watch.onUpgrade(outcome);
    return outcome;
  }

  get isUpgrading(): boolean {
    return this.handOver.isUnderWay;
  }

  status(): StatusReport {
    return this.#reports.status(this.isDraining);
  }

  metricsText(format: ExpositionFormat): Promise<string> {
    return this.#reports.metricsText(this.isDraining, format);
  }

  effectiveConfig(): unknown {
    return shownConfig(this.#publisher.effective);
  }

  isReady(): boolean {
    return this.#isServing && !this.isDraining && this.#crew.isReady;
  }

  async reload(): Promise<ReloadOutcome> {
    if (this.isDraining)
      return { ok: false, problems: ['Cannot reload as the balancer is draining'] };
    if (this.isUpgrading)
      return { ok: false, problems: ['Cannot reload as an upgrade is running'] };
    const outcome = await this.#reloader.reload();
    this.watch.onReload(outcome);
    return outcome;
  }

  async reopenLogs(): Promise<void> {
    await this.#outlets.accessLog.reopen();
    this.#parts.log.info('Reopened the log files');
  }

  /** The first call drains, the second one ends at once. */
  stop(): void {
    if (this.isDraining) this.ending.stopNow();
    else this.ending.drain();
  }

  async preview(candidate: ConfigText | null): Promise<PreviewOutcome> {
    const { preview } = await import('./preview.ts');
    return await preview(candidate, {
      options: this.#parts.options,
      publisher: this.#publisher,
      discoverer: this.#discovery.discoverer,
      live: () => this.status(),
    });
  }

  change(changes: readonly ServerOperation[]): OperationOutcome {
    const outcome = this.#kept(this.#publisher.change(changes));
    if (outcome.ok) this.watch.onChanges(changes);
    return outcome;
  }

  injectFault(worker: number, kind: 'invariant' | 'stuck'): OperationOutcome {
    const isPlanted = this.#parts.areFaultsArmed && this.#crew.injectFault(worker, kind);
    if (isPlanted) return { ok: true, version: this.#publisher.snapshot?.version ?? 0 };
    return faultRefused(worker, this.#parts.workers);
  }

  #createAging(clock: Clock): RunningTimer {
    const { retryTokens } = this.#words;
    return clock.every(BUDGET_AGE_MS, () => ageBudgets(retryTokens, limits.pools));
  }

  #createPast(): [Outlook, History] {
    const { options, clock, log } = this.#parts;
    const configFile = configurationPath(options);
    const sample = (): TrafficSample => this.#reports.sample();
    const aims = (): readonly PoolAims[] => aimsOf(this.#publisher.config, sample());
    const ask: History['ask'] = (question) => this.past.ask(question);
    const outlook = createOutlook({ aims, ask, clock, log });
    const onTick = outlook.take.bind(outlook);
    return [outlook, new History({ sample, aims, onTick, configFile, clock, log })];
  }

  #createDeadlines(clock: Clock): DrainDeadlines {
    return new DrainDeadlines({
      clock,
      untilOf: (pool, address) => this.#publisher.drainedUntil(pool, address),
      close: (slot, overMs) => this.#crew.closeServer(slot, overMs),
    });
  }

  get isHistoryKept(): boolean {
    return this.past.isKept;
  }

  get isDraining(): boolean {
    return this.ending.isDraining;
  }

  #createEnding(): Ending {
    const { sockets, store, clock, log, exit } = this.#parts;
    return new Ending({
      crew: this.#crew,
      sockets,
      store,
      clock,
      log,
      exit,
      drainMs: () => this.#publisher.config.timeouts.drainMs,
      close: () => this.#close(),
    });
  }

  #createHandOver(totals: TotalsMeans): HandOver {
    const { store, generation, clock, log } = this.#parts;
    return new HandOver({
      store,
      generation,
      clock,
      log,
      totals,
      snapshot: () => this.#publisher.snapshot as Snapshot,
      heritage: () => ({
        health: this.#keeper.memory,
        names: this.#resolver.memory,
        process: this.#reports.ownCounts,
      }),
      keep: () => this.#keepNow(),
      whyNot: () => {
        if (!this.isReady()) return 'a balancer that takes traffic is required';
        return this.#reloader.isRunning ? 'a reload is running' : null;
      },
      leave: () => this.ending.leave(),
    });
  }

  #createCrew(onApplied: (version: number) => void): WorkerCrew {
    const { driver, workers, clock, log, random, sockets, areFaultsArmed, reclaim } = this.#parts;
    const idleLimits = new IdleLimits(this.#words, clock, log, () => this.#publisher.snapshot);
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
      onMessage: (_worker, message) => {
        if (message.type === 'idle-limit') idleLimits.on(message);
        else this.#onMessage(message);
      },
      onApplied,
      onDied: (worker, why) => this.watch.onWorkerDied(worker, why),
      onHopeless: (why) => void this.handOver.endBroken(why),
    });
  }

  #onMessage(message: FromWorker): void {
    if (message.type === 'log' || message.type === 'spans') this.#outlets.take(message);
    else if (message.type === 'tail') this.watch.take(message);
    else if (message.type === 'slow') this.#reports.exemplars.take(message.requests);
    else if (message.type === 'hook-fault') {
      this.#parts.log.warn('A hook failed', { what: message.what, before: message.before });
    } else if (message.type === 'streak')
      this.#keeper.onStreak(message.slot, message.code, message.count);
  }

  /** Verdicts first: a new server's word stands before any worker can pick it. */
  #bringOut(snapshot: Snapshot): void {
    this.#keeper.apply(snapshot);
    this.#reports.follow(snapshot);
    this.#deadlines.follow(snapshot);
    this.#drainOrNot(snapshot);
    if (!this.#isServing || this.isDraining) return;
    const isListenerLeaving = this.#parts.sockets.refuseUnused();
    if (!isListenerLeaving && this.#areProbed()) {
      this.#crew.publish();
      return;
    }
    // Servers that are all new would answer 503 until their first probe, and a listener that leaves
    // has connections to accept: the old table serves on.
    const accepted = isListenerLeaving ? lastAccepts(this.#parts.clock) : null;
    void Promise.all([accepted, this.#firstProbes()]).then(() => this.#crew.publish());
  }

  /** Where nothing is drained, and nothing was, ten thousand servers need not be asked. */
  #drainOrNot({ pools }: Snapshot): void {
    const { hasDrained } = this.#publisher;
    if (!hasDrained && !this.#hadDrained) return;
    this.#hadDrained = hasDrained;
    for (const pool of pools) {
      for (const { slot, address } of pool.servers) {
        this.#keeper.setDraining(slot, this.#publisher.isDrained(pool.name, address));
      }
    }
  }

  #useSettings(config: Config): void {
    this.#parts.log.setLevel(config.log.level);
    this.#outlets.use(config);
    this.#outlook.use({ alerts: config.alerts ?? null, scaling: config.scaling ?? null });
    if (this.#isServing) void this.past.use(config);
  }

  #onNames(): void {
    if (this.#isNamesDue || !this.#isServing || this.isDraining) return;
    this.#isNamesDue = true;
    this.#parts.clock.after(NAMES_GATHER_MS, () => {
      this.#isNamesDue = false;
      if (!this.isDraining) this.#publisher.publish();
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
    this.#keepNow().catch((error: unknown) => {
      const why = String(error);
      this.#parts.log.warn('Cannot keep the state for the time after a crash', { why });
    });
  }

  async #keepNow(): Promise<void> {
    const { store } = this.#parts;
    if (store === null) return;
    const { config, overlayState: overlay } = this.#publisher;
    await keepState(store, { config, overlay, found: this.#discovery.discoverer.state });
  }

  async #close(): Promise<void> {
    this.#resolver.stop();
    this.#discovery.stop();
    this.#deadlines.stop();
    this.#keeper.stop();
    this.#reports.stop();
    this.#aging.stop();
    await Promise.allSettled([this.handOver.stop(), this.#outlets.close()]);
  }
}
