import * as form from './forms.ts';
import type { Key } from './shape.ts';
import { choice, flag, key, record, written } from './shape.ts';

const filePath = form.text('file path', 'the path of a file', '^[^\\u0000-\\u001f]{1,4096}$');

const policy = record(
  'policy',
  'the name of a policy or a map with a module',
  {
    name: key(
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
      'One of ours.',
      { default: 'p2c' },
    ),
    module: key(
      written(filePath),
      'A policy of your own: the path of its module, beside this file; see `examples/custom-policy`.',
      { default: 'none' },
    ),
  },
  { short: 'name' },
);

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

const cookieName = form.text(
  'cookie name',
  'the name of a cookie',
  "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$",
);
const cookiePath = form.text(
  'cookie path',
  'a path that starts with a slash',
  '^/[!-:<-~]{0,255}$',
);
const secret: form.Form = {
  ...form.text('secret', 'a text of 16 to 256 letters without spaces', '^[!-~]{16,256}$'),
  isSecret: true,
};
const sticky = record(
  'sticky',
  'the name of a cookie or a map with one',
  {
    cookie: key(written(cookieName), 'Name of the cookie.', { isRequired: true }),
    ttl: key(
      written(form.duration('1s', '8760h')),
      'How long a session lasts; renewed when half of it is over.',
      { default: 'as long as the browser runs' },
    ),
    path: key(written(cookiePath), 'Path of the cookie.', { default: '/' }),
    secure: key(
      written(form.secure),
      'For https alone; `auto`: where a trusted peer says that the client came by it.',
      { default: 'auto' },
    ),
    sameSite: key(choice(['lax', 'strict', 'none']), 'Its `SameSite`.', { default: 'lax' }),
    secret: key(written(secret), 'Key of the signatures; the same on all balancers.', {
      default: 'made at the first start, in a file that only we can read',
    }),
    secretFile: key(written(filePath), 'A file that has the key.', { default: 'none' }),
  },
  { short: 'cookie' },
);

/** Keys of a pool that say how its traffic is spread. */
export const balancingKeys: Readonly<Record<string, Key>> = {
  policy: key(policy, 'How a server is chosen.'),
  key: key(written(form.requestKey), 'What `hash` goes by.', { default: 'ip' }),
  slowStart: key(slowStart, 'New and recovered servers get their share by and by.', {
    default: 'none',
  }),
  sticky: key(sticky, 'Keeps each client at its server by a signed cookie.', { default: 'none' }),
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
