import * as form from './forms.ts';
import type { Key } from './shape.ts';
import { choice, flag, key, record, written } from './shape.ts';

const slowStart = record(
  'slow start',
  'a duration or a map with a window',
  {
    window: key(written(form.duration('1s', '1h')), 'How long a server takes to its whole share.', {
      isRequired: true,
    }),
    aggression: key(
      written(form.decimal('aggression', 0.1, 10)),
      'Above 1 the share grows faster at the beginning, below 1 slower.',
      { default: '1' },
    ),
    min: key(written(form.percentage), 'The share to begin with.', { default: '10%' }),
  },
  { short: 'window' },
);

/** Keys of a pool that say how its traffic is spread. */
export const balancingKeys: Readonly<Record<string, Key>> = {
  policy: key(
    choice([
      'p2c',
      'round-robin',
      'least-connections',
      'least-latency',
      'ip-hash',
      'hash',
      'random',
      'first',
    ]),
    'How a server is chosen.',
    { default: 'p2c' },
  ),
  key: key(written(form.requestKey), 'What `hash` goes by.', { default: 'ip' }),
  slowStart: key(slowStart, 'New and recovered servers get their share by and by.', {
    default: 'none',
  }),
  overprovision: key(
    written(form.decimal('factor', 1, 10)),
    'The healthy part of a tier (or of the own zone) times this is the traffic that it takes.',
    { default: '1.4' },
  ),
  preferZone: key(
    flag,
    'Servers whose label `zone` is the `zone` of this balancer come first; others take what those cannot.',
    { default: 'false' },
  ),
  loadHeader: key(
    flag,
    'Weighs servers by the load that their answers tell in `X-Load` or `endpoint-load-metrics`.',
    { default: 'false' },
  ),
};
