import * as form from './forms.ts';
import { hostPattern, probePath } from './match-forms.ts';
import * as probeForm from './probe-forms.ts';
import type { RecordShape } from './shape.ts';
import { choice, count, flag, key, list, mapOf, oneOrMore, record, written } from './shape.ts';

const interval = form.duration('100ms', '1h');

/** `probe` of a pool. */
export const probe: RecordShape = record(
  'probe',
  'a path to ask for or a map of settings',
  {
    type: key(
      choice(['http', 'tcp', 'exec', 'agent'], ['https', 'grpc', 'udp', 'redis', 'postgres']),
      'What a probe does: ask for a path, connect and maybe talk, run a program, read an agent.',
      { default: 'http' },
    ),
    port: key(count(1, 65_535), 'Port to ask instead of the server’s own; an agent needs one.', {
      default: 'its own',
    }),
    method: key(choice(['GET', 'HEAD', 'OPTIONS', 'POST']), 'Method of an http probe.', {
      default: 'GET',
    }),
    path: key(written(probePath), 'What an http probe asks for.', { default: '/' }),
    host: key(written(hostPattern), 'Its `Host` field.', { default: 'the address of the server' }),
    headers: key(
      mapOf(probeForm.fieldName, written(probeForm.fieldValue), { least: 0, most: 32 }),
      'Further fields of its request.',
      { default: 'none' },
    ),
    interval: key(written(interval), 'Time between two probes of a server.', { default: '5s' }),
    fastInterval: key(written(interval), 'The same while the verdict may be about to change.', {
      default: 'the interval, at most 1s',
    }),
    downInterval: key(written(interval), 'The same while the server is down.', {
      default: 'the interval',
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
    expect: key(
      oneOrMore(written(probeForm.expectation), 64),
      'Statuses of an http probe that pass; the text that a tcp probe must get back.',
      { default: '200-399' },
    ),
    body: key(written(probeForm.longText), 'Text that the first 64 KiB of the body must contain.', {
      default: 'any',
    }),
    bodyJson: key(
      record('probe bodyJson', 'a map with path and equals', {
        path: key(written(probeForm.jsonPath), 'Where in the body to look.', { isRequired: true }),
        equals: key(written(probeForm.longText), 'What must stand there.', { isRequired: true }),
      }),
      'What a JSON body of at most 64 KiB must say.',
    ),
    send: key(written(probeForm.longText), 'What a tcp probe or an agent is told first.', {
      default: 'none',
    }),
    command: key(
      written(probeForm.command),
      'Program that exec runs, without a shell; 0 passes. It is told EVENKEEL_POOL, EVENKEEL_SERVER, EVENKEEL_HOST, EVENKEEL_PORT.',
    ),
    args: key(list(written(probeForm.longText), { least: 0, most: 64 }), 'Its arguments.', {
      default: 'none',
    }),
    weightByExit: key(
      flag,
      'Exit codes 2 to 102 pass too and give the server 0 to 100 percent of its weight.',
    ),
    startState: key(choice(['down', 'up']), 'The verdict before the first probe has ended.', {
      default: 'down',
    }),
  },
  { short: 'path', later: ['tls', 'proxyProtocol', 'service'] },
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
            { default: '3' },
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

/** `breaker` of a pool. */
export const breaker: RecordShape = record(
  'breaker',
  'a percentage or a map of settings',
  {
    errors: key(written(form.percentage), 'Share of failed attempts that opens it.', {
      default: '50%',
    }),
    minimum: key(count(1, 1_000_000), 'Attempts in the window below which it stays closed.', {
      default: '20',
    }),
    window: key(written(form.duration('1s', '10m')), 'The last attempts that are judged.', {
      default: '10s',
    }),
    open: key(
      written(form.duration('100ms', '10m')),
      'How long requests are answered with 503 `circuit-open`, or go to the fallback of their route.',
      { default: '10s' },
    ),
    halfOpen: key(count(1, 1_000), 'Requests that try the pool afterwards.', { default: '5' }),
  },
  { short: 'errors' },
);
