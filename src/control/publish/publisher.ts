import type { Snapshot } from '../../model/snapshot.ts';
import { parseServerAddress } from '../config/address.ts';
import type { Config, ConfigPool, ConfigServer } from '../config/config.ts';
import { toSnapshot } from '../config/to-snapshot.ts';
import type { FoundServers } from '../discovery/discoverer.ts';
import type { OperationOutcome, OperationProblem, ServerSpec } from './operations.ts';
import { Overlay, type OverlayState } from './overlay.ts';
import type { NameResolver } from './resolver.ts';
import { type SlotBook, SlotsExhausted } from './slots.ts';

/** What the publisher needs. */
export interface PublisherMeans {
  readonly slots: SlotBook;
  readonly resolver: NameResolver;
  /** Puts a snapshot in force: verdicts first, then the workers. Called once per version. */
  readonly publish: (snapshot: Snapshot) => void;
}

/** The largest weight, as in the configuration. */
const WEIGHT_MAX = 1_000;

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
  #snapshot: Snapshot | null = null;
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
    return this.#snapshot;
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

  isDrained(pool: string, address: string): boolean {
    return this.#overlay.isDrained(pool, address);
  }

  /**
   * Builds and publishes what is in force now. Errors: throws `SlotsExhausted`, nothing changed.
   */
  publish(): Snapshot {
    const { slots, resolver, publish } = this.#means;
    const version = this.#version + 1;
    slots.begin();
    let snapshot: Snapshot;
    try {
      const resolve = (address: string) => resolver.resolve(address);
      snapshot = toSnapshot(this.effective, slots.assigner, resolve, version);
    } catch (error) {
      slots.abort();
      throw error;
    }
    slots.commit(version);
    this.#version = version;
    this.#snapshot = snapshot;
    publish(snapshot);
    return snapshot;
  }

  /**
   * Replaces the configuration and what discovery found for it. Errors: throws `SlotsExhausted`; the old
   * ones then stay in force.
   */
  replace(config: Config, found: FoundServers = this.#found): Snapshot {
    return this.#bringIn(config, found, () => this.publish());
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
      const { version } = this.#bringIn(this.#config, found, () => this.publish());
      return { ok: true, version };
    } catch (error) {
      if (!(error instanceof SlotsExhausted)) throw error;
      return refuse('capacity-reached', 'use what was found', null, error.message, 'none free');
    }
  }

  #bringIn(config: Config, found: FoundServers, publish: () => Snapshot): Snapshot {
    const before = { config: this.#config, found: this.#found, merged: this.#merged };
    const overlayBefore = this.#overlay.state();
    this.#config = config;
    this.#found = found;
    this.#merged = withFound(config, found);
    this.#overlay.reconcile(before.merged, this.#merged);
    this.#track();
    try {
      return publish();
    } catch (error) {
      this.#config = before.config;
      this.#found = before.found;
      this.#merged = before.merged;
      this.#overlay.restore(overlayBefore);
      this.#track();
      throw error;
    }
  }

  setDrained(pool: string, address: string, isDrained: boolean): OperationOutcome {
    const does = `${isDrained ? 'drain' : 'make ready'} ${pool}/${address}`;
    return this.#change(does, pool, address, () => {
      this.#overlay.setDrained(pool, address, isDrained);
    });
  }

  setWeight(pool: string, address: string, weight: number): OperationOutcome {
    const does = `set the weight of ${pool}/${address}`;
    if (!Number.isInteger(weight) || weight < 0 || weight > WEIGHT_MAX) {
      const path = `pools.${pool}.servers.weight`;
      const requirement = `a whole number from 0 to ${WEIGHT_MAX}`;
      return refuse('invalid-weight', does, path, requirement, String(weight));
    }
    return this.#change(does, pool, address, () => this.#overlay.setWeight(pool, address, weight));
  }

  addServer(pool: string, spec: ServerSpec): OperationOutcome {
    const does = `add ${spec.address} to ${pool}`;
    const found = this.#pool(pool);
    if (found === null) return unknownPool(does, pool);
    const path = `pools.${pool}.servers`;
    const weight = spec.weight ?? 1;
    const connectionsMax = spec.maxConnections ?? 0;
    if (parseServerAddress(spec.address) === null) {
      const requirement = 'an address such as 10.0.0.1:3000, app.internal:80 or unix:/run/app.sock';
      return refuse('invalid-server', does, path, requirement, spec.address);
    }
    if (!Number.isInteger(weight) || weight < 0 || weight > WEIGHT_MAX) {
      return refuse(
        'invalid-weight',
        does,
        path,
        `a weight from 0 to ${WEIGHT_MAX}`,
        String(weight),
      );
    }
    if (!Number.isInteger(connectionsMax) || connectionsMax < 0 || connectionsMax > 1_000_000) {
      const requirement = 'a whole number of connections from 0 to 1000000';
      return refuse('invalid-server', does, path, requirement, String(connectionsMax));
    }
    if (found.servers.some((server) => server.address === spec.address)) {
      return refuse('server-exists', does, path, 'an address the pool does not have', spec.address);
    }
    const server: ConfigServer = {
      address: spec.address,
      weight,
      isBackup: spec.backup ?? false,
      tier: 0,
      connectionsMax,
      labels: spec.labels ?? {},
    };
    const written = this.#merged.pools.find((each) => each.name === pool);
    const isInFile = written?.servers.some((each) => each.address === spec.address) === true;
    return this.#commit(does, () => this.#overlay.add(pool, server, isInFile));
  }

  removeServer(pool: string, address: string): OperationOutcome {
    const does = `remove ${pool}/${address}`;
    return this.#change(does, pool, address, () => this.#overlay.remove(pool, address));
  }

  #pool(name: string): ConfigPool | null {
    return this.effective.pools.find((pool) => pool.name === name) ?? null;
  }

  /** A change of one server that must exist. */
  #change(does: string, pool: string, address: string, change: () => void): OperationOutcome {
    const found = this.#pool(pool);
    if (found === null) return unknownPool(does, pool);
    if (!found.servers.some((server) => server.address === address)) {
      const requirement = `a server of the pool: ${found.servers.map((s) => s.address).join(', ')}`;
      return refuse('unknown-server', does, `pools.${pool}.servers`, requirement, address);
    }
    return this.#commit(does, change);
  }

  #commit(does: string, change: () => void): OperationOutcome {
    const before = this.#overlay.state();
    change();
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
      return refuse('capacity-reached', does, null, error.message, 'none free');
    }
  }

  #track(): void {
    const addresses: string[] = [];
    for (const pool of this.effective.pools)
      for (const { address } of pool.servers) addresses.push(address);
    this.#means.resolver.track(addresses);
  }
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

function unknownPool(does: string, pool: string): OperationOutcome {
  return refuse('unknown-pool', does, 'pools', 'the name of a pool', pool);
}

function refuse(
  code: OperationProblem['code'],
  does: string,
  path: string | null,
  requirement: string,
  found: string,
): OperationOutcome {
  const message = `Cannot ${does} as ${requirement} is required: current value is ${found}`;
  return { ok: false, problem: { code, message, path, requirement, found } };
}
