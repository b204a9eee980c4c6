import type { EligibleSet } from '../balance/eligible.ts';
import type { LatencyBook } from '../balance/latency-book.ts';
import type { CidrSet } from '../base/address.ts';
import type { RequestFacts } from '../match/facts.ts';
import type { RequestValue } from '../match/request-value.ts';
import type { RouteMatcher } from '../match/routes.ts';
import type { Listener, Pool, Route, Snapshot } from '../model/snapshot.ts';
import type { HeadLimits } from '../wire/http1/head.ts';
import type { Answer } from './answers.ts';
import type { CompiledHooks } from './compiled-hooks.ts';
import type { ErrorPages } from './error-pages.ts';
import type { Peers } from './peers.ts';
import type { PoolGate } from './pool-gate.ts';
import type { CompiledRetry, RouteRetry } from './retry-rule.ts';
import type { CompiledActions } from './route-actions.ts';
import type { ServerState } from './server-state.ts';
import type { StickyPool } from './sticky.ts';

/**
 * A snapshot as a worker uses it: compiled once, swapped as one reference. An exchange that started
 * with one table keeps its parts until it ends.
 */
export interface Table {
  readonly snapshot: Snapshot;
  readonly listeners: ReadonlyMap<string, ListenerTable>;
  readonly pools: ReadonlyMap<string, CompiledPool>;
  /** In written order, as the matcher counts them. */
  readonly routes: readonly CompiledRoute[];
  readonly matcher: RouteMatcher;
  readonly headLimits: HeadLimits;
  /** For requests without a route. */
  readonly errorPages: ErrorPages;
}

/** What an accepted link needs to know of its listener. */
export interface ListenerTable {
  readonly listener: Listener;
  /** Index that the matcher knows the listener by. */
  readonly index: number;
  readonly table: Table;
  readonly matcher: RouteMatcher;
  /** Refilled per request for the conditions of its routes; null where none has any. */
  readonly facts: RequestFacts | null;
  readonly routes: readonly CompiledRoute[];
  /** Peers whose forwarding fields are believed. */
  readonly trusted: CidrSet;
  readonly peers: Peers;
  /** The pool of a tcp listener. */
  readonly pool: CompiledPool | null;
  /** Bases of its counters and histograms in the worker's row. */
  readonly counters: number;
  readonly connectHistogram: number;
  readonly firstByteHistogram: number;
  readonly totalHistogram: number;
}

/** A route as a worker uses it. */
export interface CompiledRoute {
  readonly route: Route;
  readonly pool: CompiledPool | null;
  /** The fixed answer; null for routes to a pool. */
  readonly fixed: Answer | null;
  /** Its own rule of retries; null = the pool's. */
  readonly retry: RouteRetry | null;
  /** The user's functions that its requests meet; null for most, and then nothing is looked at. */
  readonly hooks: CompiledHooks | null;
  /** What it does beside; null for most, and then nothing is looked at. */
  readonly actions: CompiledActions | null;
  readonly errorPages: ErrorPages;
  readonly counters: number;
  readonly connectHistogram: number;
  readonly firstByteHistogram: number;
  readonly totalHistogram: number;
}

/** A pool as a worker uses it. */
export interface CompiledPool {
  readonly pool: Pool;
  readonly eligible: EligibleSet;
  /** Where the key of `hash` is in a request; null where none has to be looked for. */
  readonly key: RequestValue | null;
  /** Keeps clients at their servers by a cookie; null where it does not. */
  readonly sticky: StickyPool | null;
  /** Notes what servers take to answer; null where the policy does not go by it. */
  readonly latency: LatencyBook | null;
  /** Host of a request that came without one (HTTP/1.0). */
  readonly defaultHost: Uint8Array;
  readonly retry: CompiledRetry;
  /** A circuit breaker may refuse requests. */
  readonly hasBreaker: boolean;
  /** Its own limits and its queue; null when it has neither. */
  readonly gate: PoolGate | null;
  /** By slot. */
  readonly servers: ReadonlyMap<number, ServerState>;
  readonly counters: number;
  /** Of what no server had. */
  readonly totalHistogram: number;
}
