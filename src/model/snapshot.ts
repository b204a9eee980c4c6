import type { ErrorPage, RouteActions } from './actions.ts';
import type { Balancing } from './balancing.ts';
import type { Condition } from './conditions.ts';
import type { HookModule } from './hooks.ts';
import type { LogForm } from './log-form.ts';
import type { RetryRule } from './retry.ts';
import type { TraceRule } from './spans.ts';

/**
 * The contract between the planes: plain, deeply readonly, versioned data. Control builds and checks
 * it; a worker compiles it into a table. All durations in ms, all sizes in bytes.
 */
export interface Snapshot {
  /** Grows by one with each publication. */
  readonly version: number;
  readonly listeners: readonly Listener[];
  readonly routes: readonly Route[];
  readonly pools: readonly Pool[];
  readonly timeouts: Timeouts;
  readonly limits: TrafficLimits;
  /** CIDR texts of peers whose forwarding fields we believe. */
  readonly trustedPeers: readonly string[];
  /** Error pages for every route, and for requests that have none. */
  readonly errors: readonly ErrorPage[];
  readonly accessLog: boolean;
  /** How its lines look and who gets one; null = the usual line for everyone. */
  readonly logForm?: LogForm | null;
  /** Which requests are traced; null = none. */
  readonly tracing?: TraceRule | null;
  /** Hooks that the requests of every route meet; null = none. */
  readonly hooks?: HookModule | null;
  /** Databases that conditions of routes ask; null where none does. */
  readonly geo: GeoFiles | null;
  /** What we call ourselves in `Via`: `1.1 <name>`. */
  readonly viaName: string;
}

/** Databases of the places of addresses. */
export interface GeoFiles {
  readonly country: GeoFile | null;
  readonly asn: GeoFile | null;
}

/** A database as it was when the configuration was read. */
export interface GeoFile {
  readonly path: string;
  /** Differs when the file differs. */
  readonly mark: string;
}

/** A socket that we accept on. */
export interface Listener {
  /** Index in shared counters; stable while the listener's name lives. */
  readonly slot: number;
  readonly name: string;
  /** As written, for people: `:8080`, `unix:/run/x.sock`. */
  readonly address: string;
  readonly protocol: 'http' | 'tcp';
  /** Pool name; tcp listeners only. */
  readonly pool: string | null;
}

/** A rule from a request to a pool or a fixed answer; the first in written order that matches wins. */
export interface Route {
  /** Index in shared counters; stable while the route's name lives. */
  readonly slot: number;
  readonly name: string;
  /** Listener names; empty = all http listeners. */
  readonly listeners: readonly string[];
  readonly match: RouteMatch;
  /** At most one of the two is set; none where `actions` redirect or split. */
  readonly pool: string | null;
  /** Labels that servers of `pool` must have; null = every server. */
  readonly subset?: Readonly<Record<string, string>> | null;
  readonly respond: FixedAnswer | null;
  /** All that is done beside; null = nothing, which costs a request nothing. */
  readonly actions: RouteActions | null;
  /** Its own hooks, after those of the configuration; null = none. */
  readonly hooks?: HookModule | null;
  /** Encoded separators (`%2f` …) pass on this route. */
  readonly allowEncodedSeparators: boolean;
  /** What differs from the pool's rule; null = nothing. */
  readonly retry: Partial<RetryRule> | null;
}

/** What a route takes: each list is empty or has a member that fits. */
export interface RouteMatch {
  /** `api.example.com` or `*.example.com` (one or more labels), lower case; empty = any. */
  readonly hosts: readonly string[];
  /** `/exact` or `/prefix/*` (matches `/prefix` and all below); empty = any. */
  readonly paths: readonly string[];
  /** Upper-case method tokens; empty = any. */
  readonly methods: readonly string[];
  /** What must hold besides; all of it. */
  readonly conditions: readonly Condition[];
}

/** An answer of our own instead of a server's. */
export interface FixedAnswer {
  readonly status: number;
  /** A template, as the values of `headers`; literal where it came from a file. */
  readonly body: string;
  /** Where the body comes from; null = written in the configuration. */
  readonly file: string | null;
  /** Content-Type of the body. */
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** How a pool chooses a server. */
export type PolicyName =
  | 'p2c'
  | 'round-robin'
  | 'least-connections'
  | 'least-latency'
  | 'ip-hash'
  | 'hash'
  | 'random'
  | 'first'
  | 'custom';

/** A named group of servers with a policy, a probe and limits. */
export interface Pool {
  /** Index in shared counters and cursors; stable while the pool's name lives. */
  readonly slot: number;
  readonly name: string;
  readonly policy: PolicyName;
  readonly balancing: Balancing;
  readonly servers: readonly Server[];
  /** Active checks of each server; empty = none. */
  readonly probes: readonly Probe[];
  /** Whether a server is well when all of its probes say so, or any. */
  readonly probeRule: 'all' | 'any';
  /** Passive checks by the pool's own traffic; null = none. */
  readonly outlier: Outlier | null;
  /** Refuses requests while most fail; null = never. */
  readonly breaker: Breaker | null;
  readonly timeouts: PoolTimeouts;
  readonly retry: RetryRule;
  /** Active exchanges and tunnels over all servers and workers; 0 = no limit. */
  readonly connectionsMax: number;
  /** Where requests wait while every server is at its limit; null = they are refused. */
  readonly queue: QueueRule | null;
  readonly reuse: {
    readonly idleMs: number;
    readonly requestsMax: number;
    readonly ageMs: number;
    readonly perWorkerMax: number;
  };
}

/** How requests wait for a place. */
export interface QueueRule {
  /** Over all workers. */
  readonly size: number;
  readonly timeoutMs: number;
  /** Priority by a header field; null = all are equal. Class 0 goes first. */
  readonly classes: {
    /** Lower case. */
    readonly header: string;
    /** Class by value in lower case. */
    readonly values: Readonly<Record<string, number>>;
    /** Class of all other requests. */
    readonly otherwise: number;
  } | null;
}

/** One address in a pool. */
export interface Server {
  /** Index in shared memory; belongs to (pool, address), survives reloads. */
  readonly slot: number;
  /** As written: `10.0.0.1:3000`, `app.internal:80`, `unix:/run/app.sock`. Its name within the pool. */
  readonly address: string;
  /** Where to dial now; null while a name is unresolved. */
  readonly target: DialAddress | null;
  /** ≥ 0; 0 takes no new traffic. */
  readonly weight: number;
  readonly isBackup: boolean;
  /** 0 … 9; a higher one gets what the lower ones cannot take. */
  readonly tier: number;
  /** Active exchanges and tunnels over all workers; 0 = no limit. */
  readonly connectionsMax: number;
  /** Exchanges that wait for its answer to begin, over all workers; 0 or absent = no limit. */
  readonly pendingMax?: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** An IP with port, or a Unix socket path. */
export type DialAddress =
  | { readonly kind: 'ip'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/**
 * An active check of every server of a pool. `http` asks, `tcp` connects and may talk, `exec` runs a
 * program, `agent` reads a line of HAProxy's agent protocol.
 */
export interface Probe {
  readonly type: 'http' | 'tcp' | 'exec' | 'agent';
  /** Asked at this port instead of the server's own; null = its own. */
  readonly port: number | null;
  readonly method: string;
  readonly path: string;
  readonly host: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly intervalMs: number;
  /** While a series against the verdict runs. */
  readonly fastIntervalMs: number;
  /** While it is down. */
  readonly downIntervalMs: number;
  readonly timeoutMs: number;
  readonly rise: number;
  readonly fall: number;
  /** 0–1: share of the interval that is random. */
  readonly jitterRatio: number;
  /** Inclusive ranges of accepted statuses. */
  readonly expect: readonly (readonly [number, number])[];
  /** Text that the body's first 64 KiB must contain; null = any. */
  readonly bodyText: string | null;
  /** What stands in the body at a path such as `$.checks.db` must be this; null = anything. */
  readonly bodyJson: { readonly path: string; readonly equals: string } | null;
  /** What a tcp probe or an agent is told; null = nothing. */
  readonly send: string | null;
  /** Text that a tcp probe must get back; null = none. */
  readonly receive: string | null;
  /** What exec runs; null for other types. */
  readonly command: string | null;
  readonly args: readonly string[];
  /** Exit codes 2–102 pass and give 0–100 % of the weight. */
  readonly isWeightByExit: boolean;
  /** Verdict before the first probe has ended. */
  readonly startState: 'down' | 'up';
}

/** When a pool refuses requests, and how it tries again. */
export interface Breaker {
  /** Share of failed attempts that opens it. */
  readonly errorsRatio: number;
  /** Attempts in the window below which it stays closed. */
  readonly volumeMin: number;
  readonly windowMs: number;
  readonly openMs: number;
  /** Requests that try it while it is half open. */
  readonly trials: number;
}

/** What of a pool's traffic takes a server out for a while. */
export interface Outlier {
  /** Failures in a row (500 not among them); 0 = not looked at. */
  readonly consecutive: number;
  /** How much more of its attempts than its peers' a server may fail; 1 = not looked at. */
  readonly successMarginRatio: number;
  /** How many times its peers' median a server's first byte may take; 0 = not looked at. */
  readonly latencyFactor: number;
  /** A median below this is never slow. */
  readonly latencyLeastMs: number;
  /** How often traffic is looked at; the window is ten of these. */
  readonly intervalMs: number;
  /** Attempts in the window below which nothing is said of a server. */
  readonly volumeMin: number;
  /** Length of the first ejection; the n-th in a row lasts n times that. */
  readonly ejectForMs: number;
  /** Share of the servers that may be out at once, but at least one. */
  readonly ejectMaxRatio: number;
}

/** How long a server may take (ms). */
export interface PoolTimeouts {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
}

/** How long clients and our own ends may take (ms). */
export interface Timeouts {
  readonly headerMs: number;
  readonly keepAliveMs: number;
  readonly idleMs: number;
  readonly drainMs: number;
  /** Tunnels (tcp listeners, upgraded links) without progress. */
  readonly tunnelMs: number;
}

/** Limits on what peers may use. */
export interface TrafficLimits {
  readonly headBytesMax: number;
  readonly headFieldsMax: number;
  /** Downstream links over all workers. */
  readonly connectionsMax: number;
}
