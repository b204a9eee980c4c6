import * as form from '../control/config/forms.ts';
import type { RecordShape } from '../control/config/shape.ts';
import { choice, count, key, list, oneOrMore, record, written } from '../control/config/shape.ts';
import { limits } from '../model/limits.ts';

const unitUs: Readonly<Record<string, number>> = {
  us: 1,
  ms: 1_000,
  s: 1_000_000,
  m: 60_000_000,
  h: 3_600_000_000,
};

/** Durations down to a µs, since a simulated network is faster than any time-out. Value: µs. */
const span: form.Form = {
  name: 'time span',
  says: 'a duration such as 200us, 5ms, 2s, 5m or 1h, up to 24h',
  pattern: '^[0-9]{1,9}(\\.[0-9]{1,3})?(us|ms|s|m|h)$',
  read(text) {
    const match = /^(\d{1,9}(?:\.\d{1,3})?)(us|ms|s|m|h)$/.exec(text);
    if (match === null) return { suggestion: null };
    const us = Math.round(Number(match[1]) * unitUs[match[2]!]!);
    return us <= 24 * unitUs['h']! ? { value: us } : { suggestion: null };
  },
};

/** A decimal number. Value: number. */
function decimal(least: number, most: number): form.Form {
  return {
    name: 'number',
    says: `a number from ${least} to ${most}, in quotes when it has a point`,
    pattern: '^[0-9]{1,7}(\\.[0-9]{1,3})?$',
    numbers: [Math.ceil(least), most],
    read(text) {
      const value = /^\d{1,7}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
      return value >= least && value <= most ? { value } : { suggestion: null };
    },
  };
}

const sentence = form.text('text', 'a text of at most 400 letters', '^[^\\u0000-\\u001f]{1,400}$');
const jump = form.text(
  'jump',
  'a jump of a clock such as +1h or -30s',
  '^[+-][0-9]{1,6}(ms|s|m|h)$',
);
const whichServers: form.Form = {
  ...form.text(
    'servers',
    'all, a number from 1, a range such as 2-4, or a share such as 30%',
    '^(all|[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?|[1-9][0-9]?%)$',
  ),
  numbers: [1, limits.serverSlots],
};

const timeKeys = {
  mean: key(written(span), 'The mean.', { isRequired: true }),
  distribution: key(
    choice(['constant', 'exponential', 'lognormal']),
    'How values lie around the mean.',
    { default: 'exponential' },
  ),
  spread: key(written(decimal(0, 5)), 'Standard deviation of the logarithm; lognormal only.', {
    default: '1',
  }),
};
const serviceTime = record('service', 'a duration or a map with a mean', timeKeys, {
  short: 'mean',
});
const think = record('think', 'a duration or a map with a mean', timeKeys, { short: 'mean' });

const late = record('late', 'a map with a share and a duration', {
  share: key(written(form.percentage), 'Share of the answers.', { isRequired: true }),
  by: key(written(span), 'How much later they come.', { isRequired: true }),
});

const errors = record(
  'errors',
  'a share or a map with a share',
  {
    share: key(written(form.percentage), 'Share of the answers.', { isRequired: true }),
    status: key(count(400, 599), 'Their status.', { default: '500' }),
  },
  { short: 'share' },
);

const servers = record('servers', 'a map that describes alike servers', {
  count: key(count(1, limits.serverSlots), 'How many there are.', { default: '1' }),
  weight: key(count(0, 256), 'Their weight.', { default: '1' }),
  maxConnections: key(count(0, 1_000_000), 'Their limit; 0 is none.', { default: '0' }),
  zone: key(written(form.name), 'Their zone, also as the label `zone`.', { default: 'none' }),
  concurrency: key(count(1, 100_000), 'Requests that one works on at a time.', { default: '16' }),
  queue: key(count(0, 1_000_000), 'Requests that wait in it; more are answered 503.', {
    default: '10000',
  }),
  service: key(serviceTime, 'How long it works on a request.', { default: '10ms' }),
  errors: key(errors, 'Answers that are errors.', { default: 'none' }),
  late: key(late, 'Answers that come late.', { default: 'none' }),
  coldStart: key(
    record('coldStart', 'a map with a factor and a duration', {
      factor: key(written(decimal(1, 1000)), 'How many times slower it is at first.', {
        isRequired: true,
      }),
      for: key(written(span), 'Until when it is warm.', { isRequired: true }),
    }),
    'Slower after it came up.',
    { default: 'none' },
  ),
  joins: key(written(span), 'When it joins the pool.', { default: 'from the start' }),
  leaves: key(written(span), 'When it leaves the pool.', { default: 'never' }),
});

const clients = record('clients', 'a map with a rate or with users', {
  rate: key(
    count(1, 1_000_000),
    'Requests per second, whatever the answers; without it each user waits for its answer.',
    {
      default: 'none',
    },
  ),
  users: key(count(1, 1_000_000), 'Users, each with an address of its own.', { default: '1000' }),
  think: key(think, 'Pause between an answer and the next request; without rate only.', {
    default: '100ms',
  }),
  skew: key(written(decimal(0, 5)), "Exponent of Zipf's law by which users come; 0: all alike.", {
    default: '0',
  }),
  timeout: key(written(span), 'A client gives up after this.', { default: '30s' }),
  retries: key(count(0, 100), 'How often a client asks again after a failure.', { default: '0' }),
  backoff: key(written(span), 'Longest first pause before that; doubled each time.', {
    default: '100ms',
  }),
  posts: key(written(form.percentage), 'Share of requests that are POST.', { default: '0%' }),
});

const event = record('event', 'a map with a time and a change', {
  at: key(written(span), 'When it happens.', { isRequired: true }),
  servers: key(oneOrMore(written(whichServers), 1000), 'The servers that it concerns.', {
    default: 'all',
  }),
  zone: key(written(form.name), 'Only those of this zone.', { default: 'any' }),
  for: key(written(span), 'It is taken back after this.', { default: 'never' }),
  every: key(written(span), 'It comes again after this.', { default: 'never' }),
  down: key(choice(['refuse', 'vanish']), 'The server dies, or its network does.'),
  up: key(choice(['again']), 'The server comes back.'),
  slow: key(written(decimal(0.1, 10_000)), 'The server takes so many times as long.'),
  late: key(late, 'Some of its answers come late.'),
  errors: key(errors, 'Some of its answers are errors.'),
  rate: key(count(1, 1_000_000), 'Requests per second from now on.'),
  clock: key(written(jump), 'The wall clock of the balancer jumps.'),
  stall: key(written(span), 'The balancer stands still for so long.'),
});

/** Keys of an event that say what changes: one of them stands in each. */
export const changeKeys = [
  'down',
  'up',
  'slow',
  'late',
  'errors',
  'rate',
  'clock',
  'stall',
] as const;

/** A scenario file; `pool`, in the words of the configuration, is read by the configuration's own checker. */
export const scenarioShape: RecordShape = record(
  'scenario',
  'a map with duration, servers, clients',
  {
    says: key(written(sentence), 'What happens, for people.', { isRequired: true }),
    duration: key(written(span), 'How long it runs.', { isRequired: true }),
    warmUp: key(written(span), 'What begins before this is not counted.', { default: '0s' }),
    workers: key(count(1, limits.workers), 'Worker threads.', { default: '2' }),
    delay: key(written(span), 'One way between the balancer and others.', { default: '200us' }),
    policies: key(
      oneOrMore(written(form.name), 64),
      'What is compared when the command names none.',
      { default: 'that of the pool' },
    ),
    servers: key(list(servers, { least: 1, most: 1000 }), 'Groups of alike servers.', {
      isRequired: true,
    }),
    clients: key(clients, 'Who asks.', { isRequired: true }),
    events: key(list(event, { least: 0, most: 1000 }), 'What changes.', { default: 'none' }),
  },
);
