import { limits } from '../../model/limits.ts';
import * as form from './forms.ts';
import { balancingKeys } from './registry-balancing.ts';
import { discovery } from './registry-discovery.ts';
import { breaker, outlier, probe } from './registry-health.ts';
import { objective } from './registry-objective.ts';
import { queue } from './registry-queue.ts';
import { retry } from './registry-retry.ts';
import type { RecordShape } from './shape.ts';
import { choice, count, flag, key, list, mapOf, oneOrMore, record, written } from './shape.ts';

/** Value of a label. */
export const labelText: form.Form = form.text(
  'text',
  'a text of at most 256 letters',
  '^[\\s\\S]{0,256}$',
);
/** Name of a label. */
export const labelName: form.Form = form.text(
  'label name',
  'a label of letters, digits, dots, slashes, hyphens and underscores',
  '^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$',
);
/** A timeout; a day without progress is no timeout any more. */
export const wait: form.Form = form.duration('1ms', '24h');

/** One server of a pool. */
export const server: RecordShape = record(
  'server',
  'an address with a port or a map with an address',
  {
    address: key(written(form.serverAddress), 'Where to dial; its name within the pool.', {
      isRequired: true,
    }),
    weight: key(count(0, 256), 'Share of the traffic; 0 takes no new one.', { default: '1' }),
    backup: key(
      flag,
      'Used only while no other server is healthy, and by requests that all others have just failed.',
      { default: 'false' },
    ),
    maxConnections: key(
      count(0, 1_000_000),
      'Exchanges and tunnels at a time; 0 is without limit.',
      { default: '0' },
    ),
    maxPending: key(
      count(0, 1_000_000),
      'Requests at a time that wait for its answer to begin (tcp: for its connection); 0 is without limit. What streams or is a WebSocket does not count.',
      { default: '0' },
    ),
    tier: key(count(0, 9), 'Its tier: a higher one takes what the lower ones cannot.', {
      default: '0',
    }),
    labels: key(
      mapOf(labelName, written(labelText), {
        least: 0,
        most: 64,
      }),
      'Words of your own, shown in status and metrics.',
      { default: 'none' },
    ),
  },
  {
    short: 'address',
    later: ['tls', 'protocol', 'probe', 'slowStart', 'zone', 'priority', 'proxyProtocol', 'sni'],
  },
);

/** A list of servers that stands alone: the answer of a discovery source. */
export const serverList: RecordShape = record(
  'server list',
  'a list of servers or a map with servers',
  {
    servers: key(list(server, { least: 0, most: limits.serverSlots }), 'The servers.', {
      isRequired: true,
    }),
  },
  { short: 'servers' },
);

/** One of `pools`. */
export const pool: RecordShape = record(
  'pool',
  'a list of servers or a map with servers or discover',
  {
    servers: key(list(server, { least: 0, most: limits.serverSlots }), 'Its servers.', {
      default: '**required** where there is no `discover`',
    }),
    discover: key(
      oneOrMore(discovery, 16),
      'Where further servers are found at run time; they are probed and drained like any other.',
      { default: 'none' },
    ),
    ...balancingKeys,
    probe: key(probe, 'Asks each server whether it is well.', { default: 'none' }),
    probes: key(list(probe, { least: 1, most: 8 }), 'Several of them, instead of `probe`.', {
      default: 'none',
    }),
    probeRule: key(choice(['all', 'any']), 'How many of them must pass.', { default: 'all' }),
    outlier: key(outlier, 'Takes servers out for a while that the traffic shows to be sick.', {
      default: 'true',
    }),
    breaker: key(breaker, 'Leaves the pool alone for a while when most attempts fail.', {
      default: 'none',
    }),
    timeouts: key(
      record(
        'pool timeouts',
        'a map of timeouts',
        {
          connect: key(written(wait), 'For a connection to a server.', { default: '2s' }),
          firstByte: key(written(wait), 'From the request to the first byte of the answer.', {
            default: '30s',
          }),
          idle: key(written(wait), 'Without progress in either direction.', { default: '60s' }),
        },
        { later: ['total', 'request', 'queue'] },
      ),
      'How long servers may take.',
    ),
    retry: key(retry, 'Repeats requests elsewhere.'),
    maxConnections: key(
      count(0, 1_000_000),
      'Exchanges and tunnels at a time over all its servers; 0 is without limit.',
      { default: '0' },
    ),
    queue: key(queue, 'Where requests wait while every server is at its limit.', {
      default: 'none: they are refused with 503',
    }),
    objective: key(objective, 'What it shall keep to, for reports, plans and alerts.'),
    reuse: key(
      record('reuse', 'a map of settings', {
        idle: key(written(wait), "How long an idle link is kept; below the server's own limit.", {
          default: '4s',
        }),
        requests: key(count(1, 1_000_000_000), 'Requests that one link serves.', {
          default: '10000',
        }),
        age: key(written(form.duration('1s', '168h')), 'How old a link may get.', {
          default: '1h',
        }),
        perWorker: key(count(0, 65_536), 'Idle links kept per worker and server; 0 keeps none.', {
          default: '128',
        }),
      }),
      'Keeps links to servers for further requests.',
    ),
  },
  {
    short: 'servers',
    later: [
      'circuitBreaker',
      'panic',
      'tls',
      'protocol',
      'zone',
      'subset',
      'priority',
      'mirror',
      'rateLimit',
      'rateLimits',
      'proxyProtocol',
      'hooks',
    ],
  },
);
