import type { Clock } from '../../platform/clock.ts';
import type { ConfigPool, ConfigServer } from '../config/config.ts';
import type { ConfigDiscovery } from '../config/discovery.ts';
import type { DiscoveryStatus } from '../report/status.ts';
import { FollowedSource, type FollowedSourceMeans } from './followed-source.ts';
import type { RunningSource, SourceSink } from './source.ts';

/** What the discoverer works with. */
export interface DiscovererMeans {
  readonly clock: Clock;
  readonly start: (source: ConfigDiscovery, sink: SourceSink) => RunningSource;
  /** What was found changed; changes within a moment are one call. */
  readonly onChange: () => void;
  readonly log: (level: 'info' | 'warn', message: string) => void;
}

/** Servers that discovery found, by pool. */
export type FoundServers = ReadonlyMap<string, readonly ConfigServer[]>;

/** What each source found, as plain data: a balancer after a crash begins with it. */
export type DiscoveryState = Readonly<Record<string, readonly ConfigServer[]>>;

/** Changes within so long make one publication. */
const GATHER_MS = 50;
/** Publications are at least so far apart, whatever sources do. */
const SPACING_MS = 250;

/** Follows the sources of all pools and gathers what they find. */
export class Discoverer {
  readonly #means: DiscovererMeans;
  readonly #sources = new Map<string, FollowedSource>();
  #restored: DiscoveryState = {};
  #onSettled: (() => void)[] = [];
  #isDue = false;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #hasStopped = false;

  constructor(means: DiscovererMeans) {
    this.#means = means;
  }

  /** Before the first `prepare`: sources begin with what a balancer before us had found. */
  restore(state: DiscoveryState): void {
    this.#restored = state;
  }

  /** What must outlive this process. */
  get state(): DiscoveryState {
    return Object.fromEntries([...this.#sources].map(([key, { servers }]) => [key, servers]));
  }

  /**
   * Starts the sources of a configuration that is to come, those in use run on; resolves when each new one
   * has answered or failed, at latest after `atMostMs`. Until then a new source of a pool has what the
   * pool's other sources found. `adopt` or another `prepare` follows.
   */
  async prepare(pools: readonly ConfigPool[], atMostMs: number): Promise<void> {
    const started: FollowedSource[] = [];
    for (const pool of pools) {
      let inherited = this.#of(pool.name);
      for (const source of pool.discover) {
        const key = keyOf(pool.name, source);
        if (this.#sources.has(key)) continue;
        const restored = Object.hasOwn(this.#restored, key) ? this.#restored[key] : undefined;
        const followed = new FollowedSource(pool.name, source, this.#sourceMeans());
        if (restored !== undefined) followed.restore(restored);
        else followed.inherit(inherited);
        inherited = [];
        this.#sources.set(key, followed);
        started.push(followed);
      }
    }
    this.#restored = {};
    for (const source of started) source.start();
    if (started.length > 0) await this.#settled(started, atMostMs);
  }

  /** Exactly the sources of this configuration run. */
  adopt(pools: readonly ConfigPool[]): void {
    const wanted = new Set(
      pools.flatMap(({ name, discover }) => discover.map((source) => keyOf(name, source))),
    );
    for (const [key, source] of this.#sources) {
      if (wanted.has(key)) continue;
      source.stop();
      this.#sources.delete(key);
    }
  }

  /** What the sources of these pools have found, each address once: the first source that has it counts. */
  foundFor(pools: readonly ConfigPool[]): FoundServers {
    const found = new Map<string, readonly ConfigServer[]>();
    for (const { name, discover } of pools) {
      if (discover.length === 0) continue;
      const keys = discover.map((source) => keyOf(name, source));
      found.set(name, this.#merged(keys.map((key) => this.#sources.get(key))));
    }
    return found;
  }

  /** Sources of a pool, in written order. */
  statusOf(pool: string): readonly DiscoveryStatus[] {
    return [...this.#sources.values()]
      .filter((source) => source.pool === pool)
      .map((source) => source.status());
  }

  stop(): void {
    this.#hasStopped = true;
    for (const source of this.#sources.values()) source.stop();
    this.#sources.clear();
  }

  #sourceMeans(): FollowedSourceMeans {
    const { clock, start, log } = this.#means;
    return {
      clock,
      start,
      log,
      onChange: () => this.#changed(),
      onSettled: () => this.#tellSettled(),
    };
  }

  #of(pool: string): readonly ConfigServer[] {
    return this.#merged([...this.#sources.values()].filter((source) => source.pool === pool));
  }

  #merged(sources: readonly (FollowedSource | undefined)[]): readonly ConfigServer[] {
    const servers = new Map<string, ConfigServer>();
    for (const source of sources) {
      for (const server of source?.servers ?? []) {
        if (!servers.has(server.address)) servers.set(server.address, server);
      }
    }
    return [...servers.values()];
  }

  #changed(): void {
    if (this.#isDue || this.#hasStopped) return;
    this.#isDue = true;
    const { clock, onChange } = this.#means;
    const delayMs = Math.max(GATHER_MS, this.#toldAtMs + SPACING_MS - clock.nowMs());
    clock.after(delayMs, () => {
      this.#isDue = false;
      this.#toldAtMs = clock.nowMs();
      if (!this.#hasStopped) onChange();
    });
  }

  #settled(sources: readonly FollowedSource[], atMostMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#means.clock.after(atMostMs, resolve);
      const look = (): void => {
        if (sources.every(({ isSettled }) => isSettled)) {
          timer.stop();
          resolve();
        } else this.#onSettled.push(look);
      };
      look();
    });
  }

  #tellSettled(): void {
    const tell = this.#onSettled;
    this.#onSettled = [];
    for (const each of tell) each();
  }
}

/** A source that is written the same in the next configuration goes on. */
function keyOf(pool: string, source: ConfigDiscovery): string {
  return `${pool} ${JSON.stringify(source)}`;
}
