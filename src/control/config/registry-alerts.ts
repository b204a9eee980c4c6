import * as form from './forms.ts';
import { command } from './probe-forms.ts';
import type { RecordShape } from './shape.ts';
import { key, record, written } from './shape.ts';

const url: form.Form = {
  ...form.text(
    'webhook',
    'a URL that begins with http:// or https://',
    '^https?://[^\\s/?#]+([/?][^\\s#]*)?$',
  ),
  // Its path often is all that keeps others from using it.
  isSecret: true,
  read: (text) => {
    const isUrl = /^https?:\/\/[^\s/?#]+([/?][^\s#]*)?$/.test(text) && URL.canParse(text);
    return isUrl ? { value: text } : { suggestion: null };
  },
};

/** `alerts` of the configuration. */
export const alerts: RecordShape = record(
  'alerts',
  'a webhook or a map of settings',
  {
    webhook: key(written(url), 'Gets each alert that is raised or cleared, as JSON.', {
      default: 'none: alerts stand in log and metrics',
    }),
    errors: key(
      written(form.percentage),
      'More of the requests of a minute than this may not fail; half of it is good again.',
      { default: '5%' },
    ),
    headroom: key(
      written(form.percentage),
      'So much of what the servers of a pool shall be given must be free; half as much again is good.',
      { default: '10%' },
    ),
    serverDown: key(
      written(form.duration('1s', '24h')),
      'How long a server may be out of traffic without having been drained.',
      { default: '30s' },
    ),
    for: key(
      written(form.duration('1s', '24h')),
      'How long errors, p99 or headroom must be bad; good twice as long, they are over.',
      { default: '30s' },
    ),
  },
  { short: 'webhook' },
);

/** `scaling` of the configuration. */
export const scaling: RecordShape = record(
  'scaling',
  'a webhook or a map of settings',
  {
    webhook: key(
      written(url),
      'Gets the servers that a pool wants whenever they change, as JSON.',
      {
        default: 'none',
      },
    ),
    command: key(
      written(command),
      'Program that is run whenever they change, without a shell. It is told EVENKEEL_POOL, EVENKEEL_SERVERS_WANTED, EVENKEEL_SERVERS_UP, EVENKEEL_HEADROOM.',
      { default: 'none' },
    ),
    every: key(written(form.duration('1s', '24h')), 'Least time between two of a pool.', {
      default: '1m',
    }),
  },
  { short: 'webhook' },
);
