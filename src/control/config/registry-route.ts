import { limits } from '../../model/limits.ts';
import * as form from './forms.ts';
import { hostPattern, method, pathPattern } from './match-forms.ts';
import { retry } from './registry-retry.ts';
import type { RecordShape } from './shape.ts';
import { count, flag, key, mapOf, oneOrMore, record, written } from './shape.ts';

const bodyText = form.text('text', 'a text of at most 65536 letters', '^[\\s\\S]{0,65536}$');
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
const match = record(
  'match',
  'a path or a map of what a request must have',
  {
    host: key(
      oneOrMore(written(hostPattern), 1000),
      'Hosts; `*.example.com` is every host below it.',
      { default: 'any' },
    ),
    path: key(oneOrMore(written(pathPattern), 1000), 'Paths; `/v1/*` is `/v1` and all below.', {
      default: 'any',
    }),
    method: key(oneOrMore(written(method), 64), 'Methods.', { default: 'any' }),
  },
  {
    short: 'path',
    later: [
      'header',
      'headers',
      'query',
      'cookie',
      'cookies',
      'ip',
      'sni',
      'scheme',
      'port',
      'pathRegex',
      'hostRegex',
      'regex',
      'time',
      'country',
      'all',
      'not',
    ],
  },
);

const respond = record(
  'respond',
  'a status or a map with a status',
  {
    status: key(count(200, 599), 'Status of the answer.', { isRequired: true }),
    body: key(written(bodyText), 'Body of the answer.', {
      default: 'empty',
    }),
    contentType: key(written(contentType), 'Its content type.', {
      default: 'text/plain; charset=utf-8',
    }),
    headers: key(
      mapOf(headerName, written(headerValue), { least: 0, most: 64 }),
      'Further header fields; not those that frame the message.',
      { default: 'none' },
    ),
  },
  { short: 'status', later: ['file', 'redirect', 'template', 'json'] },
);

/** One of `routes`. */
export const route: RecordShape = record(
  'route',
  'a map with a pool or respond',
  {
    name: key(written(form.name), 'Name in logs and metrics.', { default: 'made of the match' }),
    listeners: key(
      oneOrMore(written(form.name), limits.listeners),
      'Listeners that it holds for.',
      { default: 'all http listeners' },
    ),
    match: key(match, 'What a request must have; all of it.', { default: 'everything' }),
    pool: key(written(form.name), 'The pool that takes the request.'),
    respond: key(respond, 'A fixed answer instead of a pool.'),
    retry: key(retry, "Repeats requests elsewhere; what is written here wins over the pool's.", {
      default: "the pool's",
    }),
    allowEncodedSeparators: key(flag, 'Lets paths with `%2f`, `%5c` or `%00` pass.', {
      default: 'false',
    }),
  },
  {
    later: [
      'split',
      'mirror',
      'hooks',
      'redirect',
      'rewrite',
      'headers',
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
