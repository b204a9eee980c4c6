import { EligibleSet } from '../balance/eligible.ts';
import { type CidrSet, compileCidrs } from '../base/address.ts';
import { isSameData } from '../base/same-data.ts';
import { Clients, type GeographyOf } from '../match/client.ts';
import { RequestFacts } from '../match/facts.ts';
import { RequestValue } from '../match/request-value.ts';
import { compileRoutesInSteps, type RouteMatcher } from '../match/routes.ts';
import type { HookModule } from '../model/hooks.ts';
import type { Pool, Route, Server, Snapshot } from '../model/snapshot.ts';
import { TimingColumn } from '../observe/columns.ts';
import type { HistogramOwner, HistogramWriter } from '../observe/histograms.ts';
import { compileHooks } from './compiled-hooks.ts';
import { compilePages } from './error-pages.ts';
import { Peers } from './peers.ts';
import type { Plane } from './plane.ts';
import { PoolGate } from './pool-gate.ts';
import { CompiledRetry, RouteRetry } from './retry-rule.ts';
import { compileActions } from './route-actions.ts';
import { ServerState } from './server-state.ts';
import { StickyPool } from './sticky.ts';
import type { CompiledPool, CompiledRoute, ListenerTable, Table } from './table.ts';

const ascii = new TextEncoder();

/** Servers and routes compiled between two looks at the clock: some tenths of a millisecond. */
const STEP_MAX = 64;

/**
 * Compiles a snapshot once: pools with their pickers, routes with their matcher, listeners. Server states
 * are taken over by slot from `plane.servers`, so links kept for reuse survive. In steps, so that thousands of
 * servers need not stop traffic. Pools and routes that are the same objects as in `before`, the table in
 * force, are taken over as they were compiled.
 */
export function* compileTable(
  plane: Plane,
  histograms: HistogramWriter,
  snapshot: Snapshot,
  geography: GeographyOf | null,
  before: Table | null = null,
): Generator<void, Table> {
  const trusted = compileCidrs(snapshot.trustedPeers);
  const peers = new Peers(trusted, snapshot.viaName);
  const pools = new Map<string, CompiledPool>();
  for (const pool of snapshot.pools) {
    const kept = keptPool(plane, pool, snapshot.version, before);
    pools.set(pool.name, kept ?? (yield* compilePool(plane, histograms, pool, snapshot.version)));
    yield;
  }
  const hooks = snapshot.hooks ?? null;
  const routesBefore = keptRoutes(snapshot, pools, before);
  const routes: CompiledRoute[] = [];
  for (const [at, route] of snapshot.routes.entries()) {
    const kept = routesBefore?.[at] ?? null;
    const within = { route, errors: snapshot.errors, hooks };
    routes.push(kept ?? compileRoute(plane, histograms, within, pools));
    if (kept === null && routes.length % STEP_MAX === 0) yield;
  }
  yield;
  const matcher = keptMatcher(snapshot, before) ?? (yield* newMatcher(snapshot));
  yield;
  const facts = new RequestFacts({
    clients: new Clients(geography),
    wallClock: plane.wallClock,
    random: plane.random,
  });
  const listeners = new Map<string, ListenerTable>();
  const table: Table = {
    snapshot,
    listeners,
    pools,
    errorPages: compilePages(snapshot.errors),
    routes,
    matcher,
    headLimits: {
      headBytesMax: snapshot.limits.headBytesMax,
      headFieldsMax: snapshot.limits.headFieldsMax,
    },
  };
  for (const [index, listener] of snapshot.listeners.entries()) {
    listeners.set(listener.name, {
      listener,
      index,
      table,
      matcher,
      facts: matcher.hasConditions(index) ? facts : null,
      routes,
      trusted: trusted as CidrSet,
      peers,
      pool: listener.pool === null ? null : (pools.get(listener.pool) ?? null),
      counters: plane.counters.listener(listener.slot),
      ...basesOf(histograms, 'listener', listener.slot),
    });
  }
  return table;
}

/** The pool as it is in force; null where it is another one now. */
function keptPool(
  plane: Plane,
  pool: Pool,
  version: number,
  before: Table | null,
): CompiledPool | null {
  const kept = before?.pools.get(pool.name);
  if (kept === undefined || kept.pool !== pool || kept.gate !== gateOf(plane, pool)) return null;
  for (const state of kept.servers.values()) state.version = version;
  return kept;
}

/** Routes as they are in force, null for those whose pools are others now; null where all are. */
function keptRoutes(
  snapshot: Snapshot,
  pools: ReadonlyMap<string, CompiledPool>,
  before: Table | null,
): readonly (CompiledRoute | null)[] | null {
  if (before === null || before.snapshot.routes !== snapshot.routes) return null;
  const { errors, hooks } = before.snapshot;
  if (!isSameData([errors, hooks], [snapshot.errors, snapshot.hooks])) return null;
  const isKept = (name: string): boolean => pools.get(name) === before.pools.get(name);
  const areAllKept = snapshot.pools.every(({ name }) => isKept(name));
  return before.routes.map((compiled) => {
    const { pool, actions } = compiled.route;
    // Actions may lead to any pool.
    if (actions !== null && !areAllKept) return null;
    return pool === null || isKept(pool) ? compiled : null;
  });
}

function keptMatcher({ routes, listeners }: Snapshot, before: Table | null): RouteMatcher | null {
  if (before === null || before.snapshot.routes !== routes) return null;
  const former = before.snapshot.listeners;
  const areSame =
    former.length === listeners.length &&
    former.every(({ name }, at) => name === listeners[at]?.name);
  return areSame ? before.matcher : null;
}

function newMatcher({ routes, listeners }: Snapshot): Generator<void, RouteMatcher> {
  return compileRoutesInSteps(
    routes,
    listeners.map(({ name }) => name),
  );
}

/** What its pool limits by itself, kept by slot; also without such limits any more while some still wait. */
function gateOf(plane: Plane, pool: Pool): PoolGate | null {
  let gate = plane.gates.get(pool.slot) ?? null;
  if (pool.queue === null && pool.connectionsMax === 0) {
    return gate !== null && gate.count > 0 ? gate : null;
  }
  if (gate === null) {
    gate = new PoolGate(plane, pool.slot);
    plane.gates.set(pool.slot, gate);
  }
  return gate;
}

function* compilePool(
  plane: Plane,
  histograms: HistogramWriter,
  pool: Pool,
  version: number,
): Generator<void, CompiledPool> {
  const servers = new Map<number, ServerState>();
  for (const server of pool.servers) {
    const state = serverState(plane, histograms, server, pool);
    state.version = version;
    servers.set(server.slot, state);
    if (servers.size % STEP_MAX === 0) yield;
  }
  const eligible = new EligibleSet(pool, plane.words, plane.picking);
  yield* eligible.prepare();
  const compiled: CompiledPool = {
    pool,
    gate: gateOf(plane, pool),
    hasBreaker: pool.breaker !== null,
    eligible,
    sticky: stickyOf(pool, eligible),
    key: keyOf(pool),
    latency:
      pool.policy === 'least-latency' || pool.policy === 'custom' ? plane.picking.latency : null,
    servers,
    defaultHost: ascii.encode(hostOf(pool)),
    retry: new CompiledRetry(pool.retry),
    counters: plane.counters.pool(pool.slot),
    totalHistogram: histograms.of('pool', pool.slot, TimingColumn.TOTAL),
  };
  compiled.gate?.use(compiled);
  return compiled;
}

/** The route's pool, or the part of it that has the route's labels: counters and links are the pool's. */
function poolOf(
  plane: Plane,
  { pool: name, subset }: Route,
  pools: ReadonlyMap<string, CompiledPool>,
): CompiledPool | null {
  const whole = name === null ? undefined : pools.get(name);
  if (whole === undefined || !subset) return whole ?? null;
  const wanted = Object.entries(subset);
  const servers = whole.pool.servers.filter(({ labels }) =>
    wanted.every(([label, value]) => labels[label] === value),
  );
  const part = { ...whole.pool, servers };
  const subsetName = JSON.stringify(wanted.sort());
  const eligible = new EligibleSet(part, plane.words, plane.picking, subsetName);
  return { ...whole, eligible, sticky: stickyOf(part, eligible) };
}

function stickyOf({ balancing }: Pool, eligible: EligibleSet): StickyPool | null {
  return balancing.sticky === null ? null : new StickyPool(balancing.sticky, eligible);
}

/** Where the policy's key is in a request; null where the client's address is the key. */
function keyOf({ policy, balancing }: Pool): RequestValue | null {
  const goesByKey = policy === 'hash' || policy === 'custom';
  return goesByKey && balancing.key.from !== 'ip' ? new RequestValue(balancing.key) : null;
}

/** Host for requests that name none: the first server's address, or a name that is valid when it is a path. */
function hostOf(pool: Pool): string {
  const first = pool.servers[0];
  return first === undefined || first.address.startsWith('unix:') ? 'localhost' : first.address;
}

/** A route with what the whole configuration says for all of them. */
interface RouteWithin {
  readonly route: Route;
  readonly errors: Snapshot['errors'];
  readonly hooks: HookModule | null;
}

function compileRoute(
  plane: Plane,
  histograms: HistogramWriter,
  { route, errors, hooks }: RouteWithin,
  pools: ReadonlyMap<string, CompiledPool>,
): CompiledRoute {
  const respond = route.respond;
  const errorPages = compilePages([...(route.actions?.errors ?? []), ...errors]);
  return {
    route,
    pool: poolOf(plane, route, pools),
    fixed:
      respond === null
        ? null
        : {
            status: respond.status,
            reason: 'ok',
            body: respond.body,
            contentType: respond.contentType,
            fields: respond.headers,
          },
    hooks: compileHooks([hooks, route.hooks ?? null], plane.hooksOf),
    retry: route.retry === null ? null : new RouteRetry(route.retry),
    actions: compileActions(route, pools, errorPages, plane),
    errorPages,
    counters: plane.counters.route(route.slot),
    ...basesOf(histograms, 'route', route.slot),
  };
}

function serverState(
  plane: Plane,
  histograms: HistogramWriter,
  server: Server,
  pool: Pool,
): ServerState {
  const known = plane.servers.get(server.slot);
  const state =
    known ??
    new ServerState(server, {
      counters: plane.counters.server(server.slot),
      ...basesOf(histograms, 'server', server.slot),
    });
  const hasMoved = !isSameTarget(state.server.target, server.target);
  if (known === undefined || hasMoved) {
    state.retireIdle();
    state.target = server.target === null ? null : plane.driver.prepare(server.target);
  }
  state.server = server;
  state.streakTrigger = pool.outlier?.consecutive ?? -1;
  state.isRetired = false;
  plane.servers.set(server.slot, state);
  return state;
}

/** Where an owner's three histograms begin. */
function basesOf(
  histograms: HistogramWriter,
  owner: HistogramOwner,
  slot: number,
): { connectHistogram: number; firstByteHistogram: number; totalHistogram: number } {
  return {
    connectHistogram: histograms.of(owner, slot, TimingColumn.CONNECT),
    firstByteHistogram: histograms.of(owner, slot, TimingColumn.FIRST_BYTE),
    totalHistogram: histograms.of(owner, slot, TimingColumn.TOTAL),
  };
}

function isSameTarget(a: Server['target'], b: Server['target']): boolean {
  if (a === null || b === null) return a === b;
  if (a.kind === 'unix') return b.kind === 'unix' && a.path === b.path;
  return b.kind === 'ip' && a.host === b.host && a.port === b.port;
}
