import { isSameData } from '../../base/same-data.ts';
import type { DialAddress, Pool, Snapshot } from '../../model/snapshot.ts';
import type { TraceRule } from '../../model/spans.ts';
import type { Config, ConfigPool } from './config.ts';

/**
 * Gives out indexes in shared memory. The same name gets the same slot for as long as it lives, so
 * that counters and load survive a reload. Errors: the assigner throws when slots run out.
 */
export interface SlotAssigner {
  listener(name: string): number;
  route(name: string): number;
  pool(name: string): number;
  server(pool: string, address: string): number;
}

/** The last publication: a snapshot with the configuration that it was made of. */
export interface Published {
  readonly config: Config;
  readonly snapshot: Snapshot;
  /** Asks at once for all servers that the pool had in it: each keeps its slot. */
  readonly keepServers: (pool: string) => void;
}

/** Where to dial a server address as written, or null while its name is unresolved. */
export type ResolveAddress = (address: string) => DialAddress | null;

/**
 * Completes a checked configuration to what the workers get. Pure except for the assigner; each
 * listener, route, pool and server asks it once, in the order of the file. Cost: linear in servers.
 *
 * What is the same object in `before`, the configuration published last, is the same object in the
 * snapshot again: whoever follows snapshots sees by that what has not changed.
 */
export function toSnapshot(
  config: Config,
  assign: SlotAssigner,
  resolve: ResolveAddress,
  version: number,
  before: Published | null = null,
): Snapshot {
  const hasSameRoutes = before !== null && before.config.routes === config.routes;
  const poolsBefore = new Map(
    before?.config.pools.map((pool, at) => [pool, before.snapshot.pools[at] as Pool]),
  );
  const listeners = config.listeners.map(({ name, address, protocol, pool }) => ({
    slot: assign.listener(name),
    name,
    address,
    protocol,
    pool,
  }));
  const slots = config.routes.map(({ name }) => assign.route(name));
  return {
    version,
    listeners,
    routes: hasSameRoutes
      ? before.snapshot.routes
      : config.routes.map((route, at) => ({ slot: slots[at] as number, ...route })),
    pools: config.pools.map(
      (pool) =>
        samePool(poolsBefore.get(pool), before, assign, resolve) ?? poolOf(pool, assign, resolve),
    ),
    timeouts: config.timeouts,
    limits: config.limits,
    trustedPeers: config.trustedPeers,
    errors: config.errors,
    hooks: config.hooks ?? null,
    accessLog: config.log.access.kind !== 'off',
    logForm: config.log.form,
    tracing: ruleOf(config.tracing),
    geo: config.geo,
    viaName: config.viaName,
  };
}

/** The pool as it was; null when there was none, or a server's name leads elsewhere now. */
function samePool(
  pool: Pool | undefined,
  before: Published | null,
  assign: SlotAssigner,
  resolve: ResolveAddress,
): Pool | null {
  if (pool === undefined || before === null) return null;
  const isSame = pool.servers.every(({ address, target }) => isSameData(target, resolve(address)));
  if (!isSame) return null;
  assign.pool(pool.name);
  before.keepServers(pool.name);
  return pool;
}

/** Where spans go is control's business, and may hold secrets. */
function ruleOf(tracing: Config['tracing']): TraceRule | null {
  return tracing === null ? null : { share: tracing.share, parents: tracing.parents };
}

function poolOf(written: ConfigPool, assign: SlotAssigner, resolve: ResolveAddress): Pool {
  // Where servers are found and what is aimed at is control's business; the former may hold secrets.
  const { discover: _discover, objective: _objective, ...pool } = written;
  const slot = assign.pool(pool.name);
  const servers = pool.servers.map((server) => ({
    slot: assign.server(pool.name, server.address),
    target: resolve(server.address),
    ...server,
  }));
  return { ...pool, slot, servers };
}
