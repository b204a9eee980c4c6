import { isSameData } from '../../base/same-data.ts';
import type { Config, ConfigPool, ConfigServer } from './config.ts';

/** What a reload changes, by name. Servers are `pool/address`. All lists in the order of the files. */
export interface ConfigDifference {
  readonly listenersAdded: readonly string[];
  readonly listenersRemoved: readonly string[];
  readonly listenersChanged: readonly string[];
  readonly routesAdded: readonly string[];
  readonly routesRemoved: readonly string[];
  readonly routesChanged: readonly string[];
  /** The same routes in another order: another one may match first now. */
  readonly isRouteOrderChanged: boolean;
  readonly poolsAdded: readonly string[];
  readonly poolsRemoved: readonly string[];
  /** Pools whose settings differ, servers apart. */
  readonly poolsChanged: readonly string[];
  readonly serversAdded: readonly string[];
  readonly serversRemoved: readonly string[];
  readonly serversChanged: readonly string[];
  /** Top-level keys whose values differ: `workers`, `log`, `timeouts` … */
  readonly settingsChanged: readonly string[];
}

/**
 * Compares two configurations by names and plain values. Cost: linear in what they contain; pools that
 * both share are not looked into.
 */
export function configDifference(before: Config, after: Config): ConfigDifference {
  const listeners = compare(byName(before.listeners), byName(after.listeners));
  const routes = compare(byName(before.routes), byName(after.routes));
  const poolsBefore = without(before.pools, after.pools);
  const poolsAfter = without(after.pools, before.pools);
  const pools = compare(settingsByName(poolsBefore), settingsByName(poolsAfter));
  const servers = compare(serversOf(poolsBefore), serversOf(poolsAfter));
  const kept = (config: Config, other: Config): string => {
    const names = new Set(other.routes.map(({ name }) => name));
    return config.routes
      .map(({ name }) => name)
      .filter((name) => names.has(name))
      .join(' ');
  };
  return {
    listenersAdded: listeners.added,
    listenersRemoved: listeners.removed,
    listenersChanged: listeners.changed,
    routesAdded: routes.added,
    routesRemoved: routes.removed,
    routesChanged: routes.changed,
    isRouteOrderChanged: kept(before, after) !== kept(after, before),
    poolsAdded: pools.added,
    poolsRemoved: pools.removed,
    poolsChanged: pools.changed,
    serversAdded: servers.added,
    serversRemoved: servers.removed,
    serversChanged: servers.changed,
    settingsChanged: settingKeys.filter((key) => !isSameData(before[key], after[key])),
  };
}

/** One sentence for the log: `listeners: +web -old; servers: +api/10.0.0.3:3000`, or `nothing changed`. */
export function describeDifference(difference: ConfigDifference): string {
  const d = difference;
  const parts = [
    part('listeners', d.listenersAdded, d.listenersRemoved, d.listenersChanged),
    part('routes', d.routesAdded, d.routesRemoved, d.routesChanged),
    d.isRouteOrderChanged ? 'routes: another order' : '',
    part('pools', d.poolsAdded, d.poolsRemoved, d.poolsChanged),
    part('servers', d.serversAdded, d.serversRemoved, d.serversChanged),
    part('settings', [], [], d.settingsChanged),
  ].filter((said) => said !== '');
  return parts.length === 0 ? 'nothing changed' : parts.join('; ');
}

/** Names shown per kind: a reload of a thousand servers is still one line of a log. */
const namesShownMax = 10;

function part(
  kind: string,
  added: readonly string[],
  removed: readonly string[],
  changed: readonly string[],
): string {
  const names = [
    ...added.map((name) => `+${name}`),
    ...removed.map((name) => `-${name}`),
    ...changed.map((name) => `~${name}`),
  ];
  if (names.length === 0) return '';
  const shown = names.slice(0, namesShownMax).join(' ');
  const more = names.length - namesShownMax;
  return `${kind}: ${shown}${more > 0 ? ` and ${more} more` : ''}`;
}

const settingKeys = [
  'workers',
  'log',
  'admin',
  'timeouts',
  'limits',
  'trustedPeers',
  'errors',
  'geo',
  'viaName',
  'history',
  'tracing',
  'alerts',
  'scaling',
  'metrics',
] as const;

interface Changes {
  readonly added: string[];
  readonly removed: string[];
  readonly changed: string[];
}

function compare(
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
): Changes {
  const names = [...after.keys()];
  return {
    added: names.filter((name) => !before.has(name)),
    removed: [...before.keys()].filter((name) => !after.has(name)),
    changed: names.filter(
      (name) => before.has(name) && !isSameData(before.get(name), after.get(name)),
    ),
  };
}

function byName<T extends { readonly name: string }>(items: readonly T[]): Map<string, T> {
  return new Map(items.map((item) => [item.name, item]));
}

function without(pools: readonly ConfigPool[], others: readonly ConfigPool[]): ConfigPool[] {
  const shared = new Set(others);
  return pools.filter((pool) => !shared.has(pool));
}

function settingsByName(pools: readonly ConfigPool[]): Map<string, unknown> {
  return new Map(pools.map((pool) => [pool.name, { ...pool, servers: [] }]));
}

function serversOf(pools: readonly ConfigPool[]): Map<string, ConfigServer> {
  const entries = pools.flatMap(({ name, servers }) =>
    servers.map((server): [string, ConfigServer] => [`${name}/${server.address}`, server]),
  );
  return new Map(entries);
}
