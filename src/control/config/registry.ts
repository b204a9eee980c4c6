import { limits } from '../../model/limits.ts';
import * as form from './forms.ts';
import { hostPattern, logTarget, method, pathPattern, probePath } from './match-forms.ts';
import type { Key, RecordShape } from './shape.ts';
import { choice, count, flag, key, list, mapOf, oneOrMore, record, written } from './shape.ts';

/**
 * Every key of the configuration, once: the checker, the JSON Schema and the reference are all made
 * from this table. A new key is a line here, a field in `checked.ts` and `define.ts` (a test compares
 * them), and its use in `build.ts`.
 */

const anyText = (lengthMax: number, says: string): form.Form =>
  form.text('text', says, `^[\\s\\S]{0,${lengthMax}}$`);

const token: form.Form = {
  ...form.text('token', 'a token of 16 to 256 letters without spaces', '^[!-~]{16,256}$'),
  isSecret: true,
};
const headerName = form.text(
  'header name',
  'the name of a header field',
  "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$",
);
// No control characters: a line break here would be a header line of its own.
const headerValue = form.text(
  'header value',
  'a text of at most 4096 printable letters',
  '^[ -~]{0,4096}$',
);
const contentType = form.text(
  'content type',
  'a content type such as text/plain; charset=utf-8',
  '^[!-~]+/[ -~]{1,200}$',
);
const labelName = form.text(
  'label name',
  'a label of letters, digits, dots, slashes, hyphens and underscores',
  '^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$',
);
const socketPath = form.text(
  'socket path',
  'the absolute path of a Unix socket, at most 107 letters',
  '^/[^\\u0000-\\u001f]{1,106}$',
);
const productName = form.text(
  'product name',
  'a name of letters, digits, dots, hyphens and underscores',
  '^[A-Za-z0-9._-]{1,63}$',
);

const wait = form.duration('1ms', '24h');
const path = probePath;

const listener = record('listener', 'an address or a map with an address', {
  name: key(written(form.name), 'Name in logs, metrics and routes.', { default: 'made of the address' }),
  address: key(written(form.listenAddress), 'Where to listen.', { isRequired: true }),
  protocol: key(
    choice(['http', 'tcp'], ['https', 'tls', 'h2', 'http2', 'h3', 'http3', 'quic', 'grpc', 'udp']),
    'What is spoken on it.',
    { default: 'http' },
  ),
  pool: key(written(form.name), 'The pool that takes its links; tcp listeners only.'),
}, {
  short: 'address',
  later: ['tls', 'proxyProtocol', 'rateLimit', 'hooks', 'sni', 'http2', 'access', 'timeouts', 'limits'],
});

const match = record('match', 'a path or a map of what a request must have', {
  host: key(oneOrMore(written(hostPattern), 1000), 'Hosts; `*.example.com` is every host below it.', { default: 'any' }),
  path: key(oneOrMore(written(pathPattern), 1000), 'Paths; `/v1/*` is `/v1` and all below.', { default: 'any' }),
  method: key(oneOrMore(written(method), 64), 'Methods.', { default: 'any' }),
}, {
  short: 'path',
  later: [
    'header', 'headers', 'query', 'cookie', 'cookies', 'ip', 'sni', 'scheme', 'port', 'pathRegex',
    'hostRegex', 'regex', 'time', 'country', 'all', 'not',
  ],
});

const respond = record('respond', 'a status or a map with a status', {
  status: key(count(200, 599), 'Status of the answer.', { isRequired: true }),
  body: key(written(anyText(65_536, 'a text of at most 65536 letters')), 'Body of the answer.', { default: 'empty' }),
  contentType: key(written(contentType), 'Its content type.', { default: 'text/plain; charset=utf-8' }),
  headers: key(
    mapOf(headerName, written(headerValue), { least: 0, most: 64 }),
    'Further header fields; not those that frame the message.',
    { default: 'none' },
  ),
}, { short: 'status', later: ['file', 'redirect', 'template', 'json'] });

const route = record('route', 'a map with a pool or respond', {
  name: key(written(form.name), 'Name in logs and metrics.', { default: 'made of the match' }),
  listeners: key(oneOrMore(written(form.name), limits.listeners), 'Listeners that it holds for.', { default: 'all http listeners' }),
  match: key(match, 'What a request must have; all of it.', { default: 'everything' }),
  pool: key(written(form.name), 'The pool that takes the request.'),
  respond: key(respond, 'A fixed answer instead of a pool.'),
  allowEncodedSeparators: key(flag, 'Lets paths with `%2f`, `%5c` or `%00` pass.', { default: 'false' }),
}, {
  later: [
    'split', 'mirror', 'hooks', 'redirect', 'rewrite', 'headers', 'rateLimit', 'rateLimits', 'timeout',
    'timeouts', 'retry', 'auth', 'access', 'cors', 'compress', 'cache', 'priority', 'queue', 'sticky',
  ],
});

const probe = record('probe', 'a path to ask for or a map of settings', {
  type: key(choice(['http', 'tcp'], ['https', 'exec', 'agent', 'grpc', 'udp', 'redis', 'postgres']), 'What a probe does: ask for a path, or only connect.', { default: 'http' }),
  path: key(written(path), 'What an http probe asks for.', { default: '/' }),
  host: key(written(hostPattern), 'Its `Host` field.', { default: 'the address of the server' }),
  interval: key(written(form.duration('100ms', '1h')), 'Time between two probes of a server.', { default: '5s' }),
  timeout: key(written(form.duration('10ms', '10m')), 'Time for one probe, connecting included.', { default: '2s' }),
  rise: key(count(1, 100), 'Passes in a row that make a server healthy.', { default: '2' }),
  fall: key(count(1, 100), 'Failures in a row that make it unhealthy.', { default: '3' }),
  jitter: key(written(form.percentage), 'Share of the interval that is random.', { default: '20%' }),
  expect: key(oneOrMore(written(form.statusRange), 64), 'Statuses that pass.', { default: '200-399' }),
  body: key(written(anyText(4096, 'a text of at most 4096 letters')), 'Text that the first 64 KiB of the body must contain.', { default: 'any' }),
  startState: key(choice(['down', 'up']), 'The verdict before the first probe has ended.', { default: 'down' }),
}, { short: 'path', later: ['tls', 'headers', 'method', 'command', 'port', 'fastInterval', 'proxyProtocol'] });

const server = record('server', 'an address with a port or a map with an address', {
  address: key(written(form.serverAddress), 'Where to dial; its name within the pool.', { isRequired: true }),
  weight: key(count(0, 256), 'Share of the traffic; 0 takes no new one.', { default: '1' }),
  backup: key(flag, 'Used only while no other server is healthy.', { default: 'false' }),
  maxConnections: key(count(0, 1_000_000), 'Exchanges and tunnels at a time; 0 is without limit.', { default: '0' }),
  labels: key(mapOf(labelName, written(anyText(256, 'a text of at most 256 letters')), { least: 0, most: 64 }), 'Words of your own, shown in status and metrics.', { default: 'none' }),
}, { short: 'address', later: ['tls', 'protocol', 'probe', 'slowStart', 'zone', 'priority', 'proxyProtocol', 'sni'] });

const pool = record('pool', 'a list of servers or a map with servers', {
  servers: key(list(server, { least: 0, most: limits.serverSlots }), 'Its servers.', { isRequired: true }),
  policy: key(
    choice(['p2c', 'round-robin', 'least-connections', 'ip-hash', 'random', 'first'], ['hash', 'least-latency', 'sticky', 'maglev']),
    'How a server is chosen.',
    { default: 'p2c' },
  ),
  probe: key(probe, 'Asks each server whether it is well.', { default: 'none' }),
  timeouts: key(record('pool timeouts', 'a map of timeouts', {
    connect: key(written(wait), 'For a connection to a server.', { default: '2s' }),
    firstByte: key(written(wait), 'From the request to the first byte of the answer.', { default: '30s' }),
    idle: key(written(wait), 'Without progress in either direction.', { default: '60s' }),
  }, { later: ['total', 'request', 'queue'] }), 'How long servers may take.'),
  retry: key(record('retry', 'a number of attempts or a map of settings', {
    attempts: key(count(0, 10), 'Further attempts of a request that is safe to repeat; where nothing was submitted, none is counted.', { default: '1' }),
    budget: key(written(form.percentage), 'Retries allowed as a share of requests.', { default: '20%' }),
  }, { short: 'attempts', later: ['on', 'statuses', 'backoff', 'hedge', 'perTryTimeout', 'timeout'] }), 'Repeats requests elsewhere.'),
  reuse: key(record('reuse', 'a map of settings', {
    idle: key(written(wait), 'How long an idle link is kept; below the server\'s own limit.', { default: '4s' }),
    requests: key(count(1, 1_000_000_000), 'Requests that one link serves.', { default: '10000' }),
    age: key(written(form.duration('1s', '168h')), 'How old a link may get.', { default: '1h' }),
    perWorker: key(count(0, 65_536), 'Idle links kept per worker and server; 0 keeps none.', { default: '128' }),
  }), 'Keeps links to servers for further requests.'),
}, {
  short: 'servers',
  later: [
    'sticky', 'discovery', 'queue', 'slowStart', 'circuitBreaker', 'outlier', 'panic', 'hash', 'key',
    'tls', 'protocol', 'zone', 'subset', 'priority', 'mirror', 'rateLimit', 'rateLimits', 'proxyProtocol', 'hooks',
  ],
});

const log = record('log', 'a target of the access log or a map of settings', {
  access: key(written(logTarget), 'Where access-log lines go.', { default: 'stdout' }),
  format: key(choice(['json'], ['text', 'common', 'combined', 'logfmt', 'template']), 'How they look.', { default: 'json' }),
  level: key(choice(['debug', 'info', 'warn', 'error']), 'The least level of our own messages.', { default: 'info' }),
}, { short: 'access', later: ['fields', 'sample', 'syslog', 'errors', 'rotate'] });

const admin = record('admin', 'an address or a map of settings', {
  address: key(written(form.adminAddress), 'TCP address of the admin API.', { default: 'none: Unix socket only' }),
  token: key(written(token), 'Bearer token for changes over TCP.', { default: 'made at start, in a file beside the socket' }),
  socket: key(written(socketPath), 'Path of the Unix socket.', { default: 'chosen at start' }),
}, { short: 'address', later: ['users', 'roles', 'tls', 'oidc', 'dashboard', 'origins'] });

/** The configuration as a whole. */
export const configuration: RecordShape = record('configuration', 'a map with listeners and pools', {
  listeners: key(list(listener, { least: 1, most: limits.listeners }), 'The sockets that we accept on.', { isRequired: true }),
  routes: key(
    list(route, { least: 0, most: limits.routes }),
    'Which request goes to which pool; the first that matches wins.',
    { default: 'everything to the only pool, where no route names it' },
  ),
  pools: key(mapOf(form.name, pool, { least: 1, most: limits.pools }), 'Named groups of servers.', { isRequired: true }),
  workers: key(count(1, limits.workers), 'Threads that move traffic.', { default: 'available cores' }),
  log: key(log, 'What is logged where.'),
  admin: key(admin, 'How the running balancer is reached.'),
  timeouts: key(record('timeouts', 'a map of timeouts', {
    header: key(written(wait), 'For a whole request head.', { default: '10s' }),
    keepAlive: key(written(wait), 'Between two requests on a link.', { default: '75s' }),
    idle: key(written(wait), 'Without progress of a body or tunnel.', { default: '60s' }),
    drain: key(written(wait), 'For what runs when we stop, or when its listener or server goes.', { default: '30s' }),
  }, { later: ['request', 'body', 'total', 'tlsHandshake'] }), 'How long clients may take.'),
  limits: key(record('limits', 'a map of limits', {
    headerBytes: key(written(form.size('1KiB', '256KiB')), 'Size of a request or response head.', { default: '32KiB' }),
    headers: key(count(1, limits.headFieldsMax), 'Fields in a head.', { default: '100' }),
    connections: key(count(1, limits.descriptors), 'Client links at a time, all workers together.', { default: '65536' }),
  }, { later: ['rate', 'rates', 'requests', 'bodyBytes', 'perIp', 'bandwidth', 'handshakes'] }), 'How much clients may take.'),
  trustedPeers: key(list(written(form.cidr), { least: 0, most: 1000 }), 'Networks whose `X-Forwarded-*` and `Forwarded` fields we believe.', { default: 'none' }),
  name: key(written(productName), 'What we call ourselves in `Via`.', { default: 'evenkeel' }),
}, {
  later: [
    'tls', 'certificates', 'acme', 'discovery', 'hooks', 'plugins', 'rateLimits', 'rateLimit', 'queue',
    'fleet', 'geo', 'metrics', 'tracing', 'dashboard', 'mirror', 'split', 'sticky', 'cache', 'redis',
    'http2', 'include', 'defaults',
  ],
});

/** The shape of one server, for the admin API. */
export const serverShape: RecordShape = server;

/** The keys at the top, in the order of the reference. */
export const topKeys: Readonly<Record<string, Key>> = configuration.keys;
