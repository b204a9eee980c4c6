import * as form from './forms.ts';
import type { RecordShape } from './shape.ts';
import { count, flag, key, oneOrMore, record, written } from './shape.ts';

const pause = form.duration('0ms', '10m');
const limit = form.duration('1ms', '24h');

/** `retry` of a pool or a route. */
export const retry: RecordShape = record(
  'retry',
  'a number of attempts or a map of settings',
  {
    attempts: key(
      count(0, 10),
      'Further attempts of a request that is safe to repeat; where nothing was submitted, none is counted.',
      { default: '1' },
    ),
    on: key(
      oneOrMore(written(form.retryCondition), 32),
      'What is tried again besides failed connections, which always are: `reset` (the link died without an answer), `timeout`, statuses.',
      { default: 'connect and reset; timeout too where perTry is given' },
    ),
    perTry: key(
      written(limit),
      'For one try, until its answer begins; a try that no other may follow goes on.',
      { default: 'none' },
    ),
    total: key(written(limit), 'For all tries together, until the answer begins; then 504.', {
      default: 'none',
    }),
    budget: key(written(form.percentage), 'Retries allowed as a share of requests.', {
      default: '20%',
    }),
    backoff: key(
      record(
        'backoff',
        'a duration or a map of settings',
        {
          base: key(
            written(pause),
            'The pause before a retry is random, up to this, doubled with each further one.',
            { default: '25ms' },
          ),
          max: key(written(pause), 'The longest such pause.', { default: '250ms' }),
        },
        { short: 'base' },
      ),
      'How soon it is tried again.',
    ),
    retryAfter: key(
      flag,
      'Waits as long as `Retry-After` of a discarded answer asks, up to 10s; an answer that asks for more goes to the client.',
      { default: 'true' },
    ),
    hedge: key(
      record(
        'hedge',
        'a duration or a map of settings',
        {
          after: key(
            written(form.duration('5ms', '1h')),
            'How long the first try may be silent; near the time that one of twenty answers takes.',
            { default: '50ms' },
          ),
          max: key(count(1, 3), 'Second tries of one request, one at a time beside another.', {
            default: '1',
          }),
        },
        { short: 'after' },
      ),
      'Starts a second try on another server beside a slow one: the first good answer wins, the other try is cancelled. For requests that are safe to repeat, within the budget; not in pools with a queue or `maxConnections` of their own, nor on routes with hooks.',
      { default: 'none' },
    ),
    nonIdempotent: key(
      flag,
      'Repeats POST and PATCH too, although they may have been executed; with `Idempotency-Key` they always may be.',
      { default: 'false' },
    ),
  },
  {
    short: 'attempts',
    later: ['statuses', 'perTryTimeout', 'timeout'],
  },
);
