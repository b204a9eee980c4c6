import { limits } from '../../model/limits.ts';
import * as form from './forms.ts';
import { errors } from './registry-actions.ts';
import { alerts, scaling } from './registry-alerts.ts';
import { history } from './registry-history.ts';
import { hooks } from './registry-hooks.ts';
import { log } from './registry-log.ts';
import { geo } from './registry-match.ts';
import { pool, wait } from './registry-pool.ts';
import { route } from './registry-route.ts';
import { metrics, tracing } from './registry-tracing.ts';
import type { RecordShape } from './shape.ts';
import { choice, count, key, list, mapOf, record, written } from './shape.ts';

/*
 * Every key of the configuration, once (routes and pools in files of their own): the checker, the
 * JSON Schema and the reference are all made from this table. A new key is a line here, a field in
 * `checked.ts` and `define.ts` (a test compares them), and its use in `build.ts`.
 */
const token: form.Form = {
  ...form.text('token', 'a token of 16 to 256 letters without spaces', '^[!-~]{16,256}$'),
  isSecret: true,
};
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

const listener = record(
  'listener',
  'an address or a map with an address',
  {
    name: key(written(form.name), 'Name in logs, metrics and routes.', {
      default: 'made of the address',
    }),
    address: key(written(form.listenAddress), 'Where to listen.', { isRequired: true }),
    protocol: key(
      choice(
        ['http', 'tcp'],
        ['https', 'tls', 'h2', 'http2', 'h3', 'http3', 'quic', 'grpc', 'udp'],
      ),
      'What is spoken on it.',
      { default: 'http' },
    ),
    pool: key(written(form.name), 'The pool that takes its links; tcp listeners only.'),
  },
  {
    short: 'address',
    later: [
      'tls',
      'proxyProtocol',
      'rateLimit',
      'hooks',
      'sni',
      'http2',
      'access',
      'timeouts',
      'limits',
    ],
  },
);

const admin = record(
  'admin',
  'an address or a map of settings',
  {
    address: key(written(form.adminAddress), 'TCP address of the admin API.', {
      default: 'none: Unix socket only',
    }),
    token: key(written(token), 'Bearer token for changes over TCP.', {
      default: 'made at start, in a file beside the socket',
    }),
    socket: key(written(socketPath), 'Path of the Unix socket.', { default: 'chosen at start' }),
  },
  { short: 'address', later: ['users', 'roles', 'tls', 'oidc', 'dashboard', 'origins'] },
);

/** The configuration as a whole. */
export const configuration: RecordShape = record(
  'configuration',
  'a map with listeners and pools',
  {
    listeners: key(
      list(listener, { least: 1, most: limits.listeners }),
      'The sockets that we accept on.',
      { isRequired: true },
    ),
    routes: key(
      list(route, { least: 0, most: limits.routes }),
      'Which request goes to which pool; the first that matches wins.',
      { default: 'everything to the only pool, where no route names it' },
    ),
    pools: key(
      mapOf(form.name, pool, { least: 1, most: limits.pools }),
      'Named groups of servers.',
      { isRequired: true },
    ),
    workers: key(count(1, limits.workers), 'Threads that move traffic.', {
      default: 'available cores',
    }),
    log: key(log, 'What is logged where.'),
    admin: key(admin, 'How the running balancer is reached.'),
    timeouts: key(
      record(
        'timeouts',
        'a map of timeouts',
        {
          header: key(written(wait), 'For a whole request head.', { default: '10s' }),
          keepAlive: key(written(wait), 'Between two requests on a link.', { default: '75s' }),
          idle: key(written(wait), 'Without progress of a body.', { default: '60s' }),
          tunnel: key(
            written(wait),
            'For tunnels (tcp listeners, upgraded links) without progress.',
            { default: '1h' },
          ),
          drain: key(
            written(wait),
            'For what runs when we stop, or when its listener or server goes.',
            { default: '30s' },
          ),
        },
        { later: ['request', 'body', 'total', 'tlsHandshake'] },
      ),
      'How long clients may take.',
    ),
    limits: key(
      record(
        'limits',
        'a map of limits',
        {
          headerBytes: key(
            written(form.size('1KiB', '256KiB')),
            'Size of a request or response head.',
            { default: '32KiB' },
          ),
          headers: key(count(1, limits.headFieldsMax), 'Fields in a head.', { default: '100' }),
          connections: key(
            count(1, limits.descriptors),
            'Client links at a time, all workers together.',
            { default: '65536' },
          ),
        },
        { later: ['rate', 'rates', 'requests', 'bodyBytes', 'perIp', 'bandwidth', 'handshakes'] },
      ),
      'How much clients may take.',
    ),
    trustedPeers: key(
      list(written(form.cidr), { least: 0, most: 1000 }),
      'Networks whose `X-Forwarded-*` and `Forwarded` fields we believe.',
      { default: 'none' },
    ),
    geo: key(geo, 'Databases for `country`, `continent` and `asn`; watched for changes.'),
    zone: key(written(form.zone), 'Where this balancer is; see `preferZone` of a pool.', {
      default: 'none',
    }),
    errors,
    hooks: key(hooks, 'Functions of yours that all requests with a route meet.', {
      default: 'none',
    }),
    alerts: key(alerts, 'What is told when errors, p99, headroom or servers are bad.', {
      default: 'none',
    }),
    scaling: key(scaling, 'Who is told how many servers pools want.', { default: 'none' }),
    history: key(history, 'Figures of the past, for reports, plans and the API.'),
    metrics: key(
      metrics,
      'Push of metrics; `/metrics` of the admin API is there whatever stands here.',
      { default: 'none' },
    ),
    tracing: key(tracing, 'Traces, by OpenTelemetry; off unless given.', { default: 'none' }),
    name: key(written(productName), 'What we call ourselves in `Via`.', { default: 'evenkeel' }),
  },
  {
    later: [
      'tls',
      'certificates',
      'acme',
      'discovery',
      'plugins',
      'rateLimits',
      'rateLimit',
      'queue',
      'fleet',
      'dashboard',
      'mirror',
      'split',
      'sticky',
      'cache',
      'redis',
      'http2',
      'include',
      'defaults',
    ],
  },
);
