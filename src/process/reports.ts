import type { Discoverer } from '../control/discovery/discoverer.ts';
import type { ExplainOutcome, ExplainRequest } from '../control/explain/explanation.ts';
import type { OutlookFigures } from '../control/outlook/outlook-metrics.ts';
import type { HealthKeeper } from '../control/probe/keeper.ts';
import { LagMeter } from '../control/probe/lag-meter.ts';
import type { Publisher } from '../control/publish/publisher.ts';
import {
  buildStatus,
  type ProcessStatus,
  type TrafficMeans,
} from '../control/report/build-status.ts';
import type { Departed } from '../control/report/departed.ts';
import { Exemplars } from '../control/report/exemplars.ts';
import type { ExpositionFormat } from '../control/report/exposition.ts';
import { type MetricsInput, metricsSteps } from '../control/report/metrics.ts';
import { RequestRates } from '../control/report/rates.ts';
import type { TrafficSample } from '../control/report/sample.ts';
import type { AccessLogStatus, StatusReport } from '../control/report/status.ts';
import { takeSample } from '../control/report/take-sample.ts';
import type { SharedWords } from '../model/shared-memory.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { CounterReader } from '../observe/counters.ts';
import type { HistogramReader } from '../observe/histograms.ts';
import type { BalancerParts } from './balancer-parts.ts';
import { configurationPath } from './configuration-source.ts';
import type { Outlets } from './outlets.ts';
import type { Reloader } from './reload.ts';
import { inSlices } from './sliced-work.ts';
import { version } from './version.ts';
import type { WorkerCrew } from './worker-crew.ts';

/** Where a balancer's reports come from. */
export interface ReportMeans {
  readonly parts: BalancerParts;
  readonly words: SharedWords;
  readonly counters: CounterReader;
  readonly histograms: HistogramReader;
  readonly departed: Departed;
  readonly keeper: HealthKeeper;
  readonly discoverer: Discoverer;
  readonly crew: WorkerCrew;
  readonly reloader: Reloader;
  readonly publisher: Publisher;
  readonly outlets: Outlets;
  /** Pids of balancers that this one replaced and that still live. */
  readonly leaving: () => readonly number[];
  /** What lies ahead. */
  readonly outlook: () => OutlookFigures;
}

/** The longest that writing metrics holds control up at a stretch. */
const SCRAPE_SLICE_MS = 4;

/** Gathers what `status` and `/metrics` tell from the parts of the balancer. */
export class Reports {
  readonly #means: ReportMeans;
  /** Slow requests that workers told of. */
  readonly exemplars: Exemplars = new Exemplars();
  readonly #rates: RequestRates;
  readonly #lag: LagMeter;
  readonly #startedAtMs: number;
  /** Answers being written. */
  readonly #scrapes = new Map<ExpositionFormat, Promise<string>>();
  #countsBefore: Readonly<Record<string, number>> = {};
  readonly #supervisor = Number(process.env['EVENKEEL_SUPERVISOR'] ?? '');

  constructor(means: ReportMeans) {
    this.#means = means;
    this.#lag = new LagMeter(means.parts.clock);
    this.#rates = new RequestRates(means.counters, means.parts.clock);
    this.#startedAtMs = means.parts.clock.wallMs();
  }

  /** Counters of the process itself, as a successor goes on with them. */
  get ownCounts(): Readonly<Record<string, number>> {
    const { configuration, workers } = this.process(false);
    const log = this.#accessLog();
    return {
      reloads: configuration.reloads,
      failedReloads: configuration.failedReloads,
      droppedLines: log?.droppedLines ?? 0,
      writtenBytes: log?.writtenBytes ?? 0,
      ...Object.fromEntries(workers.map(({ index, restarts }) => [`restarts ${index}`, restarts])),
    };
  }

  /** Goes on with what the balancer before had counted; the traffic's counters have been taken. */
  goOn(counts: Readonly<Record<string, number>>): void {
    this.#countsBefore = counts;
    this.#rates.restart();
  }

  /** Rates are kept for the servers of this snapshot. */
  follow(snapshot: Snapshot): void {
    this.#rates.follow(snapshot);
  }

  stop(): void {
    this.#rates.stop();
    this.#lag.stop();
  }

  status(isDraining: boolean): StatusReport {
    return buildStatus(this.process(isDraining), this.traffic());
  }

  /** The key figures of all traffic, for history, dashboard and pushes. */
  sample(): TrafficSample {
    return takeSample(this.traffic(), this.#means.parts.clock.wallMs());
  }

  /** Made in slices, so that probes and reloads are not held up; who asks meanwhile gets the same. */
  metricsText(isDraining: boolean, format: ExpositionFormat): Promise<string> {
    const running = this.#scrapes.get(format);
    if (running !== undefined) return running;
    const { histograms } = this.#means;
    const input: MetricsInput = {
      process: this.process(isDraining),
      threads: { lagOf: (worker) => histograms.lagOf(worker), controlLagMs: this.#lag.totalMs },
      traffic: this.traffic(),
      exemplarsOf: (route) => this.exemplars.of(route, this.#means.parts.clock.wallMs()),
      accessLog: this.#accessLog(),
      outlook: this.#means.outlook(),
    };
    const text = inSlices(metricsSteps(input, format), SCRAPE_SLICE_MS).finally(() =>
      this.#scrapes.delete(format),
    );
    this.#scrapes.set(format, text);
    return text;
  }

  /** The code is loaded by the first question: a restart must be quick. */
  async explain(asked: ExplainRequest): Promise<ExplainOutcome> {
    const { parts, words, keeper, publisher } = this.#means;
    const [{ explain }, { GeoDatabase }] = await Promise.all([
      import('../control/explain/explain.ts'),
      import('../platform/geo-database.ts'),
    ]);
    const snapshot = publisher.snapshot as Snapshot;
    const geo = parts.sources.geoBytes(snapshot.geo);
    const { clock, sockets, random } = parts;
    return explain(asked, {
      snapshot,
      geography: geo === null ? null : new GeoDatabase(geo),
      words,
      reportOf: (pool) => keeper.reportOf(pool),
      portOf: (listener) => sockets.portOf(listener),
      random,
      latencyClock: () => Math.round(clock.wallMs()) % 0x80000000,
      wallClock: () => clock.wallMs(),
    });
  }

  #before(name: string): number {
    return this.#countsBefore[name] ?? 0;
  }

  #accessLog(): AccessLogStatus | null {
    const { state } = this.#means.outlets.accessLog;
    if (state === null) return null;
    return {
      ...state,
      droppedLines: state.droppedLines + this.#before('droppedLines'),
      writtenBytes: state.writtenBytes + this.#before('writtenBytes'),
    };
  }

  /** The part of the status that is not traffic. */
  process(isDraining: boolean): ProcessStatus {
    const { parts, crew, reloader, publisher } = this.#means;
    const { last, count, failures } = reloader.state;
    return {
      version,
      startedAtMs: this.#startedAtMs,
      pids: {
        supervisor: this.#supervisor > 0 ? this.#supervisor : null,
        balancer: process.pid,
        leaving: this.#means.leaving(),
      },
      driver: parts.driver,
      isDraining,
      workers: crew.status().map((worker) => ({
        ...worker,
        restarts: worker.restarts + this.#before(`restarts ${worker.index}`),
      })),
      configuration: {
        file: configurationPath(parts.options),
        version: publisher.snapshot?.version ?? 0,
        lastReload: last,
        reloads: count + this.#before('reloads'),
        failedReloads: failures + this.#before('failedReloads'),
      },
      accessLog: this.#accessLog(),
      tracing: this.#means.outlets.traces.status,
    };
  }

  /** Where the traffic's figures come from. */
  traffic(): TrafficMeans {
    const { parts, words, counters, histograms, departed, keeper, discoverer, publisher } =
      this.#means;
    return {
      // Published before anyone can ask.
      snapshot: publisher.snapshot as Snapshot,
      words,
      workers: parts.workers,
      counters,
      histograms,
      departed,
      healthOf: (slot) => keeper.viewOf(slot),
      conditionOf: (pool) => keeper.viewOfPool(pool),
      rateOf: (slot) => this.#rates.of(slot),
      discoveryOf: (pool) => discoverer.statusOf(pool),
      portOf: (listener) => parts.sockets.portOf(listener),
    };
  }
}
