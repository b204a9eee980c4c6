/** Everything that `evenkeel status --json` and `GET /v1/status` tell. Times are ms of the epoch. */
export interface StatusReport {
  readonly version: string;
  readonly startedAtMs: number;
  /** `leaving`: balancers that upgrades replaced and that finish what they had accepted. */
  readonly pids: {
    readonly supervisor: number | null;
    readonly balancer: number;
    readonly leaving: readonly number[];
  };
  readonly driver: { readonly name: 'uring' | 'portable'; readonly reason: string };
  readonly isDraining: boolean;
  readonly workers: readonly WorkerStatus[];
  readonly configuration: ConfigurationStatus;
  /** Null while no access log is written. */
  readonly accessLog: AccessLogStatus | null;
  /** Null while nothing is traced. */
  readonly tracing: TracingStatus | null;
  readonly listeners: readonly ListenerStatus[];
  readonly routes: readonly RouteStatus[];
  readonly pools: readonly PoolStatus[];
  /** What left the configuration and had traffic, so that sums over all stay whole. */
  readonly removed: RemovedStatus;
}

/** How spans are sent. */
export interface TracingStatus {
  readonly sent: number;
  readonly waiting: number;
  /** Given up because the receiver was too slow or failing. */
  readonly dropped: number;
  /** Why the last batch was not taken, or null. */
  readonly error: string | null;
}

/** How the access log is written. */
export interface AccessLogStatus {
  readonly writtenBytes: number;
  readonly queuedBytes: number;
  /** Lines that were given up because their target was too slow or failing. */
  readonly droppedLines: number;
  /** The system's code of the error that holds writing up now, or null. */
  readonly error: string | null;
}

/**
 * Ended exchanges by the class of their final answer. `aborted`: without a complete answer. Their sum
 * is `requests`.
 */
export interface ResponsesStatus {
  readonly '1xx': number;
  readonly '2xx': number;
  readonly '3xx': number;
  readonly '4xx': number;
  readonly '5xx': number;
  readonly aborted: number;
}

/** Totals of owners that left; the name `(removed)` sums up those whose slots have new owners. */
export interface RemovedStatus {
  readonly listeners: readonly RemovedTotals[];
  readonly routes: readonly RemovedTotals[];
  readonly pools: readonly RemovedPoolStatus[];
}

/** A listener, route or pool that left. */
export interface RemovedTotals {
  readonly name: string;
  readonly requests: number;
  readonly withoutServer: number;
}

/** A pool that left: `requests` = over its servers + `withoutServer`. */
export interface RemovedPoolStatus extends RemovedTotals {
  readonly servers: readonly RemovedServerStatus[];
}

/** A server that left. */
export interface RemovedServerStatus {
  readonly address: string;
  /** Exchanges that were there when it left and still run. */
  readonly inFlight: number;
  readonly requests: number;
  readonly errors: number;
}

/** One worker thread. */
export interface WorkerStatus {
  readonly index: number;
  readonly state: WorkerState;
  readonly heartbeatAgeMs: number;
  /** How often this worker's thread was replaced since the process began. */
  readonly restarts: number;
  /** Version of the snapshot that it has applied. */
  readonly appliedVersion: number;
  /** Last gauges that the driver reported: ring use, buffers, links. */
  readonly gauges: Readonly<Record<string, number>>;
}

/** `replacing`: its thread died and the next one waits for its back-off. */
export type WorkerState = 'starting' | 'ready' | 'draining' | 'drained' | 'replacing';

/** Where the running configuration came from and what the last attempt to change it gave. */
export interface ConfigurationStatus {
  /** Null for the flags form. */
  readonly file: string | null;
  /** Version of the published snapshot. */
  readonly version: number;
  /** Null before the first reload. */
  readonly lastReload: ReloadStatus | null;
  readonly reloads: number;
  readonly failedReloads: number;
}

/** The last reload; `problems` are lines for people. */
export interface ReloadStatus {
  readonly ok: boolean;
  readonly atMs: number;
  readonly problems: readonly string[];
}

/** One listening address. */
export interface ListenerStatus {
  readonly name: string;
  readonly address: string;
  /** The port in use, also where port 0 was asked for; 0 for Unix sockets. */
  readonly port: number;
  readonly protocol: 'http' | 'tcp';
  /** Downstream links now open. */
  readonly links: number;
  readonly accepted: number;
  readonly requests: number;
  /** Of `requests`: those that no server had, because they were refused or answered here. */
  readonly withoutServer: number;
  readonly responses: ResponsesStatus;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** One route with its traffic so far. */
export interface RouteStatus {
  readonly name: string;
  readonly pool: string | null;
  readonly requests: number;
  /** Of `requests`: those that no server had. */
  readonly withoutServer: number;
}

/** One pool and its servers: `requests` = over `servers` + over `removed` + `withoutServer`. */
export interface PoolStatus {
  readonly name: string;
  readonly policy: string;
  readonly requests: number;
  /** Of `requests`: those for which no server could be chosen. */
  readonly withoutServer: number;
  readonly responses: ResponsesStatus;
  /** Mean of the last ten seconds. */
  readonly requestsPerSecond: number;
  readonly retries: number;
  /** Exchanges and tunnels now running at its servers. */
  readonly inFlight: number;
  /** Requests that wait for a place now. */
  readonly queued: number;
  /** What it has to do now: in flight and queued. */
  readonly load: number;
  /** Limits of its own; null where it has none. */
  readonly maxConnections: number | null;
  readonly queueSize: number | null;
  readonly condition: PoolCondition;
  /** Why it is in that condition, in words. */
  readonly why: string;
  readonly servers: readonly ServerStatus[];
  /** Servers that left and had traffic. */
  readonly removed: readonly RemovedServerStatus[];
  /** Where its servers are found at run time. */
  readonly discovery: readonly DiscoveryStatus[];
}

/** One source of discovery. */
export interface DiscoveryStatus {
  /** `dns app.internal a`, `file servers.yaml`. */
  readonly source: string;
  /** `holding`: an answer that takes away too much is not believed yet. */
  readonly state: 'waiting' | 'ok' | 'holding' | 'failing';
  /** Why it fails or holds; null otherwise. */
  readonly why: string | null;
  /** Servers in use that it found. */
  readonly servers: number;
  readonly answers: number;
  readonly failures: number;
  readonly heldAnswers: number;
  /** Epoch ms; null = never yet. */
  readonly answeredAtMs: number | null;
  readonly changedAtMs: number | null;
}

/**
 * How a pool is. `degraded`: some of its servers are out, or backups serve. `panic`: so many are in
 * trouble that ejecting helps nobody, and those that were ejected take traffic. `open`: its
 * circuit breaker refuses requests. `down`: nobody serves.
 */
export type PoolCondition = 'well' | 'degraded' | 'panic' | 'open' | 'down';

/** What a server's state is called: the first that holds of unresolved, down, refusing, ejected, draining, up. */
export type ServerState = 'up' | 'down' | 'draining' | 'ejected' | 'refusing' | 'unresolved';

/** One server. */
export interface ServerStatus {
  readonly address: string;
  readonly slot: number;
  readonly weight: number;
  readonly isBackup: boolean;
  readonly state: ServerState;
  /** Why it is in that state, in words. */
  readonly why: string;
  readonly inFlight: number;
  /** Of these, those that wait for an answer to begin; null where that is not limited, and so not counted. */
  readonly pending: number | null;
  /** Its limits; null where it has none. */
  readonly maxConnections: number | null;
  readonly maxPending: number | null;
  readonly requests: number;
  /** Mean of the last ten seconds. */
  readonly requestsPerSecond: number;
  /** Answers of class 5xx, failed dials, resets and time-outs. */
  readonly errors: number;
  readonly latencyMs: LatencyStatus;
  readonly history: readonly VerdictChange[];
}

/** Quantiles of the time from pick to end, over the process's life; null without a request. */
export interface LatencyStatus {
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
}

/** One change of a server's verdict. */
export interface VerdictChange {
  readonly atMs: number;
  readonly state: ServerState;
  readonly why: string;
}
