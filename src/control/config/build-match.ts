import { invariant } from '../../base/invariant.ts';
import type { Condition, TextTest } from '../../model/conditions.ts';
import type { GeoFiles, RouteMatch } from '../../model/snapshot.ts';
import type { Checked, CheckedMatch, CheckedTest } from './checked.ts';

/** What a route takes. */
export function buildMatch(match: CheckedMatch): RouteMatch {
  return {
    hosts: match.host ?? [],
    paths: match.path ?? [],
    methods: match.method ?? [],
    conditions: conditionsOf(match),
  };
}

/** Everything besides host, path and method; the cheap ones first, since the first fault ends it. */
function conditionsOf(match: CheckedMatch): Condition[] {
  const { protocol, contentType, size, client, country, continent, asn, time, share } = match;
  const conditions: Condition[] = [];
  if (protocol !== undefined) conditions.push({ kind: 'protocol', texts: protocol });
  if (size !== undefined) {
    conditions.push({ kind: 'size', minBytes: size.min ?? 0, maxBytes: size.max ?? null });
  }
  if (time !== undefined) conditions.push(timeOf(time));
  for (const kind of ['header', 'query', 'cookie'] as const) {
    for (const [name, test] of match[kind] ?? []) {
      const known = kind === 'header' ? name.toLowerCase() : name;
      conditions.push({ kind, name: known, test: testOf(test) });
    }
  }
  if (contentType !== undefined) conditions.push({ kind: 'content-type', types: contentType });
  if (client !== undefined) conditions.push(clientOf(client));
  if (country !== undefined) conditions.push({ kind: 'country', texts: country });
  if (continent !== undefined) conditions.push({ kind: 'continent', texts: continent });
  if (asn !== undefined) conditions.push({ kind: 'asn', texts: asn });
  if (match.pathPattern !== undefined) {
    conditions.push({ kind: 'path-pattern', patterns: match.pathPattern });
  }
  if (match.all !== undefined) conditions.push({ kind: 'all', of: match.all.map(nested) });
  if (match.any !== undefined) conditions.push({ kind: 'any', of: match.any.map(nested) });
  if (match.not !== undefined) conditions.push({ kind: 'not', of: nested(match.not) });
  // Last: a share is a share of the requests for which all else holds.
  if (share !== undefined) conditions.push({ kind: 'share', ratio: share });
  return conditions;
}

/** A match within a match: one condition, in which host, path and method are another. */
function nested(match: CheckedMatch): Condition {
  const { host, path, method } = match;
  const conditions = conditionsOf(match);
  if (host !== undefined || path !== undefined || method !== undefined) {
    const target = { hosts: host ?? [], paths: path ?? [], methods: method ?? [] };
    conditions.unshift({ kind: 'target', ...target });
  }
  const [only, another] = conditions;
  return only !== undefined && another === undefined ? only : { kind: 'all', of: conditions };
}

function timeOf(time: NonNullable<CheckedMatch['time']>): Condition {
  const days = [...new Set(time.days?.flat() ?? [])].sort((a, b) => a - b);
  const window = {
    days,
    fromMinute: time.from ?? 0,
    toMinute: time.to ?? 1_440,
    zone: time.zone ?? 'UTC',
  };
  return { kind: 'time', window };
}

const filePrefix = 'file:';

/** Ranges of the files are added by who may read files. */
function clientOf(client: readonly string[]): Condition {
  return {
    kind: 'client',
    ranges: client.filter((range) => !range.startsWith(filePrefix)),
    files: client
      .filter((range) => range.startsWith(filePrefix))
      .map((range) => range.slice(filePrefix.length)),
  };
}

function testOf({ is, present, prefix, pattern, not }: CheckedTest): TextTest {
  if (is !== undefined) return { kind: 'any-of', texts: is };
  if (present !== undefined) return { kind: 'present', isPresent: present };
  if (prefix !== undefined) return { kind: 'prefix', text: prefix };
  if (pattern !== undefined) return { kind: 'pattern', pattern };
  invariant(not !== undefined, 'a checked test has a key');
  return { kind: 'not', of: testOf(not) };
}

/** What a match without host, path and method asks first: `header-x-tenant`, `country-de`; null for nothing. */
export function conditionName(match: CheckedMatch): string | null {
  for (const kind of ['header', 'query', 'cookie'] as const) {
    for (const name of match[kind]?.keys() ?? []) return `${kind}-${name}`;
  }
  for (const kind of ['country', 'continent', 'asn', 'client'] as const) {
    const first = match[kind]?.[0];
    if (first !== undefined) return `${kind}-${first}`;
  }
  return Object.keys(match)[0] ?? null;
}

/** Every match of a configuration, those within others too. */
function matchesOf(checked: Checked): CheckedMatch[] {
  return (checked.routes ?? []).flatMap(({ match }) => (match === undefined ? [] : within(match)));
}

function within(match: CheckedMatch): CheckedMatch[] {
  const inner = [...(match.all ?? []), ...(match.any ?? []), ...(match.not ? [match.not] : [])];
  return [match, ...inner.flatMap(within)];
}

/** The databases that matches ask; their paths only, an empty one for the default. */
export function geoOf(checked: Checked): GeoFiles | null {
  const matches = matchesOf(checked);
  const asksPlace = matches.some(({ country, continent }) => country ?? continent);
  const asksSystem = matches.some(({ asn }) => asn);
  if (!asksPlace && !asksSystem) return null;
  const { country = '', asn = '' } = checked.geo ?? {};
  return {
    country: asksPlace ? { path: country, mark: '' } : null,
    asn: asksSystem ? { path: asn, mark: '' } : null,
  };
}

/** Files that matches name. */
export function filesOf(checked: Checked): readonly string[] {
  const named = matchesOf(checked).flatMap(({ client }) => client ?? []);
  const files = named.filter((range) => range.startsWith(filePrefix));
  return [...new Set(files.map((range) => range.slice(filePrefix.length)))];
}
