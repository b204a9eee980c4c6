// Rule zero: longer than 400 lines, because it is one flat list of what a configuration may say, which a test
// compares with the registry.
import type { LogFact } from '../../model/log-form.ts';
import type { GeoInput, MatchInput } from './define-match.ts';

/**
 * A configuration in TypeScript: the same keys, forms and defaults as in YAML (reference:
 * `docs/reference/configuration.md`). Returns its argument; it gives types, nothing else.
 *
 * @example
 * import { defineConfig } from 'evenkeel';
 * export default defineConfig({
 *   listeners: [':8080'],
 *   pools: { web: ['127.0.0.1:3001', '127.0.0.1:3002'] },
 * });
 */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}

/** `500ms`, `2s`, `5m`, `1h`. */
export type DurationInput = `${number}${'ms' | 's' | 'm' | 'h'}`;
/** `64KiB`, `1MiB`. */
export type SizeInput = `${number}${'B' | 'KiB' | 'MiB' | 'GiB'}`;
/** `20%`. */
export type PercentageInput = `${number}%`;
/** A status or a range of them: `200`, `'200-399'`. */
export type StatusRangeInput = number | `${number}` | `${number}-${number}`;

/** What is tried again. */
export type RetryConditionInput =
  | 'connect'
  | 'reset'
  | 'timeout'
  | '4xx'
  | '5xx'
  | StatusRangeInput;

/** What a configuration may say; every key has its entry in the reference. */
export interface ConfigInput {
  listeners: (string | ListenerInput)[];
  routes?: RouteInput[] | undefined;
  pools: Record<string, (string | ServerInput)[] | PoolInput>;
  workers?: number | undefined;
  log?: string | LogInput | undefined;
  admin?: string | AdminInput | undefined;
  timeouts?: TimeoutsInput | undefined;
  limits?: LimitsInput | undefined;
  trustedPeers?: string[] | undefined;
  geo?: string | GeoInput | undefined;
  zone?: string | undefined;
  errors?: ErrorPagesInput | undefined;
  hooks?: string | HooksInput | undefined;
  alerts?: string | AlertsInput | undefined;
  scaling?: string | ScalingInput | undefined;
  history?: boolean | HistoryInput | undefined;
  metrics?: string | MetricsInput | undefined;
  tracing?: string | TracingInput | undefined;
  name?: string | undefined;
}

/** What is told when something is bad; the short form is the webhook. */
export interface AlertsInput {
  webhook?: string | undefined;
  errors?: PercentageInput | undefined;
  headroom?: PercentageInput | undefined;
  serverDown?: DurationInput | undefined;
  for?: DurationInput | undefined;
}

/** Who is told how many servers pools want; the short form is the webhook. */
export interface ScalingInput {
  webhook?: string | undefined;
  command?: string | undefined;
  every?: DurationInput | undefined;
}

/** Figures of the past; the short form says whether they are kept at all. */
export interface HistoryInput {
  enabled?: boolean | undefined;
  directory?: string | undefined;
  size?: SizeInput | undefined;
}

/** Functions of yours; the short form is the path of their module. */
export interface HooksInput {
  module: string;
  timeout?: DurationInput | undefined;
  onFailure?: 'pass' | 'refuse' | undefined;
}

/** A listener in its long form; the short form is its address. */
export interface ListenerInput {
  name?: string | undefined;
  address: string;
  protocol?: 'http' | 'tcp' | undefined;
  pool?: string | undefined;
}

/** A route: a match with a pool, a split, a redirect or a fixed answer. */
export interface RouteInput {
  name?: string | undefined;
  listeners?: string | string[] | undefined;
  match?: string | string[] | MatchInput | undefined;
  pool?: string | undefined;
  subset?: Record<string, string> | undefined;
  respond?: number | RespondInput | undefined;
  split?: ShareInput[] | undefined;
  splitBy?: 'client' | 'request' | `cookie:${string}` | `header:${string}` | undefined;
  fallback?: string | undefined;
  mirror?: string | MirrorInput | undefined;
  redirect?: string | RedirectInput | undefined;
  rewrite?: RewriteInput | undefined;
  headers?: HeadersInput | undefined;
  errors?: ErrorPagesInput | undefined;
  hooks?: string | HooksInput | undefined;
  allowEncodedSeparators?: boolean | undefined;
  retry?: number | RetryInput | undefined;
}

/** A fixed answer; the short form is its status. */
export interface RespondInput {
  status: number;
  body?: string | undefined;
  file?: string | undefined;
  contentType?: string | undefined;
  headers?: Record<string, string> | undefined;
}

/** How a server is chosen. */
export type PolicyInput =
  | 'p2c'
  | 'round-robin'
  | 'least-connections'
  | 'least-latency'
  | 'ip-hash'
  | 'hash'
  | 'random'
  | 'first';

/** A policy of one's own: the path of its module. */
export interface PolicyModuleInput {
  name?: PolicyInput | undefined;
  module?: string | undefined;
}

/** What `hash` goes by. */
export type RequestKeyInput = 'ip' | 'path' | `${'header' | 'cookie' | 'query'}:${string}`;

/** Error pages by status or range of statuses: `'502-504'`. */
export type ErrorPagesInput = Record<string | number, string | ErrorPageInput>;

/** An error page; the short form is its body. */
export interface ErrorPageInput {
  body?: string | undefined;
  file?: string | undefined;
  contentType?: string | undefined;
  replaceUpstream?: boolean | undefined;
}

/** One pool of a split. */
export interface ShareInput {
  pool: string;
  weight: number;
}

/** Copies of requests; the short form is the pool. */
export interface MirrorInput {
  pool: string;
  share?: PercentageInput | undefined;
  bodyMax?: SizeInput | undefined;
  timeout?: DurationInput | undefined;
  pending?: number | undefined;
}

/** Where a client is sent; the short form is the URL. */
export interface RedirectInput {
  to: string;
  status?: 301 | 302 | 303 | 307 | 308 | undefined;
}

/** How host and path change on their way to a server. */
export interface RewriteInput {
  host?: string | undefined;
  path?: string | undefined;
  stripPrefix?: string | undefined;
  addPrefix?: string | undefined;
  pattern?: string | undefined;
  replace?: string | undefined;
}

/** Changes of header fields both ways. */
export interface HeadersInput {
  request?: HeaderRulesInput | undefined;
  response?: HeaderRulesInput | undefined;
}

/** First `remove`, then `set`, then `add`. */
export interface HeaderRulesInput {
  remove?: string | string[] | undefined;
  set?: Record<string, string> | undefined;
  add?: Record<string, string> | undefined;
}

/** The ramp of new and recovered servers; the short form is its window. */
export interface SlowStartInput {
  window: DurationInput;
  aggression?: number | undefined;
  min?: PercentageInput | undefined;
}

/** Sessions by a signed cookie; the short form is its name. */
export interface StickyInput {
  cookie: string;
  ttl?: DurationInput | undefined;
  path?: string | undefined;
  secure?: 'auto' | boolean | undefined;
  sameSite?: 'lax' | 'strict' | 'none' | undefined;
  secret?: string | undefined;
  secretFile?: string | undefined;
}

/** A pool in its long form; the short form is the list of its servers. */
export interface PoolInput {
  servers?: (string | ServerInput)[] | undefined;
  discover?: DiscoveryInput | DiscoveryInput[] | undefined;
  policy?: PolicyInput | PolicyModuleInput | undefined;
  key?: RequestKeyInput | undefined;
  slowStart?: DurationInput | SlowStartInput | undefined;
  sticky?: string | StickyInput | undefined;
  overprovision?: number | undefined;
  preferZone?: boolean | undefined;
  loadHeader?: boolean | undefined;
  probe?: string | ProbeInput | undefined;
  probes?: (string | ProbeInput)[] | undefined;
  probeRule?: 'all' | 'any' | undefined;
  outlier?: boolean | OutlierInput | undefined;
  breaker?: PercentageInput | BreakerInput | undefined;
  timeouts?: PoolTimeoutsInput | undefined;
  retry?: number | RetryInput | undefined;
  maxConnections?: number | undefined;
  queue?: number | QueueInput | undefined;
  objective?: ObjectiveInput | undefined;
  reuse?: ReuseInput | undefined;
}

/** A server in its long form; the short form is its address. */
export interface ServerInput {
  address: string;
  weight?: number | undefined;
  backup?: boolean | undefined;
  maxConnections?: number | undefined;
  maxPending?: number | undefined;
  tier?: number | undefined;
  labels?: Record<string, string> | undefined;
}

/** Where servers are found at run time: exactly one of dns, file, http, docker and kubernetes. */
export interface DiscoveryInput {
  dns?: string | undefined;
  file?: string | undefined;
  http?: string | undefined;
  docker?: string | DockerInput | undefined;
  kubernetes?: string | KubernetesInput | undefined;
  type?: 'a' | 'aaaa' | 'srv' | undefined;
  port?: number | undefined;
  resolvers?: string | string[] | undefined;
  ttlMin?: DurationInput | undefined;
  ttlMax?: DurationInput | undefined;
  interval?: DurationInput | undefined;
  headers?: Record<string, string> | undefined;
  timeout?: DurationInput | undefined;
  keepLast?: DurationInput | undefined;
  vanish?: PercentageInput | undefined;
}

/** Containers with a label; the short form is the label. */
export interface DockerInput {
  label: string;
  socket?: string | undefined;
  network?: string | undefined;
}

/** Endpoints of a service; the short form is its name. */
export interface KubernetesInput {
  service: string;
  namespace?: string | undefined;
  port?: number | string | undefined;
  apiServer?: string | undefined;
  tokenFile?: string | undefined;
  caFile?: string | undefined;
}

/** A probe in its long form; the short form is its path. */
export interface ProbeInput {
  type?: 'http' | 'tcp' | 'exec' | 'agent' | undefined;
  port?: number | undefined;
  method?: 'GET' | 'HEAD' | 'OPTIONS' | 'POST' | undefined;
  path?: string | undefined;
  host?: string | undefined;
  headers?: Record<string, string> | undefined;
  interval?: DurationInput | undefined;
  fastInterval?: DurationInput | undefined;
  downInterval?: DurationInput | undefined;
  timeout?: DurationInput | undefined;
  rise?: number | undefined;
  fall?: number | undefined;
  jitter?: PercentageInput | undefined;
  /** Statuses of an http probe, the text that a tcp probe must get back. */
  expect?: StatusRangeInput | string | (StatusRangeInput | string)[] | undefined;
  body?: string | undefined;
  bodyJson?: BodyJsonInput | undefined;
  send?: string | undefined;
  command?: string | undefined;
  args?: string[] | undefined;
  weightByExit?: boolean | undefined;
  startState?: 'down' | 'up' | undefined;
}

/** What must stand at a path of a JSON body, such as `$.status`. */
export interface BodyJsonInput {
  path: string;
  equals: string;
}

/** Refusing requests while most fail; the short form is the share of errors. */
export interface BreakerInput {
  errors?: PercentageInput | undefined;
  minimum?: number | undefined;
  window?: DurationInput | undefined;
  open?: DurationInput | undefined;
  halfOpen?: number | undefined;
}

/** Taking servers out by their traffic; the short form says whether at all. */
export interface OutlierInput {
  enabled?: boolean | undefined;
  consecutive?: number | undefined;
  successRate?: PercentageInput | undefined;
  latency?: number | OutlierLatencyInput | undefined;
  interval?: DurationInput | undefined;
  minimumVolume?: number | undefined;
  ejectFor?: DurationInput | undefined;
  ejectMax?: PercentageInput | undefined;
}

/** What is too slow; the short form is the factor. */
export interface OutlierLatencyInput {
  factor?: number | undefined;
  least?: DurationInput | undefined;
}

/** How long servers may take. */
export interface PoolTimeoutsInput {
  connect?: DurationInput | undefined;
  firstByte?: DurationInput | undefined;
  idle?: DurationInput | undefined;
}

/** Repeating requests elsewhere; the short form is the number of attempts. */
export interface RetryInput {
  attempts?: number | undefined;
  on?: RetryConditionInput | RetryConditionInput[] | undefined;
  perTry?: DurationInput | undefined;
  total?: DurationInput | undefined;
  budget?: PercentageInput | undefined;
  backoff?: DurationInput | BackoffInput | undefined;
  hedge?: DurationInput | HedgeInput | undefined;
  retryAfter?: boolean | undefined;
  nonIdempotent?: boolean | undefined;
}

/** A second try beside a slow one; the short form is `after`. */
export interface HedgeInput {
  after?: DurationInput | undefined;
  max?: number | undefined;
}

/** How soon it is tried again; the short form is `base`. */
export interface BackoffInput {
  base?: DurationInput | undefined;
  max?: DurationInput | undefined;
}

/** A queue in its long form; the short form is its size. */
export interface QueueInput {
  size?: number | undefined;
  timeout?: DurationInput | undefined;
  classes?: QueueClassesInput | undefined;
}

/** Who goes first in a queue. */
export interface QueueClassesInput {
  header?: string | undefined;
  values: Record<string, number>;
  default?: number | undefined;
}

/** What a pool shall keep to. */
export interface ObjectiveInput {
  p99?: DurationInput | undefined;
  success?: PercentageInput | undefined;
  load?: PercentageInput | undefined;
}

/** Links to servers kept for further requests. */
export interface ReuseInput {
  idle?: DurationInput | undefined;
  requests?: number | undefined;
  age?: DurationInput | undefined;
  perWorker?: number | undefined;
}

/** Logs; the short form is the target of the access log. */
export interface LogInput {
  access?: string | undefined;
  format?: 'json' | 'combined' | 'template' | undefined;
  fields?: LogFieldInput[] | undefined;
  template?: string | undefined;
  hide?: string | string[] | undefined;
  sample?: PercentageInput | undefined;
  always?: LogAlwaysInput | undefined;
  level?: 'debug' | 'info' | 'warn' | 'error' | undefined;
}

/** Push of metrics; the short form is the URL of their receiver. */
export interface MetricsInput {
  otlp: string;
  headers?: Record<string, string> | undefined;
  interval?: DurationInput | undefined;
  service?: string | undefined;
}

/** Traces; the short form is the URL of their receiver. */
export interface TracingInput {
  otlp: string;
  headers?: Record<string, string> | undefined;
  sample?: PercentageInput | undefined;
  parents?: 'all' | 'trusted' | 'none' | undefined;
  service?: string | undefined;
}

/** A fact of an access-log line. */
export type LogFieldInput = Exclude<LogFact, 'header'> | `header.${string}`;

/** Exchanges that get their access-log line whatever is sampled. */
export interface LogAlwaysInput {
  errors?: boolean | undefined;
  slow?: DurationInput | undefined;
}

/** The admin API; the short form is its TCP address. */
export interface AdminInput {
  address?: string | undefined;
  token?: string | undefined;
  socket?: string | undefined;
}

/** How long clients may take. */
export interface TimeoutsInput {
  header?: DurationInput | undefined;
  keepAlive?: DurationInput | undefined;
  idle?: DurationInput | undefined;
  tunnel?: DurationInput | undefined;
  /** Tunnels (tcp listeners, upgraded links) without progress. Default 1h. */
  drain?: DurationInput | undefined;
}

/** How much clients may take. */
export interface LimitsInput {
  headerBytes?: SizeInput | undefined;
  headers?: number | undefined;
  connections?: number | undefined;
}
