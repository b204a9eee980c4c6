import { continentCodes } from '../../match/continents.ts';
import * as condition from './condition-forms.ts';
import * as form from './forms.ts';
import { hostPattern, method, pathPattern } from './match-forms.ts';
import type { Key, RecordShape } from './shape.ts';
import { choice, flag, key, list, mapOf, oneOrMore, record, written } from './shape.ts';

/*
 * What a route may ask of a request. `not` of a test and `all`, `any`, `not` of a match are made of
 * the same shape again, so they are added once it is there.
 */
const value = written(condition.valueText);
const testKeys: Record<string, Key> = {
  is: key(oneOrMore(value, 1000), 'One of these, exactly.'),
  present: key(flag, 'Whether it is there at all, even if empty.'),
  prefix: key(value, 'What it begins with.'),
  pattern: key(written(condition.pattern), 'A regular expression that is found in it.'),
};
const textTest: RecordShape = record(
  'text test',
  'a text, a list of texts, or a map with one of is, present, prefix, pattern, not',
  testKeys,
  { short: 'is', later: ['suffix', 'contains', 'regex', 'range', 'ignoreCase'] },
);
testKeys['not'] = key(textTest, 'Holds where this does not, so where there is no value as well.');

const tests = { least: 1, most: 64 };

const size = record('size', 'a map with min, max or both', {
  min: key(written(form.size('0B', '1024GiB')), 'The least.', { default: 'none' }),
  max: key(written(form.size('0B', '1024GiB')), 'The most.', { default: 'none' }),
});

const time = record('time', 'a map of days, from, to and zone', {
  days: key(
    oneOrMore(written(condition.weekdays), 7),
    'Days on which it begins: `mon`, `mon-fri`.',
    { default: 'every day' },
  ),
  from: key(written(condition.timeOfDay), 'When it begins.', { default: '00:00' }),
  to: key(written(condition.timeOfDay), 'When it ends; not after `from`: on the next day.', {
    default: '24:00',
  }),
  zone: key(written(condition.timeZone), 'Whose clock.', { default: 'UTC' }),
});

const matchKeys: Record<string, Key> = {
  host: key(
    oneOrMore(written(hostPattern), 1000),
    'Hosts; `*.example.com` is every host below it.',
    { default: 'any' },
  ),
  path: key(oneOrMore(written(pathPattern), 1000), 'Paths; `/v1/*` is `/v1` and all below.', {
    default: 'any',
  }),
  method: key(oneOrMore(written(method), 64), 'Methods.', { default: 'any' }),
  pathPattern: key(
    oneOrMore(written(condition.pattern), 64),
    'Regular expressions, one of which is found in the path; `^` and `$` bind it to the ends.',
  ),
  header: key(
    mapOf(condition.headerName, textTest, tests),
    'Header fields: some line of the name must pass.',
  ),
  query: key(
    mapOf(condition.parameterName, textTest, tests),
    'Query parameters, decoded, `+` is a space: some one of the name must pass.',
  ),
  cookie: key(
    mapOf(condition.cookieName, textTest, tests),
    'Cookies, without quotes around the value: some one of the name must pass.',
  ),
  contentType: key(
    oneOrMore(written(condition.mediaType), 64),
    'Media types of the body; parameters do not count.',
  ),
  size: key(size, 'Declared bytes of the body, inclusive; a chunked body declares none.'),
  protocol: key(
    oneOrMore(choice(['http/1.0', 'http/1.1'], ['http/2', 'http/3', 'h2']), 2),
    'The version that the client speaks.',
  ),
  client: key(
    oneOrMore(written(condition.clientRange), 1000),
    'Client addresses; `X-Forwarded-For` of trusted peers counts, without it their `Forwarded`.',
  ),
  country: key(oneOrMore(written(condition.countryCode), 250), 'Countries of the client address.'),
  continent: key(oneOrMore(choice(continentCodes), 7), 'Continents of the client address.'),
  asn: key(
    oneOrMore(written(condition.autonomousSystem), 1000),
    'Autonomous systems of the client address; needs `geo.asn`.',
  ),
  time: key(time, 'A window of local time.'),
  share: key(written(form.percentage), 'Takes this share of requests, at random.'),
};

/** `match` of a route. */
export const match: RecordShape = record(
  'match',
  'a path or a map of what a request must have',
  matchKeys,
  {
    short: 'path',
    later: [
      'headers',
      'cookies',
      'ip',
      'sni',
      'scheme',
      'port',
      'pathRegex',
      'hostRegex',
      'hostPattern',
      'regex',
      'body',
      'tls',
    ],
  },
);
matchKeys['all'] = key(list(match, { least: 1, most: 64 }), 'All of these must match.');
matchKeys['any'] = key(list(match, { least: 1, most: 64 }), 'One of these must match.');
matchKeys['not'] = key(match, 'This must not match.');

/** Where the places of addresses are known from. */
export const geo: RecordShape = record(
  'geo',
  'a map of databases',
  {
    country: key(
      written(condition.filePath),
      'An MMDB file with countries, and continents if it has them.',
      { default: 'the package @ip-location-db/geo-whois-asn-country-mmdb, where installed' },
    ),
    asn: key(written(condition.filePath), 'An MMDB file with autonomous systems.', {
      default: 'none',
    }),
  },
  { short: 'country', later: ['city', 'interval', 'url'] },
);
