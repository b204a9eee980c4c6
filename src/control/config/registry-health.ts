import * as form from './forms.ts';
import { hostPattern, probePath } from './match-forms.ts';
import type { RecordShape } from './shape.ts';
import { choice, count, flag, key, oneOrMore, record, written } from './shape.ts';

const bodyText = form.text('text', 'a text of at most 4096 letters', '^[\\s\\S]{0,4096}$');

/** `probe` of a pool. */
export const probe: RecordShape = record(
  'probe',
  'a path to ask for or a map of settings',
  {
    type: key(
      choice(['http', 'tcp'], ['https', 'exec', 'agent', 'grpc', 'udp', 'redis', 'postgres']),
      'What a probe does: ask for a path, or only connect.',
      { default: 'http' },
    ),
    path: key(written(probePath), 'What an http probe asks for.', { default: '/' }),
    host: key(written(hostPattern), 'Its `Host` field.', { default: 'the address of the server' }),
    interval: key(written(form.duration('100ms', '1h')), 'Time between two probes of a server.', {
      default: '5s',
    }),
    timeout: key(
      written(form.duration('10ms', '10m')),
      'Time for one probe, connecting included.',
      { default: '2s' },
    ),
    rise: key(count(1, 100), 'Passes in a row that make a server healthy.', { default: '2' }),
    fall: key(count(1, 100), 'Failures in a row that make it unhealthy.', { default: '3' }),
    jitter: key(written(form.percentage), 'Share of the interval that is random.', {
      default: '20%',
    }),
    expect: key(oneOrMore(written(form.statusRange), 64), 'Statuses that pass.', {
      default: '200-399',
    }),
    body: key(written(bodyText), 'Text that the first 64 KiB of the body must contain.', {
      default: 'any',
    }),
    startState: key(choice(['down', 'up']), 'The verdict before the first probe has ended.', {
      default: 'down',
    }),
  },
  {
    short: 'path',
    later: ['tls', 'headers', 'method', 'command', 'port', 'fastInterval', 'proxyProtocol'],
  },
);

/** `outlier` of a pool. */
export const outlier: RecordShape = record(
  'outlier',
  'true, false or a map of settings',
  {
    enabled: key(flag, 'Whether traffic takes servers out at all.', { default: 'true' }),
    consecutive: key(
      count(0, 1_000),
      'Failures in a row (resets, time-outs, 502 to 504) that take a server out; 0 is none. Three dials in a row that fail always do.',
      { default: '5' },
    ),
    successRate: key(
      written(form.percentage),
      'How much more of its attempts a server may fail (5xx among them) than its peers do; 100% is any.',
      { default: '10%' },
    ),
    latency: key(
      record(
        'outlier latency',
        'a number or a map of settings',
        {
          factor: key(
            count(0, 1_000),
            'Times the median of its peers that half of its first bytes may take; 0 is any.',
            { default: '4' },
          ),
          least: key(written(form.duration('1ms', '1h')), 'A median below this is never slow.', {
            default: '10ms',
          }),
        },
        { short: 'factor' },
      ),
      'Takes servers out that are far slower than their peers.',
    ),
    interval: key(
      written(form.duration('100ms', '1m')),
      'How often the traffic is looked at; ten of these are judged together.',
      { default: '1s' },
    ),
    minimumVolume: key(
      count(5, 1_000_000),
      'Attempts among those below which nothing is said of a server.',
      { default: '10' },
    ),
    ejectFor: key(
      written(form.duration('1s', '300s')),
      'How long the first time; the n-th time in a row lasts n times that, at most 300s.',
      { default: '30s' },
    ),
    ejectMax: key(
      written(form.percentage),
      'Share of the servers that may be out at once, but at least one and never the last.',
      { default: '30%' },
    ),
  },
  { short: 'enabled' },
);
