import type { Config, ConfigServer } from '../config/config.ts';
import { configDifference } from '../config/difference.ts';
import type { StatusReport } from '../report/status.ts';

/** One thing that a configuration would change, with what of the running traffic that touches. */
export interface ChangeImpact {
  readonly kind: 'listener' | 'route' | 'pool' | 'server' | 'setting';
  /** `pool/address` for a server. */
  readonly name: string;
  readonly action: 'added' | 'removed' | 'changed';
  /** What differs, in words: `weight: 1 → 2`. */
  readonly details: readonly string[];
  /** Client links that end. */
  readonly links: number;
  /** Exchanges and tunnels that run and have a limited time to end. */
  readonly exchanges: number;
  /** What happens to what runs; null = nothing. */
  readonly effect: string | null;
}

/** What a configuration would change in the running balancer. */
export interface ConfigImpact {
  readonly changes: readonly ChangeImpact[];
  readonly touched: { readonly links: number; readonly exchanges: number };
}

/** What of the running state counts. */
export type LiveTraffic = Pick<StatusReport, 'listeners' | 'pools'>;

/** Settings that wait for the next start. */
const settledAtStart: readonly string[] = ['workers', 'admin'];
/** Keys whose values may be secret: only that they differ is told. */
const unshown: readonly string[] = ['admin', 'discover', 'token', 'headers'];
const valueLengthMax = 60;

/**
 * Compares what runs with what would run. Both with found servers and operators' changes in them. Cost: linear
 * in what they contain.
 */
export function impactOf(before: Config, after: Config, live: LiveTraffic): ConfigImpact {
  const changes = [
    ...listenerChanges(before, after, live),
    ...routeChanges(before, after),
    ...poolChanges(before, after, live),
    ...serverChanges(before, after, live),
    ...settingChanges(before, after),
  ];
  const sum = (key: 'links' | 'exchanges'): number =>
    changes.reduce((total, change) => total + change[key], 0);
  return { changes, touched: { links: sum('links'), exchanges: sum('exchanges') } };
}

function listenerChanges(before: Config, after: Config, live: LiveTraffic): ChangeImpact[] {
  const { listenersAdded, listenersRemoved, listenersChanged } = configDifference(before, after);
  const linksOf = (name: string): number =>
    live.listeners.find((listener) => listener.name === name)?.links ?? 0;
  const ending = `links end after their present request, at the latest after ${seconds(after.timeouts.drainMs)}`;
  return [
    ...listenersAdded.map((name) => change('listener', name, 'added')),
    ...listenersRemoved.map((name) =>
      change('listener', name, 'removed', { links: linksOf(name), effect: ending }),
    ),
    ...listenersChanged.map((name) => {
      const [old, next] = [named(before.listeners, name), named(after.listeners, name)];
      const details = differences(old, next);
      // Another pool or setting is taken up by open links; another address is another socket.
      const isRebound = old?.address !== next?.address || old?.protocol !== next?.protocol;
      const links = isRebound ? linksOf(name) : 0;
      const effect = isRebound ? ending : null;
      return change('listener', name, 'changed', { details, links, effect });
    }),
  ];
}

function routeChanges(before: Config, after: Config): ChangeImpact[] {
  const difference = configDifference(before, after);
  const order = change('route', '(order)', 'changed', {
    details: ['routes stand in another order'],
  });
  return [
    ...difference.routesAdded.map((name) => change('route', name, 'added')),
    ...difference.routesRemoved.map((name) => change('route', name, 'removed')),
    ...difference.routesChanged.map((name) =>
      change('route', name, 'changed', {
        details: differences(named(before.routes, name), named(after.routes, name)),
      }),
    ),
    ...(difference.isRouteOrderChanged ? [order] : []),
  ];
}

function poolChanges(before: Config, after: Config, live: LiveTraffic): ChangeImpact[] {
  const { poolsAdded, poolsRemoved, poolsChanged } = configDifference(before, after);
  return [
    ...poolsAdded.map((name) => {
      const count = named(after.pools, name)?.servers.length ?? 0;
      return change('pool', name, 'added', { details: [`${count} servers`] });
    }),
    ...poolsRemoved.map((name) => {
      const servers = live.pools.find((pool) => pool.name === name)?.servers ?? [];
      const exchanges = servers.reduce((sum, { inFlight }) => sum + inFlight, 0);
      const effect = finishing(after);
      const details = [`${servers.length} servers`];
      return change('pool', name, 'removed', { details, exchanges, effect });
    }),
    ...poolsChanged.map((name) => {
      const [old, next] = [named(before.pools, name), named(after.pools, name)];
      const details = differences({ ...old, servers: [] }, { ...next, servers: [] });
      return change('pool', name, 'changed', { details });
    }),
  ];
}

/** Servers of pools that stay; those of others are counted with their pool. */
function serverChanges(before: Config, after: Config, live: LiveTraffic): ChangeImpact[] {
  const changes: ChangeImpact[] = [];
  for (const pool of after.pools) {
    const old = named(before.pools, pool.name);
    if (old === undefined) continue;
    const [was, is] = [byAddress(old.servers), byAddress(pool.servers)];
    const running = live.pools.find(({ name }) => name === pool.name)?.servers ?? [];
    for (const address of is.keys()) {
      if (!was.has(address)) changes.push(change('server', `${pool.name}/${address}`, 'added'));
    }
    for (const [address, server] of was) {
      const name = `${pool.name}/${address}`;
      const next = is.get(address);
      if (next === undefined) {
        const exchanges = running.find((each) => each.address === address)?.inFlight ?? 0;
        changes.push(change('server', name, 'removed', { exchanges, effect: finishing(after) }));
        continue;
      }
      const details = differences(server, next);
      if (details.length > 0) changes.push(change('server', name, 'changed', { details }));
    }
  }
  return changes;
}

function settingChanges(before: Config, after: Config): ChangeImpact[] {
  return configDifference(before, after).settingsChanged.map((name) => {
    const key = name as keyof Config;
    const details = differences({ [name]: before[key] }, { [name]: after[key] });
    const effect = settledAtStart.includes(name) ? 'takes effect at the next start' : null;
    return change('setting', name, 'changed', { details, effect });
  });
}

function change(
  kind: ChangeImpact['kind'],
  name: string,
  action: ChangeImpact['action'],
  more: Partial<ChangeImpact> = {},
): ChangeImpact {
  return { kind, name, action, details: [], links: 0, exchanges: 0, effect: null, ...more };
}

function finishing(after: Config): string {
  return `what runs is finished, at the latest after ${seconds(after.timeouts.drainMs)}`;
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

function named<T extends { readonly name: string }>(
  list: readonly T[],
  name: string,
): T | undefined {
  return list.find((each) => each.name === name);
}

function byAddress(servers: readonly ConfigServer[]): Map<string, ConfigServer> {
  return new Map(servers.map((server) => [server.address, server]));
}

/**
 * Keys whose plain values differ, inner maps key by key, lists of maps of one length
 * member by member: `probes[0].intervalMs: 5000 → 1000`.
 */
function differences(before: unknown, after: unknown, path = ''): string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const key = path.slice(path.lastIndexOf('.') + 1);
  if (unshown.includes(key)) return [`${path}: differs`];
  if (areLikeLists(before, after)) {
    return before.flatMap((member, at) =>
      differences(member, (after as readonly unknown[])[at], `${path}[${at}]`),
    );
  }
  if (!isMap(before) || !isMap(after)) return [`${path}: ${short(before)} → ${short(after)}`];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((name) =>
    differences(before[name], after[name], path === '' ? name : `${path}.${name}`),
  );
}

function areLikeLists(before: unknown, after: unknown): before is readonly unknown[] {
  if (!Array.isArray(before) || !Array.isArray(after)) return false;
  return before.length === after.length && [...before, ...after].every(isMap);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function short(value: unknown): string {
  const text = value === undefined ? 'none' : JSON.stringify(value);
  return text.length > valueLengthMax ? `${text.slice(0, valueLengthMax)}…` : text;
}
