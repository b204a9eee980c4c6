import { finished } from '../base/steps.ts';
import type { Condition } from '../model/conditions.ts';
import type { Route } from '../model/snapshot.ts';
import type { Head } from '../wire/http1/head.ts';
import { compileConditions } from './conditions.ts';
import type { EntryKey } from './entry-list.ts';
import type { RequestFacts } from './facts.ts';
import { type HostIndex, HostIndexBuilder } from './host-index.ts';
import { MethodFilter } from './method-filter.ts';
import { NO_ORDER, type PathQuery, pathQuery } from './path-index.ts';
import { ValueSources } from './value-source.ts';

/** Which route takes a request. */
export interface RouteMatcher {
  /**
   * Index in the routes that were compiled of the first one, in written order, that takes the
   * request; -1 for none.
   *
   * Shape: `listenerIndex` counts in the listener names given to `compileRoutes`; host and path are
   * canonical spans (host in lower case without port, path with its escapes resolved; `*` for
   * OPTIONS *); `method` is a `Method` code, its span is read for `Method.OTHER` only; `facts` are
   * of the same request, null where `hasConditions` says no. Cost: nothing allocated; a walk over
   * host and path, then the conditions of the routes that are left.
   */
  match(
    listenerIndex: number,
    hostBytes: Uint8Array,
    hostStart: number,
    hostEnd: number,
    pathBytes: Uint8Array,
    pathStart: number,
    pathEnd: number,
    method: number,
    methodBytes: Uint8Array,
    methodStart: number,
    methodEnd: number,
    facts: RequestFacts | null,
  ): number;
  /** Has a route of this listener conditions, so that `match` needs facts? */
  hasConditions(listenerIndex: number): boolean;
}

/** The route that takes a request, asked of its head: what traffic and explanations both ask. */
export function routeOf(
  matcher: RouteMatcher,
  listenerIndex: number,
  head: Head,
  facts: RequestFacts | null,
): number {
  return matcher.match(
    listenerIndex,
    head.hostBytes,
    head.hostStart,
    head.hostEnd,
    head.pathBytes,
    head.pathStart,
    head.pathEnd,
    head.method,
    head.bytes,
    head.methodStart,
    head.methodEnd,
    facts,
  );
}

/**
 * Compiles routes for the listeners of these names, in this order. Listeners with the same routes
 * share one index.
 *
 * Host: exact or `*.suffix` (one or more labels more). Path: exact, or `/prefix/*` (the prefix
 * itself and all below it, at segment boundaries), case-sensitive. Method: token. A route that
 * names listeners is for those only.
 */
export function compileRoutes(
  routes: readonly Route[],
  listenerNames: readonly string[],
): RouteMatcher {
  return finished(compileRoutesInSteps(routes, listenerNames));
}

/** The same in steps of some tenths of a millisecond, for thousands of routes beside traffic. */
export function* compileRoutesInSteps(
  routes: readonly Route[],
  listenerNames: readonly string[],
): Generator<void, RouteMatcher> {
  const sources = new ValueSources();
  const shared = new Map<string, ListenerRoutes>();
  const listeners: ListenerRoutes[] = [];
  for (const name of listenerNames) {
    const orders = [...routes.keys()].filter((order) => isFor(routes[order]!, name));
    const key = orders.join();
    const known = shared.get(key) ?? (yield* listenerRoutes(routes, orders, sources));
    shared.set(key, known);
    listeners.push(known);
  }
  return new CompiledRoutes(listeners);
}

function isFor(route: Route, listenerName: string): boolean {
  return route.listeners.length === 0 || route.listeners.includes(listenerName);
}

/**
 * The routes of one listener, up to the first that takes everything: none behind it is ever
 * reached.
 */
interface ListenerRoutes {
  readonly catchAllOrder: number;
  /** Null when the catch-all stands first: then there is nothing to look at. */
  readonly index: HostIndex | null;
  readonly hasConditions: boolean;
}

/** Routes taken in one step. */
const STEP_MAX = 64;

function* listenerRoutes(
  routes: readonly Route[],
  orders: readonly number[],
  sources: ValueSources,
): Generator<void, ListenerRoutes> {
  const builder = new HostIndexBuilder();
  let catchAllOrder = NO_ORDER;
  let indexedCount = 0;
  let hasConditions = false;
  for (const order of orders) {
    const { hosts, paths, methods, conditions } = routes[order]!.match;
    const filter = new MethodFilter(methods);
    const isAnyPath = paths.length === 0 || paths.includes('/*');
    const isUnconditional = conditions.length === 0;
    if (hosts.length === 0 && isAnyPath && filter.isAny && isUnconditional) {
      catchAllOrder = order;
      break;
    }
    if (!isUnconditional) hasConditions = true;
    builder.add(hosts, paths, {
      order,
      methods: filter,
      condition: compileConditions(conditions, sources),
      keys: conditions.flatMap((condition) => keyOf(condition, sources)),
    });
    indexedCount++;
    if (indexedCount % STEP_MAX === 0) yield;
  }
  const index = indexedCount === 0 ? null : yield* builder.buildInSteps();
  return { catchAllOrder, index, hasConditions };
}

/** A condition on exact texts, by which routes can be looked up. */
function keyOf(condition: Condition, sources: ValueSources): EntryKey[] {
  switch (condition.kind) {
    case 'header':
    case 'query':
    case 'cookie': {
      const { kind, name, test } = condition;
      return test.kind === 'any-of' ? [{ source: sources[kind](name), texts: test.texts }] : [];
    }
    case 'protocol':
    case 'country':
    case 'continent':
    case 'asn':
      return [{ source: sources[condition.kind], texts: condition.texts }];
    default:
      return [];
  }
}

class CompiledRoutes implements RouteMatcher {
  readonly #listeners: readonly ListenerRoutes[];
  readonly #query: PathQuery = pathQuery();

  constructor(listeners: readonly ListenerRoutes[]) {
    this.#listeners = listeners;
  }

  match(
    listenerIndex: number,
    hostBytes: Uint8Array,
    hostStart: number,
    hostEnd: number,
    pathBytes: Uint8Array,
    pathStart: number,
    pathEnd: number,
    method: number,
    methodBytes: Uint8Array,
    methodStart: number,
    methodEnd: number,
    facts: RequestFacts | null,
  ): number {
    const { index, catchAllOrder } = this.#listeners[listenerIndex]!;
    let order = catchAllOrder;
    if (index !== null) {
      const query = this.#query;
      query.pathBytes = pathBytes;
      query.pathStart = pathStart;
      query.pathEnd = pathEnd;
      query.method = method;
      query.methodBytes = methodBytes;
      query.methodStart = methodStart;
      query.methodEnd = methodEnd;
      query.facts = facts;
      order = index.match(hostBytes, hostStart, hostEnd, query, catchAllOrder);
    }
    return order === NO_ORDER ? -1 : order;
  }

  hasConditions(listenerIndex: number): boolean {
    return this.#listeners[listenerIndex]!.hasConditions;
  }
}
