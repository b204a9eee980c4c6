import type { ErrorPage } from '../../model/actions.ts';
import type { HookModule } from '../../model/hooks.ts';
import type { LogForm } from '../../model/log-form.ts';
import type {
  GeoFiles,
  Listener,
  Pool,
  Route,
  Server,
  Timeouts,
  TrafficLimits,
} from '../../model/snapshot.ts';
import type { TraceRule } from '../../model/spans.ts';
import type { ConfigDiscovery } from './discovery.ts';

/**
 * A checked configuration: every short form written out, every default filled in, every reference
 * known to lead somewhere. Plain data, deeply readonly. All durations in ms, all sizes in bytes.
 *
 * It is a snapshot without what only the publisher can give (slots, version, resolved targets), plus
 * the settings of the process itself.
 */
export interface Config {
  readonly listeners: readonly ConfigListener[];
  readonly routes: readonly ConfigRoute[];
  readonly pools: readonly ConfigPool[];
  readonly timeouts: Timeouts;
  readonly limits: TrafficLimits;
  /** CIDR texts with host bits cleared: `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.1/32`. */
  readonly trustedPeers: readonly string[];
  readonly errors: readonly ErrorPage[];
  /** Databases that a route's conditions ask; null where none does. */
  readonly geo: GeoFiles | null;
  /** Other files that this was made of: a change of one is a change of the configuration. */
  readonly files: readonly string[];
  /** Hooks of all routes; null = none. */
  readonly hooks?: HookModule | null;
  /** What we call ourselves in `Via`. */
  readonly viaName: string;
  /** Worker threads; null = one per available core. */
  readonly workers: number | null;
  readonly log: ConfigLog;
  /** Null = none. */
  readonly tracing: ConfigTracing | null;
  /** Where metrics are pushed to; null = nowhere. */
  readonly metrics: ConfigMetrics | null;
  readonly admin: ConfigAdmin;
  /** Absent in what an older version kept: then none is. */
  readonly history?: ConfigHistory;
  /** Null or absent: nobody is told. */
  readonly alerts?: ConfigAlerts | null;
  readonly scaling?: ConfigScaling | null;
}

/** When something is bad, and who is told. */
export interface ConfigAlerts {
  /** Null = log and metrics only. */
  readonly webhook: string | null;
  readonly errorRatio: number;
  readonly headroomRatio: number;
  readonly serverDownMs: number;
  readonly forMs: number;
}

/** Who is told how many servers pools want. */
export interface ConfigScaling {
  readonly webhook: string | null;
  readonly command: string | null;
  /** Least time between two of a pool. */
  readonly everyMs: number;
}

/** Whether and where figures of the past are kept. */
export interface ConfigHistory {
  readonly isEnabled: boolean;
  /** Null = the state directory. */
  readonly directory: string | null;
  readonly bytesMax: number;
}

/** A listener without its slot; `bind` is its address taken apart. */
export interface ConfigListener extends Omit<Listener, 'slot'> {
  readonly bind: ListenAddress;
}

/**
 * Where to listen. `any`: IPv4 and IPv6 together (IPv4 alone where there is no IPv6). `ip`: this
 * address only; `::` is then IPv6 alone. Port 0 lets the system choose one.
 */
export type ListenAddress =
  | { readonly kind: 'any'; readonly port: number }
  | { readonly kind: 'ip'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** A route without its slot. */
export type ConfigRoute = Omit<Route, 'slot'>;

/** A pool without its slot, its servers without slot and target. */
export interface ConfigPool extends Omit<Pool, 'slot' | 'servers'> {
  readonly servers: readonly ConfigServer[];
  /** Where further servers are found at run time. */
  readonly discover: readonly ConfigDiscovery[];
  /** Absent in what an older version kept: then the usual ones. */
  readonly objective?: ConfigObjective;
}

/** What a pool shall keep to. */
export interface ConfigObjective {
  /** Null = none. */
  readonly p99Ms: number | null;
  readonly successRatio: number;
  /** Share of what a server can do at most that it shall be given. */
  readonly loadRatio: number;
}

/** A server without slot and target; `address` is unique within its pool. */
export type ConfigServer = Omit<Server, 'slot' | 'target'>;

/** Where metrics are pushed to. */
export interface ConfigMetrics {
  /** Without `/v1/metrics`. */
  readonly otlp: string;
  /** Secrets, by field name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly intervalMs: number;
  readonly service: string;
}

/** Which requests are traced, and where their spans go. */
export interface ConfigTracing extends TraceRule {
  /** Without `/v1/traces`. */
  readonly otlp: string;
  /** Secrets, by field name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly service: string;
}

/** Where and how we log. */
export interface ConfigLog {
  readonly access: LogTarget;
  readonly format: 'json' | 'combined' | 'template';
  /** Null = the usual line for every exchange. */
  readonly form: LogForm | null;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
}

/** Where access-log lines go. A path is as written: relative ones start at the working directory. */
export type LogTarget =
  | { readonly kind: 'stdout' | 'stderr' | 'off' }
  | { readonly kind: 'file'; readonly path: string };

/** Where the admin API is reached besides its default Unix socket. */
export interface ConfigAdmin {
  /** Address for TCP; null = Unix socket only. */
  readonly address: { readonly host: string; readonly port: number } | null;
  /** Bearer token for changes over TCP; null = the balancer makes one. */
  readonly token: string | null;
  /** Path of the Unix socket; null = the default place. */
  readonly socket: string | null;
}
