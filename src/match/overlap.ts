import type { Condition, TextTest } from '../model/conditions.ts';
import type { Route, RouteMatch } from '../model/snapshot.ts';

/** What is checked of a route; a route without its slot will do. */
export type RouteLike = Omit<Route, 'slot'>;

/** Something surprising about routes, by their index. */
export type RouteFinding =
  /** Every request that it would take is taken by earlier routes. */
  | { readonly kind: 'unreachable'; readonly route: number; readonly by: readonly number[] }
  /** Its conditions exclude each other. */
  | { readonly kind: 'impossible'; readonly route: number }
  /** Two routes each are the narrower one in one respect; the earlier takes what meets both. */
  | {
      readonly kind: 'crossing';
      readonly route: number;
      readonly by: number;
      /** Host and path of the requests that meet both: `api.example.com/admin/*`. */
      readonly target: string;
    };

/** One host, path and method of a route; null = any. */
interface Cell {
  readonly host: string | null;
  readonly path: string | null;
  readonly method: string | null;
}

/** A route of more cells than this is compared as a whole only. */
const CELLS_MAX = 256;
/** More crossings than a person reads are one finding: the table is made that way. */
const CROSSINGS_MAX = 20;

/**
 * Finds routes that can never match and pairs that overlap in a way that written order alone
 * decides. What it says is certain for `unreachable` and `impossible`; it does not find everything.
 * Cost: quadratic in routes.
 */
export function routeFindings(routes: readonly RouteLike[]): RouteFinding[] {
  const findings: RouteFinding[] = [];
  const cells = routes.map(({ match }) => cellsOf(match));
  for (const [index, route] of routes.entries()) {
    if (route.match.conditions.some((one) => isImpossible(one, route.match.conditions))) {
      findings.push({ kind: 'impossible', route: index });
      continue;
    }
    const by = coveringRoutes(routes, index, cells[index]!);
    if (by !== null) findings.push({ kind: 'unreachable', route: index, by });
  }
  const unreachable = new Set(findings.map(({ route }) => route));
  const crossings = crossingRoutes(routes, cells, unreachable);
  return [...findings, ...crossings].sort((a, b) => a.route - b.route);
}

function cellsOf({ hosts, paths, methods }: RouteMatch): readonly Cell[] {
  const orAny = (texts: readonly string[]): readonly (string | null)[] =>
    texts.length === 0 ? [null] : texts;
  const cells = orAny(hosts).flatMap((host) =>
    orAny(paths.includes('/*') ? [] : paths).flatMap((path) =>
      orAny(methods).map((method) => ({ host, path, method })),
    ),
  );
  return cells.length > CELLS_MAX ? [] : cells;
}

/** Earlier routes that together take all that a route would, or null. */
function coveringRoutes(
  routes: readonly RouteLike[],
  index: number,
  cells: readonly Cell[],
): number[] | null {
  const route = routes[index]!;
  const by = new Set<number>();
  for (const cell of cells) {
    const earlier = routes.findIndex(
      (other, at) => at < index && hasListenersOf(other, route) && covers(other.match, cell, route),
    );
    if (earlier < 0 || earlier >= index) return null;
    by.add(earlier);
  }
  return by.size === 0 ? null : [...by];
}

function hasListenersOf(wide: RouteLike, narrow: RouteLike): boolean {
  if (wide.listeners.length === 0) return true;
  return (
    narrow.listeners.length > 0 && narrow.listeners.every((name) => wide.listeners.includes(name))
  );
}

function covers(match: RouteMatch, cell: Cell, of: RouteLike): boolean {
  return (
    (match.hosts.length === 0 ||
      (cell.host !== null && match.hosts.some((host) => isHostWithin(cell.host!, host)))) &&
    (match.paths.length === 0 ||
      match.paths.includes('/*') ||
      (cell.path !== null && match.paths.some((path) => isPathWithin(cell.path!, path)))) &&
    (match.methods.length === 0 || (cell.method !== null && match.methods.includes(cell.method))) &&
    match.conditions.every((wide) => of.match.conditions.some((narrow) => implies(narrow, wide)))
  );
}

function isHostWithin(narrow: string, wide: string): boolean {
  if (narrow === wide) return true;
  if (!wide.startsWith('*.')) return false;
  const inner = narrow.startsWith('*.') ? narrow.slice(1) : narrow;
  return inner.length > wide.length - 1 && inner.endsWith(wide.slice(1));
}

function isPathWithin(narrow: string, wide: string): boolean {
  if (narrow === wide || wide === '/*') return true;
  if (!wide.endsWith('/*')) return false;
  const inner = narrow.endsWith('/*') ? narrow.slice(0, -2) : narrow;
  return inner === wide.slice(0, -2) || inner.startsWith(wide.slice(0, -1));
}

/** Does what meets `narrow` always meet `wide`? False where it is not certain. */
function implies(narrow: Condition, wide: Condition): boolean {
  if (wide.kind === 'share' && wide.ratio < 1) return false;
  if (JSON.stringify(narrow) === JSON.stringify(wide)) return true;
  if (wide.kind === 'all') return wide.of.every((one) => implies(narrow, one));
  if (narrow.kind === 'all' && narrow.of.some((one) => implies(one, wide))) return true;
  if (wide.kind === 'any') return wide.of.some((one) => implies(narrow, one));
  if ('texts' in wide && narrow.kind === wide.kind) {
    return narrow.texts.every((text) => wide.texts.includes(text));
  }
  if ('test' in wide && narrow.kind === wide.kind && narrow.name === wide.name) {
    return testImplies(narrow.test, wide.test);
  }
  if (wide.kind === 'size' && narrow.kind === 'size') {
    const [least, most] = [narrow.maxBytes ?? Infinity, wide.maxBytes ?? Infinity];
    return narrow.minBytes >= wide.minBytes && least <= most;
  }
  return false;
}

function testImplies(narrow: TextTest, wide: TextTest): boolean {
  if (wide.kind === 'present' && wide.isPresent) {
    return narrow.kind === 'any-of' || narrow.kind === 'prefix' || narrow.kind === 'pattern';
  }
  if (narrow.kind === 'any-of' && wide.kind === 'any-of') {
    return narrow.texts.every((text) => wide.texts.includes(text));
  }
  if (narrow.kind === 'any-of' && wide.kind === 'prefix') {
    return narrow.texts.every((text) => text.startsWith(wide.text));
  }
  if (narrow.kind === 'prefix' && wide.kind === 'prefix') return narrow.text.startsWith(wide.text);
  return false;
}

/** Can it never hold, alone or with the others? */
function isImpossible(condition: Condition, others: readonly Condition[]): boolean {
  if (condition.kind === 'share') return condition.ratio === 0;
  if (condition.kind === 'all') {
    return condition.of.some((one) => isImpossible(one, [...others, ...condition.of]));
  }
  if (condition.kind === 'any') return condition.of.every((one) => isImpossible(one, others));
  if (condition.kind === 'not') return others.some((other) => implies(other, condition.of));
  if (!('test' in condition)) return false;
  const { test } = condition;
  const denied: TextTest | null =
    test.kind === 'not'
      ? test.of
      : test.kind === 'present' && !test.isPresent
        ? { kind: 'present', isPresent: true }
        : null;
  return denied !== null && others.some((other) => implies(other, { ...condition, test: denied }));
}

/** Routes without conditions, of which each is the narrower one in one of host and path. */
function crossingRoutes(
  routes: readonly RouteLike[],
  cells: readonly (readonly Cell[])[],
  unreachable: ReadonlySet<number>,
): RouteFinding[] {
  const findings: RouteFinding[] = [];
  for (const [index, later] of routes.entries()) {
    if (later.match.conditions.length > 0 || unreachable.has(index)) continue;
    for (let by = 0; by < index; by++) {
      const earlier = routes[by]!;
      if (earlier.match.conditions.length > 0 || unreachable.has(by)) continue;
      if (goesTo(earlier) === goesTo(later) || !sharesListener(earlier, later)) continue;
      const shared = crossing(cells[by]!, cells[index]!);
      if (shared === null || isTaken(routes, by, shared, later)) continue;
      const target = `${shared.host}${shared.path}`;
      findings.push({ kind: 'crossing', route: index, by, target });
      if (findings.length >= CROSSINGS_MAX) return findings;
    }
  }
  return findings;
}

/** All that a route does besides matching. */
function goesTo({ name: _name, match: _match, listeners: _listeners, ...rest }: RouteLike): string {
  return JSON.stringify(rest);
}

function sharesListener(a: RouteLike, b: RouteLike): boolean {
  if (a.listeners.length === 0 || b.listeners.length === 0) return true;
  return a.listeners.some((name) => b.listeners.includes(name));
}

/** What an earlier and a later cell share, where neither is the narrower one in all respects. */
function crossing(earlier: readonly Cell[], later: readonly Cell[]): Cell | null {
  for (const a of earlier) {
    for (const b of later) {
      if (a.method !== null && b.method !== null && a.method !== b.method) continue;
      const hostOfA = isNarrower(a.host, b.host, isHostWithin);
      const hostOfB = isNarrower(b.host, a.host, isHostWithin);
      const pathOfA = isNarrower(a.path, b.path, isPathWithin);
      const pathOfB = isNarrower(b.path, a.path, isPathWithin);
      const method = a.method ?? b.method;
      if (hostOfA && pathOfB) return { host: a.host, path: b.path, method };
      if (hostOfB && pathOfA) return { host: b.host, path: a.path, method };
    }
  }
  return null;
}

function isNarrower(
  a: string | null,
  b: string | null,
  isWithin: (narrow: string, wide: string) => boolean,
): boolean {
  return a !== null && a !== b && (b === null || isWithin(a, b));
}

/** Does a route before both say what happens to it? Then somebody has thought of it. */
function isTaken(
  routes: readonly RouteLike[],
  before: number,
  cell: Cell,
  later: RouteLike,
): boolean {
  return routes.some(
    (route, at) => at < before && hasListenersOf(route, later) && covers(route.match, cell, later),
  );
}
