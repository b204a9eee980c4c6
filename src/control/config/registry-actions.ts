import {
  answerVariables,
  errorVariables,
  requestVariables,
  responseVariables,
} from '../../model/template.ts';
import * as action from './action-forms.ts';
import { pattern } from './condition-forms.ts';
import * as form from './forms.ts';
import type { Key, Shape } from './shape.ts';
import { count, flag, key, list, mapOf, oneOrMore, record, written } from './shape.ts';

const headerName = form.text(
  'header name',
  'the name of a header field',
  "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$",
);
// No control characters: a line break here would be a header line of its own.
const headerValue = (allowed: typeof requestVariables): form.Form =>
  action.template(
    {
      name: 'header value',
      says: 'a text of at most 4096 printable letters, with variables such as ${client}',
      letters: '^[ -~]{0,4096}$',
    },
    allowed,
  );
const bodyText = (allowed: typeof requestVariables): form.Form =>
  action.template(
    {
      name: 'text',
      says: 'a text of at most 65536 letters, with variables such as ${requestId}',
      letters: '^[\\s\\S]{0,65536}$',
    },
    allowed,
  );
const filePath = form.text(
  'file path',
  'the path of a file; relative ones start at the working directory',
  '^[^\\u0000-\\u001f]{1,1024}$',
);
const contentType = form.text(
  'content type',
  'a content type such as text/plain; charset=utf-8',
  '^[!-~]+/[ -~]{1,200}$',
);

/** `respond` of a route. */
export const respond: Shape = record(
  'respond',
  'a status or a map with a status',
  {
    status: key(count(200, 599), 'Status of the answer.', { isRequired: true }),
    body: key(
      written(bodyText(answerVariables)),
      'Body of the answer; variables are escaped as its content type asks.',
      { default: 'empty' },
    ),
    file: key(written(filePath), 'A file whose text is the body, as it is; watched for changes.', {
      default: 'none',
    }),
    contentType: key(written(contentType), 'Its content type.', {
      default: 'by the ending of the file, else text/plain; charset=utf-8',
    }),
    headers: key(
      mapOf(headerName, written(headerValue(answerVariables)), { least: 0, most: 64 }),
      'Further header fields; not those that frame the message.',
      { default: 'none' },
    ),
  },
  { short: 'status', later: ['redirect', 'template', 'json'] },
);

const split = list(
  record('share', 'a map with a pool and a weight', {
    pool: key(written(form.name), 'The pool that takes the share.', { isRequired: true }),
    weight: key(count(0, 1_000_000), 'Its share is this over the sum of all.', {
      isRequired: true,
    }),
  }),
  { least: 1, most: 16 },
);

const mirror = record(
  'mirror',
  'the name of a pool or a map with a pool',
  {
    pool: key(written(form.name), 'The pool that gets the copies.', { isRequired: true }),
    share: key(written(form.percentage), 'Of the requests, drawn anew for each.', {
      default: '100%',
    }),
    bodyMax: key(
      written(form.size('0B', '16MiB')),
      'A request with a longer body is not copied; kept in memory until it is whole.',
      { default: '64KiB' },
    ),
    timeout: key(written(form.duration('10ms', '1h')), 'For a whole copy.', { default: '5s' }),
    pending: key(count(1, 65_536), 'Copies under way at a time in each worker.', {
      default: '100',
    }),
  },
  { short: 'pool' },
);

const redirect = record(
  'redirect',
  'a URL or a map with a URL',
  {
    to: key(
      written(action.redirectTarget(answerVariables)),
      'Where to: a URL or a path, such as `https://${host}${uri}`.',
      { isRequired: true },
    ),
    status: key(written(action.redirectStatus), 'Status of the answer.', { default: '302' }),
  },
  { short: 'to' },
);

const rewrite = record('rewrite', 'a map of changes', {
  host: key(written(action.hostTemplate), 'The Host field that the server gets.', {
    default: 'as received',
  }),
  path: key(
    written(action.pathTemplate(answerVariables)),
    'The whole path that the server gets, such as `/v2${path}`; the query stays.',
    { default: 'as received' },
  ),
  stripPrefix: key(
    written(action.pathPrefix),
    'Taken from the front of the path, where it stands there as whole segments.',
    { default: 'none' },
  ),
  addPrefix: key(written(action.pathPrefix), 'Put before the path, after stripping.', {
    default: 'none',
  }),
  pattern: key(written(pattern), "Looked for in the path, in RE2's syntax; linear time.", {
    default: 'none',
  }),
  replace: key(
    written(action.replacement),
    'Stands for the first place that `pattern` matches; `$1` to `$9` are its groups, `$$` is `$`.',
    { default: 'none' },
  ),
});

const rules = (direction: 'request' | 'response'): Shape => {
  const allowed = direction === 'request' ? requestVariables : responseVariables;
  const lines = mapOf(headerName, written(headerValue(allowed)), { least: 0, most: 64 });
  return record(`headers.${direction}`, 'a map with set, add or remove', {
    remove: key(oneOrMore(written(headerName), 64), 'Fields that are taken out; first of all.', {
      default: 'none',
    }),
    set: key(lines, 'Fields that replace all of their name.', { default: 'none' }),
    add: key(lines, 'Fields that are put beside what is there.', { default: 'none' }),
  });
};

const headers = record('headers', 'a map with request or response', {
  request: key(rules('request'), 'Changes on the way to the server.'),
  response: key(rules('response'), 'Changes on the way to the client, of our own answers too.'),
});

const errorPage = record(
  'page',
  'a text or a map with a body',
  {
    body: key(written(bodyText(errorVariables)), 'Body of the answer; this or a file.'),
    file: key(written(filePath), 'A file whose text is the body, as it is; watched for changes.', {
      default: 'none',
    }),
    contentType: key(written(contentType), 'Its content type.', {
      default: 'by the ending of the file, else text/plain; charset=utf-8',
    }),
    replaceUpstream: key(flag, "Stands for servers' answers with these statuses too.", {
      default: 'false',
    }),
  },
  { short: 'body', later: ['redirect', 'template'] },
);

/** `errors` of a route and of the whole configuration. */
export const errors: Key = key(
  mapOf(action.errorStatuses, errorPage, { least: 0, most: 64 }),
  'Error pages by status (`502-504`), for errors of ours; the narrowest range that has the status is taken, those of a route before those of all.',
  { default: 'none' },
);

/** Keys of a route beside its match and its pool. */
export const actionKeys: Readonly<Record<string, Key>> = {
  split: key(split, 'Several pools instead of one; users keep their side.'),
  splitBy: key(
    written(action.splitKey),
    'What keeps a user on its side; `request`: nothing. Without the cookie or header, the client.',
    { default: 'client' },
  ),
  fallback: key(
    written(form.name),
    'The pool that takes a request which no server of its own could: none was left, or all tries failed, and it may be sent again.',
    { default: 'none' },
  ),
  mirror: key(
    mirror,
    'Sends copies of requests to another pool too; their answers, failures and delays touch no client.',
  ),
  redirect: key(redirect, 'Sends the client elsewhere instead.'),
  rewrite: key(rewrite, 'Changes host and path on the way to the server.'),
  headers: key(headers, 'Changes header fields both ways.'),
  errors,
};
