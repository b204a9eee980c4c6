import { limits } from '../../model/limits.ts';
import * as form from './forms.ts';
import { actionKeys, respond } from './registry-actions.ts';
import { hooks } from './registry-hooks.ts';
import { match } from './registry-match.ts';
import { labelName, labelText } from './registry-pool.ts';
import { retry } from './registry-retry.ts';
import type { RecordShape } from './shape.ts';
import { flag, key, mapOf, oneOrMore, record, written } from './shape.ts';

/** One of `routes`. */
export const route: RecordShape = record(
  'route',
  'a map with a pool, split, redirect or respond',
  {
    name: key(written(form.name), 'Name in logs and metrics.', { default: 'made of the match' }),
    listeners: key(
      oneOrMore(written(form.name), limits.listeners),
      'Listeners that it holds for.',
      { default: 'all http listeners' },
    ),
    match: key(match, 'What a request must have; all of it.', { default: 'everything' }),
    pool: key(written(form.name), 'The pool that takes the request.'),
    subset: key(
      mapOf(labelName, written(labelText), { least: 1, most: 64 }),
      'Only servers of the pool that have all of these labels.',
      { default: 'all servers' },
    ),
    respond: key(respond, 'A fixed answer instead of a pool.'),
    retry: key(retry, "Repeats requests elsewhere; what is written here wins over the pool's.", {
      default: "the pool's",
    }),
    hooks: key(
      hooks,
      'Functions of yours that its requests meet, after those of the configuration.',
      {
        default: 'none',
      },
    ),
    ...actionKeys,
    allowEncodedSeparators: key(flag, 'Lets paths with `%2f`, `%5c` or `%00` pass.', {
      default: 'false',
    }),
  },
  {
    later: [
      'rateLimit',
      'rateLimits',
      'timeout',
      'timeouts',
      'auth',
      'access',
      'cors',
      'compress',
      'cache',
      'priority',
      'queue',
      'sticky',
    ],
  },
);
