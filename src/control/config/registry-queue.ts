import { limits } from '../../model/limits.ts';
import * as form from './forms.ts';
import type { RecordShape } from './shape.ts';
import { count, key, mapOf, record, written } from './shape.ts';

const headerName = form.text(
  'header name',
  'the name of a header field',
  "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$",
);
const headerValue = form.text(
  'header value',
  'a text of 1 to 128 printable letters without spaces at its ends',
  '^[!-~]([ -~]{0,126}[!-~])?$',
);
const klass = count(0, limits.queueClasses - 1);

/** `queue` of a pool. */
export const queue: RecordShape = record(
  'queue',
  'a number of requests or a map of settings',
  {
    size: key(
      count(1, 1_000_000),
      'Requests that may wait, all workers together; above, 503 `queue-full`.',
      { default: '1000' },
    ),
    timeout: key(
      written(form.duration('1ms', '10m')),
      'How long one may wait; then 503 `queue-timeout`.',
      { default: '5s' },
    ),
    classes: key(
      record('queue classes', 'a map of settings', {
        header: key(
          written(headerName),
          'Field that tells the priority. Believe it only where clients are yours, or set it before them.',
          { default: 'x-priority' },
        ),
        values: key(
          mapOf(headerValue, klass, { least: 0, most: 64 }),
          'Class by value: 0 goes before 1, and so on; in a class, who came first.',
          { isRequired: true },
        ),
        default: key(klass, 'Class of requests without the field, or with another value.', {
          default: '1',
        }),
      }),
      'Who goes first.',
      { default: 'all are equal' },
    ),
  },
  { short: 'size', later: ['perServer', 'overflow'] },
);
