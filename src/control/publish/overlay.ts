import type { Config, ConfigPool, ConfigServer } from '../config/config.ts';

/** Changes made at run time, as plain data: they outlive a crash of the balancer. */
export interface OverlayState {
  readonly added: Readonly<Record<string, readonly ConfigServer[]>>;
  /** Removed servers: `pool/address`. */
  readonly removed: readonly string[];
  readonly drained: readonly string[];
  /** Of the drained: when what still runs there is closed, epoch ms. */
  readonly drainedUntil: Readonly<Record<string, number>>;
  /** `pool/address` to weight. */
  readonly weights: Readonly<Record<string, number>>;
}

/** Key of a server over all pools. Pool names have no slash. */
export function serverKey(pool: string, address: string): string {
  return `${pool}/${address}`;
}

/**
 * What operators changed on top of the configuration. A reload keeps it, except where the file
 * itself says something new: a changed weight wins over an override, a changed list of servers over
 * removals, and a server that the file now has is no longer an added one.
 */
export class Overlay {
  readonly #added = new Map<string, Map<string, ConfigServer>>();
  readonly #removed = new Set<string>();
  /** Drained servers, with the epoch ms at which the rest is closed; null = never. */
  readonly #drained = new Map<string, number | null>();
  readonly #weights = new Map<string, number>();

  /**
   * The configuration with the changes in it. The given one is left as it is; pools that nobody changed
   * are its own.
   */
  applyTo(config: Config): Config {
    if (this.#isEmpty) return config;
    return { ...config, pools: config.pools.map((pool) => this.#applyToPool(pool)) };
  }

  /** Is any server drained? */
  get hasDrained(): boolean {
    return this.#drained.size > 0;
  }

  isDrained(pool: string, address: string): boolean {
    return this.#drained.has(serverKey(pool, address));
  }

  /** Epoch ms at which what still runs on a drained server is closed; null = never. */
  drainedUntil(pool: string, address: string): number | null {
    return this.#drained.get(serverKey(pool, address)) ?? null;
  }

  /** `untilMs` null: what runs is finished, whatever time it takes. */
  drain(pool: string, address: string, untilMs: number | null): void {
    this.#drained.set(serverKey(pool, address), untilMs);
  }

  ready(pool: string, address: string): void {
    this.#drained.delete(serverKey(pool, address));
  }

  setWeight(pool: string, address: string, weight: number): void {
    this.#weights.set(serverKey(pool, address), weight);
  }

  /** `isInFile`: the file has the server, which was removed before. */
  add(pool: string, server: ConfigServer, isInFile: boolean): void {
    const key = serverKey(pool, server.address);
    this.#removed.delete(key);
    if (isInFile) {
      this.#weights.set(key, server.weight);
      return;
    }
    const servers = this.#added.get(pool) ?? new Map<string, ConfigServer>();
    servers.set(server.address, server);
    this.#added.set(pool, servers);
  }

  remove(pool: string, address: string): void {
    const key = serverKey(pool, address);
    this.#drained.delete(key);
    this.#weights.delete(key);
    if (this.#added.get(pool)?.delete(address) !== true) this.#removed.add(key);
  }

  /** The file changed from `before` to `after`: drops what it overrules and what leads nowhere. */
  reconcile(before: Config, after: Config, by: 'file' | 'discovery' = 'file'): void {
    if (this.#isEmpty && this.#drained.size === 0) return;
    const old = new Map(before.pools.map((pool) => [pool.name, pool]));
    const pools = new Map(after.pools.map((pool) => [pool.name, pool]));
    for (const pool of after.pools) this.#reconcilePool(pool, old.get(pool.name), by);
    for (const name of this.#added.keys()) if (!pools.has(name)) this.#added.delete(name);
    const known = new Set<string>();
    for (const pool of after.pools) {
      for (const { address } of pool.servers) known.add(serverKey(pool.name, address));
      for (const address of this.#added.get(pool.name)?.keys() ?? []) {
        known.add(serverKey(pool.name, address));
      }
    }
    for (const set of [this.#removed, this.#drained]) {
      for (const key of set.keys()) if (!known.has(key)) set.delete(key);
    }
    for (const key of this.#weights.keys()) if (!known.has(key)) this.#weights.delete(key);
  }

  /** Plain data of all changes. */
  state(): OverlayState {
    const added = [...this.#added].map(([pool, servers]) => [pool, [...servers.values()]] as const);
    return {
      added: Object.fromEntries(added),
      removed: [...this.#removed],
      drained: [...this.#drained.keys()],
      drainedUntil: Object.fromEntries(
        [...this.#drained].flatMap(([key, untilMs]) => (untilMs === null ? [] : [[key, untilMs]])),
      ),
      weights: Object.fromEntries(this.#weights),
    };
  }

  /** Takes over what another balancer process stored; what is there already is replaced. */
  restore(state: OverlayState): void {
    for (const all of [this.#added, this.#removed, this.#drained, this.#weights]) all.clear();
    for (const [pool, servers] of Object.entries(state.added)) {
      this.#added.set(pool, new Map(servers.map((server) => [server.address, server])));
    }
    for (const key of state.removed) this.#removed.add(key);
    for (const key of state.drained) this.#drained.set(key, state.drainedUntil[key] ?? null);
    for (const [key, weight] of Object.entries(state.weights)) this.#weights.set(key, weight);
  }

  /** Nothing that changes which servers there are, or their weights. */
  get #isEmpty(): boolean {
    return this.#added.size === 0 && this.#removed.size === 0 && this.#weights.size === 0;
  }

  #applyToPool(pool: ConfigPool): ConfigPool {
    const prefix = serverKey(pool.name, '');
    const hasChanges = [...this.#removed, ...this.#weights.keys()].some((key) =>
      key.startsWith(prefix),
    );
    const added = [...(this.#added.get(pool.name)?.values() ?? [])];
    if (!hasChanges && added.length === 0) return pool;
    const servers = [...pool.servers, ...added]
      .filter((server) => !this.#removed.has(serverKey(pool.name, server.address)))
      .map((server) => {
        const weight = this.#weights.get(serverKey(pool.name, server.address));
        return weight === undefined ? server : { ...server, weight };
      });
    return { ...pool, servers };
  }

  #reconcilePool(pool: ConfigPool, before: ConfigPool | undefined, by: 'file' | 'discovery'): void {
    const added = this.#added.get(pool.name);
    const written = new Map(before?.servers.map((server) => [server.address, server.weight]));
    const isSameList =
      before !== undefined &&
      before.servers.length === pool.servers.length &&
      pool.servers.every((server) => written.has(server.address));
    for (const { address, weight } of pool.servers) {
      const key = serverKey(pool.name, address);
      added?.delete(address);
      // What discovery finds besides says nothing about what an operator removed.
      if (!isSameList && by === 'file') this.#removed.delete(key);
      if (written.has(address) && written.get(address) !== weight) this.#weights.delete(key);
    }
  }
}
