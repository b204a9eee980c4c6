import type { DialAddress, Pool, Snapshot } from '../../model/snapshot.ts';
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

/** Where to dial a server address as written, or null while its name is unresolved. */
export type ResolveAddress = (address: string) => DialAddress | null;

/**
 * Completes a checked configuration to what the workers get. Pure except for the assigner; each
 * listener, route, pool and server asks it once, in the order of the file. Cost: linear in servers.
 */
export function toSnapshot(
  config: Config,
  assign: SlotAssigner,
  resolve: ResolveAddress,
  version: number,
): Snapshot {
  return {
    version,
    listeners: config.listeners.map(({ name, address, protocol, pool }) => ({
      slot: assign.listener(name),
      name,
      address,
      protocol,
      pool,
    })),
    routes: config.routes.map((route) => ({ slot: assign.route(route.name), ...route })),
    pools: config.pools.map((pool) => poolOf(pool, assign, resolve)),
    timeouts: config.timeouts,
    limits: config.limits,
    trustedPeers: config.trustedPeers,
    errors: config.errors,
    hooks: config.hooks ?? null,
    accessLog: config.log.access.kind !== 'off',
    logForm: config.log.form,
    geo: config.geo,
    viaName: config.viaName,
  };
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
