import { isSameData } from '../../base/same-data.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { Config } from '../config/config.ts';
import { type Published, toSnapshot } from '../config/to-snapshot.ts';
import type { FoundServers } from '../discovery/discoverer.ts';
import type { OperationOutcome, ServerOperation } from './operations.ts';
import { Overlay, type OverlayState } from './overlay.ts';
import type { NameResolver } from './resolver.ts';
import { applyOperation, noRoom } from './server-operation.ts';
import { type SlotBook, SlotsExhausted } from './slots.ts';

/** What the publisher needs. */
export interface PublisherMeans {
  readonly slots: SlotBook;
  readonly resolver: NameResolver;
  /** Epoch ms. */
  readonly wallMs: () => number;
  /** Puts a snapshot in force: verdicts first, then the workers. Called once per version. */
  readonly publish: (snapshot: Snapshot) => void;
}

/**
 * Holds the configuration in force and what operators changed on top, and turns both into versioned
 * snapshots. Everything happens within one call; a refusal changes nothing.
 */
export class Publisher {
  readonly #means: PublisherMeans;
  readonly #overlay = new Overlay();
  #config: Config;
  #found: FoundServers = new Map();
  /** The configuration with what discovery found; below what operators changed. */
  #merged: Config;
  #published: Published | null = null;
  #version = 0;

  constructor(config: Config, means: PublisherMeans) {
    this.#config = config;
    this.#merged = config;
    this.#means = means;
    this.#track();
  }

  /** The configuration as the file has it. */
  get config(): Config {
    return this.#config;
  }

  /** With what discovery found and the changes of operators; what runs. */
  get effective(): Config {
    return this.#overlay.applyTo(this.#merged);
  }

  /** The last published snapshot; null before the first. */
  get snapshot(): Snapshot | null {
    return this.#published?.snapshot ?? null;
  }

  /** What must outlive this process besides the configuration. */
  get overlayState(): OverlayState {
    return this.#overlay.state();
  }

  /** Takes over the changes that a balancer before us had; before the first publication. */
  restoreOverlay(state: OverlayState): void {
    this.#overlay.restore(state);
    this.#overlay.reconcile(this.#merged, this.#merged);
    this.#track();
  }

  /** Has an operator drained any server? */
  get hasDrained(): boolean {
    return this.#overlay.hasDrained;
  }

  isDrained(pool: string, address: string): boolean {
    return this.#overlay.isDrained(pool, address);
  }

  /** Epoch ms at which what still runs on a drained server is closed; null = never. */
  drainedUntil(pool: string, address: string): number | null {
    return this.#overlay.drainedUntil(pool, address);
  }

  /**
   * Builds and publishes what is in force now. Errors: throws `SlotsExhausted`, nothing changed.
   */
  publish(): Snapshot {
    const { slots, resolver, publish } = this.#means;
    const version = this.#version + 1;
    const effective = this.effective;
    slots.begin();
    let snapshot: Snapshot;
    try {
      const resolve = (address: string) => resolver.resolve(address);
      snapshot = toSnapshot(effective, slots.assigner, resolve, version, this.#published);
    } catch (error) {
      slots.abort();
      throw error;
    }
    slots.commit(version);
    this.#version = version;
    this.#published = { config: effective, snapshot, keepServers: slots.keepServers };
    publish(snapshot);
    return snapshot;
  }

  /**
   * Replaces the configuration and what discovery found for it. Errors: throws `SlotsExhausted`; the old
   * ones then stay in force.
   */
  replace(config: Config, found: FoundServers = this.#found): Snapshot {
    return this.#bringIn(config, found, 'file');
  }

  /** What would run with this configuration; nothing changes. */
  preview(config: Config, found: FoundServers): Config {
    const overlay = new Overlay();
    overlay.restore(this.#overlay.state());
    const merged = withFound(config, found);
    overlay.reconcile(this.#merged, merged);
    return overlay.applyTo(merged);
  }

  /** Before the first publication: takes over what discovery found so far. */
  begin(found: FoundServers): void {
    this.#found = found;
    this.#merged = withFound(this.#config, found);
    this.#track();
  }

  /**
   * Takes over what discovery found now. Refused when slots run out: what was found before stays in force.
   */
  discover(found: FoundServers): OperationOutcome {
    try {
      const { version } = this.#bringIn(this.#config, found, 'discovery');
      return { ok: true, version };
    } catch (error) {
      if (!(error instanceof SlotsExhausted)) throw error;
      return { ok: false, problem: noRoom('use what was found', error.message) };
    }
  }

  #bringIn(config: Config, found: FoundServers, by: 'file' | 'discovery'): Snapshot {
    const before = { config: this.#config, found: this.#found, merged: this.#merged };
    const overlayBefore = this.#overlay.state();
    this.#config = sharing(config, before.config);
    this.#found = found;
    this.#merged = sharing(withFound(this.#config, found), before.merged);
    this.#overlay.reconcile(before.merged, this.#merged, by);
    this.#track();
    try {
      return this.publish();
    } catch (error) {
      this.#config = before.config;
      this.#found = before.found;
      this.#merged = before.merged;
      this.#overlay.restore(overlayBefore);
      this.#track();
      throw error;
    }
  }

  /** Makes all of these changes in their order with one publication, or none of them. */
  change(operations: readonly ServerOperation[]): OperationOutcome {
    const before = this.#overlay.state();
    for (const [index, operation] of operations.entries()) {
      const problem = applyOperation(operation, {
        effective: this.effective,
        underlying: this.#merged,
        overlay: this.#overlay,
        wallMs: this.#means.wallMs(),
      });
      if (problem === null) continue;
      this.#overlay.restore(before);
      return { ok: false, problem: operations.length > 1 ? { ...problem, index } : problem };
    }
    if (JSON.stringify(before) === JSON.stringify(this.#overlay.state())) {
      return { ok: true, version: this.#version };
    }
    this.#track();
    try {
      return { ok: true, version: this.publish().version };
    } catch (error) {
      this.#overlay.restore(before);
      this.#track();
      if (!(error instanceof SlotsExhausted)) throw error;
      return { ok: false, problem: noRoom('add servers', error.message) };
    }
  }

  #track(): void {
    const addresses: string[] = [];
    for (const pool of this.effective.pools)
      for (const { address } of pool.servers) addresses.push(address);
    this.#means.resolver.track(addresses);
  }
}

/** The same configuration with the pools and routes of `before` where they say the same. */
function sharing(config: Config, before: Config): Config {
  if (config === before) return config;
  const known = new Map(before.pools.map((pool) => [pool.name, pool]));
  const pools = config.pools.map((pool) => {
    const former = known.get(pool.name);
    return former !== undefined && isSameData(pool, former) ? former : pool;
  });
  const hasSameRoutes = isSameData(config.routes, before.routes);
  return { ...config, pools, routes: hasSameRoutes ? before.routes : config.routes };
}

/** Servers of a pool are the written ones, then those found; an address counts once. */
function withFound(config: Config, found: FoundServers): Config {
  if (found.size === 0) return config;
  const pools = config.pools.map((pool) => {
    const servers = found.get(pool.name) ?? [];
    if (servers.length === 0) return pool;
    const written = new Set(pool.servers.map(({ address }) => address));
    const others = servers.filter(({ address }) => !written.has(address));
    return { ...pool, servers: [...pool.servers, ...others] };
  });
  return { ...config, pools };
}
