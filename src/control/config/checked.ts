import type { SplitKey } from '../../model/actions.ts';
import type { HashKey } from '../../model/balancing.ts';
import type { LogPart } from '../../model/log-form.ts';
import type { PolicyName } from '../../model/snapshot.ts';
import type { LogTarget } from './config.ts';

/**
 * What the checker leaves: long forms, read values, nothing filled in. A key that was wrong is absent
 * like one that was not written, so references can be checked although other things are wrong.
 * Field names are those of `registry.ts`; a test compares them.
 */
export interface Checked {
  readonly listeners?: readonly CheckedListener[];
  readonly routes?: readonly CheckedRoute[];
  readonly pools?: ReadonlyMap<string, CheckedPool>;
  readonly workers?: number;
  readonly log?: CheckedLog;
  readonly admin?: {
    readonly address?: string;
    readonly token?: string;
    readonly socket?: string;
  };
  readonly timeouts?: {
    readonly header?: number;
    readonly keepAlive?: number;
    readonly idle?: number;
    readonly tunnel?: number;
    readonly drain?: number;
  };
  readonly limits?: {
    readonly headerBytes?: number;
    readonly headers?: number;
    readonly connections?: number;
  };
  readonly trustedPeers?: readonly string[];
  readonly geo?: { readonly country?: string; readonly asn?: string };
  readonly zone?: string;
  readonly errors?: ReadonlyMap<string, CheckedErrorPage>;
  readonly hooks?: CheckedHooks;
  readonly alerts?: {
    readonly webhook?: string;
    readonly errors?: number;
    readonly headroom?: number;
    readonly serverDown?: number;
    readonly for?: number;
  };
  readonly scaling?: {
    readonly webhook?: string;
    readonly command?: string;
    readonly every?: number;
  };
  readonly history?: {
    readonly enabled?: boolean;
    readonly directory?: string;
    readonly size?: number;
  };
  readonly metrics?: CheckedMetrics;
  readonly tracing?: CheckedTracing;
  readonly name?: string;
}

/** `log` of the configuration. Durations in ms, shares as ratios. */
export interface CheckedLog {
  readonly access?: LogTarget;
  readonly format?: 'json' | 'combined' | 'template';
  readonly fields?: readonly LogPart[];
  readonly template?: readonly LogPart[];
  readonly hide?: readonly string[];
  readonly sample?: number;
  readonly always?: { readonly errors?: boolean; readonly slow?: number };
  readonly level?: 'debug' | 'info' | 'warn' | 'error';
}

/** `metrics` of the configuration. Durations in ms. */
export interface CheckedMetrics {
  readonly otlp?: string;
  readonly headers?: ReadonlyMap<string, string>;
  readonly interval?: number;
  readonly service?: string;
}

/** `tracing` of the configuration. Shares as ratios. */
export interface CheckedTracing {
  readonly otlp?: string;
  readonly headers?: ReadonlyMap<string, string>;
  readonly sample?: number;
  readonly parents?: 'all' | 'trusted' | 'none';
  readonly service?: string;
}

/** `hooks` of the configuration or of a route. */
export interface CheckedHooks {
  readonly module?: string;
  readonly timeout?: number;
  readonly onFailure?: 'pass' | 'refuse';
}

/** One of `listeners`. */
export interface CheckedListener {
  readonly name?: string;
  readonly address?: string;
  readonly protocol?: 'http' | 'tcp';
  readonly pool?: string;
}

/** One of `routes`. */
export interface CheckedRoute {
  readonly name?: string;
  readonly listeners?: readonly string[];
  readonly match?: CheckedMatch;
  readonly pool?: string;
  readonly subset?: ReadonlyMap<string, string>;
  readonly respond?: {
    readonly status?: number;
    readonly body?: string;
    readonly file?: string;
    readonly contentType?: string;
    readonly headers?: ReadonlyMap<string, string>;
  };
  readonly split?: readonly { readonly pool?: string; readonly weight?: number }[];
  readonly splitBy?: SplitKey;
  readonly fallback?: string;
  readonly mirror?: {
    readonly pool?: string;
    readonly share?: number;
    readonly bodyMax?: number;
    readonly timeout?: number;
    readonly pending?: number;
  };
  readonly redirect?: { readonly to?: string; readonly status?: number };
  readonly rewrite?: {
    readonly host?: string;
    readonly path?: string;
    readonly stripPrefix?: string;
    readonly addPrefix?: string;
    readonly pattern?: string;
    readonly replace?: string;
  };
  readonly headers?: {
    readonly request?: CheckedHeaderRules;
    readonly response?: CheckedHeaderRules;
  };
  readonly errors?: ReadonlyMap<string, CheckedErrorPage>;
  readonly hooks?: CheckedHooks;
  readonly allowEncodedSeparators?: boolean;
  readonly retry?: CheckedRetry;
}

/** One of `errors`; its key is a status or a range of them. */
export interface CheckedErrorPage {
  readonly body?: string;
  readonly file?: string;
  readonly contentType?: string;
  readonly replaceUpstream?: boolean;
}

/** `headers.request` and `headers.response` of a route. */
export interface CheckedHeaderRules {
  readonly remove?: readonly string[];
  readonly set?: ReadonlyMap<string, string>;
  readonly add?: ReadonlyMap<string, string>;
}

/** `match` of a route, and what stands in `all`, `any` and `not`. Sizes in bytes, shares as ratios. */
export interface CheckedMatch {
  readonly host?: readonly string[];
  readonly path?: readonly string[];
  readonly method?: readonly string[];
  readonly pathPattern?: readonly string[];
  readonly header?: ReadonlyMap<string, CheckedTest>;
  readonly query?: ReadonlyMap<string, CheckedTest>;
  readonly cookie?: ReadonlyMap<string, CheckedTest>;
  readonly contentType?: readonly string[];
  readonly size?: { readonly min?: number; readonly max?: number };
  readonly protocol?: readonly string[];
  readonly client?: readonly string[];
  readonly country?: readonly string[];
  readonly continent?: readonly string[];
  readonly asn?: readonly string[];
  readonly time?: {
    readonly days?: readonly (readonly number[])[];
    readonly from?: number;
    readonly to?: number;
    readonly zone?: string;
  };
  readonly share?: number;
  readonly all?: readonly CheckedMatch[];
  readonly any?: readonly CheckedMatch[];
  readonly not?: CheckedMatch;
}

/** A test of the values of one header, parameter or cookie. */
export interface CheckedTest {
  readonly is?: readonly string[];
  readonly present?: boolean;
  readonly prefix?: string;
  readonly pattern?: string;
  readonly not?: CheckedTest;
}

/** One of `pools`. Durations in ms, shares as ratios. */
export interface CheckedPool {
  readonly servers?: readonly CheckedServer[];
  readonly discover?: readonly CheckedDiscovery[];
  readonly policy?: { readonly name?: PolicyName; readonly module?: string };
  readonly key?: HashKey;
  readonly slowStart?: {
    readonly window?: number;
    readonly aggression?: number;
    readonly min?: number;
  };
  readonly sticky?: {
    readonly cookie?: string;
    readonly ttl?: number;
    readonly path?: string;
    readonly secure?: 'auto' | 'always' | 'never';
    readonly sameSite?: 'lax' | 'strict' | 'none';
    readonly secret?: string;
    readonly secretFile?: string;
  };
  readonly overprovision?: number;
  readonly preferZone?: boolean;
  readonly loadHeader?: boolean;
  readonly probe?: CheckedProbe;
  readonly probes?: readonly CheckedProbe[];
  readonly probeRule?: 'all' | 'any';
  readonly outlier?: CheckedOutlier;
  readonly breaker?: CheckedBreaker;
  readonly timeouts?: {
    readonly connect?: number;
    readonly firstByte?: number;
    readonly idle?: number;
  };
  readonly retry?: CheckedRetry;
  readonly maxConnections?: number;
  readonly queue?: CheckedQueue;
  readonly objective?: { readonly p99?: number; readonly success?: number; readonly load?: number };
  readonly reuse?: {
    readonly idle?: number;
    readonly requests?: number;
    readonly age?: number;
    readonly perWorker?: number;
  };
}

/** `queue` of a pool. */
export interface CheckedQueue {
  readonly size?: number;
  readonly timeout?: number;
  readonly classes?: {
    readonly header?: string;
    readonly values?: ReadonlyMap<string, number>;
    readonly default?: number;
  };
}

/** `retry` of a pool or a route. */
export interface CheckedRetry {
  readonly attempts?: number;
  readonly on?: readonly ('connect' | 'reset' | 'timeout' | readonly [number, number])[];
  readonly perTry?: number;
  readonly total?: number;
  readonly budget?: number;
  readonly backoff?: { readonly base?: number; readonly max?: number };
  readonly hedge?: { readonly after?: number; readonly max?: number };
  readonly retryAfter?: boolean;
  readonly nonIdempotent?: boolean;
}

/** `probe` of a pool, or one of its `probes`. */
export interface CheckedProbe {
  readonly type?: 'http' | 'tcp' | 'exec' | 'agent';
  readonly port?: number;
  readonly method?: 'GET' | 'HEAD' | 'OPTIONS' | 'POST';
  readonly path?: string;
  readonly host?: string;
  readonly headers?: ReadonlyMap<string, string>;
  readonly interval?: number;
  readonly fastInterval?: number;
  readonly downInterval?: number;
  readonly timeout?: number;
  readonly rise?: number;
  readonly fall?: number;
  readonly jitter?: number;
  /** As written: statuses of an http probe, the text that a tcp probe must get. */
  readonly expect?: readonly string[];
  readonly body?: string;
  readonly bodyJson?: { readonly path?: string; readonly equals?: string };
  readonly send?: string;
  readonly command?: string;
  readonly args?: readonly string[];
  readonly weightByExit?: boolean;
  readonly startState?: 'down' | 'up';
}

/** `breaker` of a pool. */
export interface CheckedBreaker {
  readonly errors?: number;
  readonly minimum?: number;
  readonly window?: number;
  readonly open?: number;
  readonly halfOpen?: number;
}

/** `outlier` of a pool. */
export interface CheckedOutlier {
  readonly enabled?: boolean;
  readonly consecutive?: number;
  readonly successRate?: number;
  readonly latency?: { readonly factor?: number; readonly least?: number };
  readonly interval?: number;
  readonly minimumVolume?: number;
  readonly ejectFor?: number;
  readonly ejectMax?: number;
}

/** One of `servers` of a pool. */
export interface CheckedServer {
  readonly address?: string;
  readonly weight?: number;
  readonly backup?: boolean;
  readonly maxConnections?: number;
  readonly maxPending?: number;
  readonly tier?: number;
  readonly labels?: ReadonlyMap<string, string>;
}

/** One of `discover` of a pool. */
export interface CheckedDiscovery {
  readonly dns?: string;
  readonly file?: string;
  readonly http?: string;
  readonly docker?: {
    readonly label?: string;
    readonly socket?: string;
    readonly network?: string;
  };
  readonly kubernetes?: {
    readonly service?: string;
    readonly namespace?: string;
    readonly port?: string;
    readonly apiServer?: string;
    readonly tokenFile?: string;
    readonly caFile?: string;
  };
  readonly type?: 'a' | 'aaaa' | 'srv';
  readonly port?: number;
  readonly resolvers?: readonly string[];
  readonly ttlMin?: number;
  readonly ttlMax?: number;
  readonly interval?: number;
  readonly headers?: ReadonlyMap<string, string>;
  readonly timeout?: number;
  readonly keepLast?: number;
  readonly vanish?: number;
}
