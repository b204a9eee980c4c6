import type { Config } from '../control/config/config.ts';
import { configDifference, describeDifference } from '../control/config/difference.ts';
import type { Discoverer } from '../control/discovery/discoverer.ts';
import type { ReloadOutcome } from '../control/publish/operations.ts';
import type { Publisher } from '../control/publish/publisher.ts';
import { SlotsExhausted } from '../control/publish/slots.ts';
import type { ReloadStatus } from '../control/report/status.ts';
import { ListenRefusal } from '../platform/sockets.ts';
import type { Loaded } from './configuration-source.ts';
import type { ListenerSockets } from './listener-sockets.ts';
import type { ProcessLog } from './process-log.ts';

/** What a reload works on. */
export interface ReloadMeans {
  readonly load: () => Promise<Loaded>;
  readonly publisher: Publisher;
  readonly sockets: ListenerSockets;
  readonly discoverer: Discoverer;
  readonly whenApplied: (version: number) => Promise<void>;
  /** Published: settings of the process itself. */
  readonly onReloaded: (config: Config) => void;
  /** In force: it should outlive this process. */
  readonly keep: () => void;
  readonly wallMs: () => number;
  readonly log: ProcessLog;
}

/** How long a reload waits for the first answers of sources that are new. */
const DISCOVERY_WAIT_MS = 2_000;

/** Settings that threads and sockets are started with; a change waits for the next start. */
const settledAtStart = ['workers', 'admin'] as const;

/**
 * Brings a changed configuration into force in place, one reload at a time. A failed one changes
 * nothing.
 */
export class Reloader {
  readonly #means: ReloadMeans;
  /** What the process was started with: a setting that waits is named by every reload until then. */
  readonly #atStart: Config;
  #running: Promise<ReloadOutcome> | null = null;
  #isAskedAgain = false;
  #last: ReloadStatus | null = null;
  #count = 0;
  #failures = 0;
  /** How long the last one took to read and check. */
  #loadMs = 0;

  constructor(means: ReloadMeans) {
    this.#means = means;
    this.#atStart = means.publisher.config;
  }

  /** For `status`. */
  get state(): {
    readonly last: ReloadStatus | null;
    readonly count: number;
    readonly failures: number;
  } {
    return { last: this.#last, count: this.#count, failures: this.#failures };
  }

  get isRunning(): boolean {
    return this.#running !== null;
  }

  /** Calls during a reload share one more, which sees what the file says after they called. */
  reload(): Promise<ReloadOutcome> {
    if (this.#running === null) {
      this.#running = this.#run().finally(() => {
        this.#running = null;
      });
      return this.#running;
    }
    if (this.#isAskedAgain) return this.#running.then(() => this.#running ?? this.#lastOutcome());
    this.#isAskedAgain = true;
    return this.#running.then(() => {
      this.#isAskedAgain = false;
      return this.reload();
    });
  }

  async #run(): Promise<ReloadOutcome> {
    const { load, log, wallMs } = this.#means;
    this.#count++;
    const startedMs = wallMs();
    const outcome = await this.#attempt(async () => {
      const loaded = await load();
      this.#loadMs = wallMs() - startedMs;
      return loaded;
    });
    const problems = outcome.ok ? [] : outcome.problems;
    this.#last = { ok: outcome.ok, atMs: wallMs(), problems };
    if (outcome.ok) {
      log.info('Reloaded the configuration', {
        version: outcome.version,
        changes: outcome.changes,
        loadMs: this.#loadMs,
        inForceMs: wallMs() - startedMs - this.#loadMs,
      });
    } else {
      this.#failures++;
      log.error('The reload was refused; the running configuration stays', { problems });
    }
    return outcome;
  }

  /**
   * A fault of ours in the way of a reload is an outcome too: the caller and the log must see it.
   */
  async #attempt(load: () => Promise<Loaded>): Promise<ReloadOutcome> {
    try {
      const loaded = await load();
      return loaded.ok ? await this.#bringIn(loaded.config) : loaded;
    } catch (error) {
      return { ok: false, problems: [error instanceof Error ? error.message : String(error)] };
    }
  }

  async #bringIn(config: Config): Promise<ReloadOutcome> {
    const { publisher, sockets, discoverer, whenApplied, onReloaded, keep, log } = this.#means;
    const before = publisher.config;
    // Servers that come by discovery must be there when those that were written go.
    await discoverer.prepare(config.pools, DISCOVERY_WAIT_MS);
    let change: Awaited<ReturnType<ListenerSockets['change']>>;
    try {
      change = await sockets.change(config.listeners);
    } catch (error) {
      discoverer.adopt(before.pools);
      if (error instanceof ListenRefusal) return { ok: false, problems: [error.message] };
      throw error;
    }
    let version: number;
    try {
      ({ version } = publisher.replace(config, discoverer.foundFor(config.pools)));
    } catch (error) {
      discoverer.adopt(before.pools);
      await change.undo();
      if (error instanceof SlotsExhausted) return { ok: false, problems: [error.message] };
      throw error;
    }
    discoverer.adopt(config.pools);
    onReloaded(config);
    await whenApplied(version);
    keep();
    await change.finish();
    const late = settledAtStart.filter(
      (key) => JSON.stringify(this.#atStart[key]) !== JSON.stringify(config[key]),
    );
    if (late.length > 0)
      log.warn('These settings take effect at the next start', { settings: late });
    const changes = [describeDifference(configDifference(before, publisher.config))];
    return {
      ok: true,
      version,
      changes: [...changes, ...late.map((key) => `${key}: at the next start`)],
    };
  }

  #lastOutcome(): ReloadOutcome {
    const version = this.#means.publisher.snapshot?.version ?? 0;
    if (this.#last?.ok === false) return { ok: false, problems: this.#last.problems };
    return { ok: true, version, changes: [] };
  }
}
