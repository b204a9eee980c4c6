import { invariant } from '../../base/invariant.ts';
import type { HookModule } from '../../model/hooks.ts';
import { limits } from '../../model/limits.ts';
import { standardRetry } from '../../model/retry.ts';
import type { FixedAnswer } from '../../model/snapshot.ts';
import { parseListenAddress } from './address.ts';
import { buildActions, buildErrors, contentTypeOf, poolsOf } from './build-actions.ts';
import { buildAlerts, buildScaling } from './build-alerts.ts';
import { buildBalancing } from './build-balancing.ts';
import { buildBreaker, buildOutlier, buildProbes } from './build-health.ts';
import { buildLog } from './build-log.ts';
import { buildMatch, conditionName, filesOf, geoOf } from './build-match.ts';
import { buildObjective } from './build-objective.ts';
import { buildQueue } from './build-queue.ts';
import { buildRetry } from './build-retry.ts';
import { buildMetrics, buildTracing } from './build-tracing.ts';
import type {
  Checked,
  CheckedHooks,
  CheckedListener,
  CheckedPool,
  CheckedRoute,
  CheckedServer,
} from './checked.ts';
import type {
  Config,
  ConfigAdmin,
  ConfigListener,
  ConfigPool,
  ConfigRoute,
  ConfigServer,
} from './config.ts';
import { buildDiscovery } from './discovery.ts';

/**
 * Fills in defaults and names. Only for what shape and references were checked of: what is required
 * is there, or it is a bug of ours. The defaults here are those that `registry.ts` tells; a test
 * compares them. Cost: linear.
 */
export function buildConfig(checked: Checked): Config {
  const { timeouts, limits: traffic, log } = checked;
  const pools = [...(checked.pools ?? [])].map(([name, pool]) =>
    buildPool(name, pool, checked.zone),
  );
  const listeners = buildListeners(checked.listeners ?? []);
  return {
    listeners,
    routes: buildRoutes(checked, listeners, pools),
    pools,
    timeouts: {
      headerMs: timeouts?.header ?? 10_000,
      keepAliveMs: timeouts?.keepAlive ?? 75_000,
      idleMs: timeouts?.idle ?? 60_000,
      drainMs: timeouts?.drain ?? 30_000,
      tunnelMs: timeouts?.tunnel ?? 3_600_000,
    },
    limits: {
      headBytesMax: traffic?.headerBytes ?? limits.headBytes,
      headFieldsMax: traffic?.headers ?? limits.headFields,
      connectionsMax: traffic?.connections ?? 65_536,
    },
    trustedPeers: [...new Set(checked.trustedPeers ?? [])],
    geo: geoOf(checked),
    files: filesOf(checked),
    errors: buildErrors(checked.errors),
    hooks: buildHooks(checked.hooks),
    viaName: checked.name ?? 'evenkeel',
    workers: checked.workers ?? null,
    log: buildLog(log),
    tracing: buildTracing(checked),
    metrics: buildMetrics(checked),
    admin: buildAdmin(checked),
    alerts: buildAlerts(checked.alerts),
    scaling: buildScaling(checked.scaling),
    history: {
      isEnabled: checked.history?.enabled ?? true,
      directory: checked.history?.directory ?? null,
      bytesMax: checked.history?.size ?? 209_715_200,
    },
  };
}

/** One server with its defaults. */
export function buildServer(server: CheckedServer): ConfigServer {
  invariant(server.address !== undefined, 'a checked server has an address');
  return {
    address: server.address,
    weight: server.weight ?? 1,
    isBackup: server.backup ?? false,
    tier: server.tier ?? 0,
    connectionsMax: server.maxConnections ?? 0,
    ...(server.maxPending === undefined ? {} : { pendingMax: server.maxPending }),
    labels: Object.fromEntries(server.labels ?? []),
  };
}

function buildAdmin({ admin }: Checked): ConfigAdmin {
  const bind = admin?.address === undefined ? null : parseListenAddress(admin.address);
  return {
    address: bind?.kind === 'ip' ? { host: bind.host, port: bind.port } : null,
    token: admin?.token ?? null,
    socket: admin?.socket ?? null,
  };
}

function buildListeners(listeners: readonly CheckedListener[]): ConfigListener[] {
  const names = uniqueNames(
    listeners.map(({ name }) => name),
    listeners.map(({ address }) => listenerName(address ?? '')),
  );
  return listeners.map(({ address = '', protocol, pool }, index) => {
    const bind = parseListenAddress(address);
    invariant(bind !== null, 'a checked listener has an address');
    return {
      name: names[index] ?? '',
      address,
      protocol: protocol ?? 'http',
      pool: pool ?? null,
      bind,
    };
  });
}

/** `:8080` → `port-8080`, `127.0.0.1:80` → `127-0-0-1-80`: made of the address alone, so that it stays. */
function listenerName(address: string): string {
  return address.startsWith(':')
    ? `port-${address.slice(1)}`
    : nameOf(address.replace(/^unix:/, ''));
}

function nameOf(written: string): string {
  const name = written
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 56);
  return name.replace(/^-|-$/g, '') || 'unnamed';
}

/** Written names as they are; the others made unique by a number behind them. */
function uniqueNames(
  written: readonly (string | undefined)[],
  made: readonly string[],
): readonly string[] {
  const taken = new Set(written);
  return written.map((name, index) => {
    if (name !== undefined) return name;
    const base = made[index] ?? 'unnamed';
    let unique = base;
    for (let copy = 2; taken.has(unique); copy++) unique = `${base}-${copy}`;
    taken.add(unique);
    return unique;
  });
}

function buildRoutes(
  checked: Checked,
  listeners: readonly ConfigListener[],
  pools: readonly ConfigPool[],
): ConfigRoute[] {
  const written = [...(checked.routes ?? [])];
  const only = pools.length === 1 ? pools[0] : undefined;
  const hasHttp = listeners.some(({ protocol }) => protocol === 'http');
  // Where a route names the pool, the user has said what reaches it; opening it to all else would
  // undo that.
  const isImplied = hasHttp && written.every((route) => poolsOf(route).length === 0);
  if (only !== undefined && isImplied) written.push({ pool: only.name });
  const names = uniqueNames(
    written.map(({ name }) => name),
    written.map(routeName),
  );
  return written.map((route, index) => buildRoute(route, names[index] ?? ''));
}

/** Of the first host, path and method, else of what else it asks: it stays when others come and go. */
function routeName({ match }: CheckedRoute): string {
  const parts = [match?.host?.[0], match?.path?.[0], match?.method?.[0]];
  const said = parts.filter((part) => part !== undefined).join('-');
  if (said === '') return nameOf(conditionName(match ?? {}) ?? 'everything');
  return said === '/' ? 'root' : nameOf(said.replace(/^\*\./, 'any.'));
}

function buildRoute(route: CheckedRoute, name: string): ConfigRoute {
  return {
    name,
    listeners: route.listeners ?? [],
    match: buildMatch(route.match ?? {}),
    pool: route.pool ?? null,
    subset: route.subset === undefined ? null : Object.fromEntries(route.subset),
    respond: route.respond === undefined ? null : buildAnswer(route.respond),
    actions: buildActions(route),
    hooks: buildHooks(route.hooks),
    allowEncodedSeparators: route.allowEncodedSeparators ?? false,
    retry: route.retry === undefined ? null : buildRetry(route.retry),
  };
}

/** Path as written and without its version, which `attach-hooks.ts` sees to. */
function buildHooks(hooks: CheckedHooks | undefined): HookModule | null {
  if (hooks === undefined) return null;
  const { module = '', timeout = 1_000, onFailure = 'refuse' } = hooks;
  return { path: module, version: '', timeoutMs: timeout, onFailure };
}

function buildAnswer(respond: NonNullable<CheckedRoute['respond']>): FixedAnswer {
  invariant(respond.status !== undefined, 'a checked answer has a status');
  return {
    status: respond.status,
    body: respond.body ?? '',
    file: respond.file ?? null,
    contentType: respond.contentType ?? contentTypeOf(respond.file),
    headers: Object.fromEntries(respond.headers ?? []),
  };
}

function buildPool(name: string, pool: CheckedPool, zone: string | undefined): ConfigPool {
  const { timeouts, retry, reuse } = pool;
  return {
    name,
    policy: pool.policy?.module === undefined ? (pool.policy?.name ?? 'p2c') : 'custom',
    servers: (pool.servers ?? []).map(buildServer),
    discover: (pool.discover ?? []).map(buildDiscovery),
    ...buildProbes(pool),
    outlier: buildOutlier(pool.outlier),
    breaker: buildBreaker(pool.breaker),
    timeouts: {
      connectMs: timeouts?.connect ?? 2_000,
      firstByteMs: timeouts?.firstByte ?? 30_000,
      idleMs: timeouts?.idle ?? 60_000,
    },
    balancing: buildBalancing(pool, zone),
    retry: { ...standardRetry, ...buildRetry(retry ?? {}) },
    connectionsMax: pool.maxConnections ?? 0,
    queue: pool.queue === undefined ? null : buildQueue(pool.queue),
    objective: buildObjective(pool.objective),
    reuse: {
      idleMs: reuse?.idle ?? 4_000,
      requestsMax: reuse?.requests ?? 10_000,
      ageMs: reuse?.age ?? 3_600_000,
      perWorkerMax: reuse?.perWorker ?? 128,
    },
  };
}
