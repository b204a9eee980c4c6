import type { Discoverer } from '../control/discovery/discoverer.ts';
import type { ExplainOutcome, ExplainRequest } from '../control/explain/explanation.ts';
import type { HealthKeeper } from '../control/probe/keeper.ts';
import type { Publisher } from '../control/publish/publisher.ts';
import {
  buildStatus,
  type ProcessStatus,
  type TrafficMeans,
} from '../control/report/build-status.ts';
import type { Departed } from '../control/report/departed.ts';
import { metricsText } from '../control/report/metrics.ts';
import { RequestRates } from '../control/report/rates.ts';
import type { StatusReport } from '../control/report/status.ts';
import type { SharedWords } from '../model/shared-memory.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { CounterReader } from '../observe/counters.ts';
import type { HistogramReader } from '../observe/histograms.ts';
import type { AccessLogSink } from './access-log-sink.ts';
import type { BalancerParts } from './balancer.ts';
import { configurationPath } from './configuration-source.ts';
import type { Reloader } from './reload.ts';
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
  readonly accessLog: AccessLogSink;
}

/** Gathers what `status` and `/metrics` tell from the parts of the balancer. */
export class Reports {
  readonly #means: ReportMeans;
  readonly #rates: RequestRates;
  readonly #startedAtMs: number;
  readonly #supervisor = Number(process.env['EVENKEEL_SUPERVISOR'] ?? '');

  constructor(means: ReportMeans) {
    this.#means = means;
    this.#rates = new RequestRates(means.counters, means.parts.clock);
    this.#startedAtMs = means.parts.clock.wallMs();
  }

  /** Rates are kept for the servers of this snapshot. */
  follow(snapshot: Snapshot): void {
    this.#rates.follow(snapshot);
  }

  stop(): void {
    this.#rates.stop();
  }

  status(isDraining: boolean): StatusReport {
    return buildStatus(this.#process(isDraining), this.#traffic());
  }

  metricsText(isDraining: boolean): string {
    return metricsText({
      process: this.#process(isDraining),
      traffic: this.#traffic(),
      accessLog: this.#means.accessLog.state,
    });
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
      healthOf: (slot) => keeper.viewOf(slot),
      portOf: (listener) => sockets.portOf(listener),
      random,
      latencyClock: () => Math.round(clock.wallMs()) % 0x80000000,
      wallClock: () => clock.wallMs(),
    });
  }

  #process(isDraining: boolean): ProcessStatus {
    const { parts, crew, reloader, publisher } = this.#means;
    const { last, count, failures } = reloader.state;
    return {
      version,
      startedAtMs: this.#startedAtMs,
      pids: {
        supervisor: this.#supervisor > 0 ? this.#supervisor : null,
        balancer: process.pid,
      },
      driver: parts.driver,
      isDraining,
      workers: crew.status(),
      configuration: {
        file: configurationPath(parts.options),
        version: publisher.snapshot?.version ?? 0,
        lastReload: last,
        reloads: count,
        failedReloads: failures,
      },
    };
  }

  #traffic(): TrafficMeans {
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
