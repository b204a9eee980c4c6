import type { Route, RouteMatch } from '../model/snapshot.ts';
import { compileCondition } from './conditions.ts';
import type { RequestFacts } from './facts.ts';
import { compileRoutes, routeOf } from './routes.ts';
import { listText, shareText, type ToldCondition, tellCondition } from './told-conditions.ts';
import { ValueSources } from './value-source.ts';
import { textOf } from './value-text.ts';

/** What one route says to a request. */
export interface RouteVerdict {
  readonly route: string;
  /**
   * `taken`: this one takes it. `chance`: it takes a share of such requests, of which the next ones
   * get the rest. `later`: it would, but an earlier one does. `no`: `misses` say why not.
   */
  readonly verdict: 'taken' | 'chance' | 'later' | 'no';
  readonly misses: readonly ToldCondition[];
  /** Of `chance`: `10%`. */
  readonly share: string | null;
}

/** What all routes say, and the number of the one that takes the request (-1: none). */
export interface ExplainedRoutes {
  readonly verdicts: readonly RouteVerdict[];
  readonly taken: number;
}

/**
 * Asks the matcher that traffic asks, then each route by itself for its reasons. Shares are not
 * drawn: they are told. `facts` have taken the request, and must draw 1 from their random numbers.
 * Cost: compiles every route; for people.
 */
export function explainRoutes(
  routes: readonly Route[],
  listener: string,
  facts: RequestFacts,
): ExplainedRoutes {
  const taken = routeOf(compileRoutes(routes, [listener]), 0, facts.head, facts);
  const sources = new ValueSources();
  const verdicts = routes.map((route, order): RouteVerdict => {
    const all = missesOf(route, listener, facts, sources);
    const misses = all.filter(({ what }) => what !== 'share');
    const isChance = all.length > 0 && misses.length === 0;
    const { name } = route;
    if (order === taken) return { route: name, verdict: 'taken', misses: [], share: null };
    const isBefore = taken < 0 || order < taken;
    if (isChance && isBefore) {
      return { route: name, verdict: 'chance', misses: [], share: shareOf(route.match) };
    }
    if (misses.length > 0) return { route: name, verdict: 'no', misses, share: null };
    return { route: name, verdict: 'later', misses: [], share: null };
  });
  return { verdicts, taken };
}

function shareOf({ conditions }: RouteMatch): string {
  return conditions.map((one) => (one.kind === 'share' ? shareText(one.ratio) : '')).join('');
}

const anything: RouteMatch = { hosts: [], paths: [], methods: [], conditions: [] };

function missesOf(
  route: Route,
  listener: string,
  facts: RequestFacts,
  sources: ValueSources,
): ToldCondition[] {
  const { listeners, match } = route;
  const { head } = facts;
  const misses: ToldCondition[] = [];
  if (listeners.length > 0 && !listeners.includes(listener)) {
    misses.push({ what: 'listener', required: listText(listeners), found: listener });
  }
  const part = (
    what: string,
    asked: Partial<RouteMatch>,
    texts: readonly string[],
    found: string,
  ) => {
    const alone = { ...route, listeners: [], match: { ...anything, ...asked } };
    if (routeOf(compileRoutes([alone], [listener]), 0, head, facts) === 0) return;
    misses.push({ what, required: listText(texts), found: found === '' ? 'none' : found });
  };
  const { hosts, paths, methods } = match;
  part('host', { hosts }, hosts, textOf(head.hostBytes, head.hostStart, head.hostEnd));
  part('path', { paths }, paths, facts.path);
  part('method', { methods }, methods, textOf(head.bytes, head.methodStart, head.methodEnd));
  for (const condition of match.conditions) {
    if (compileCondition(condition, sources).holds(facts)) continue;
    misses.push(tellCondition(condition, facts, sources));
  }
  return misses;
}
