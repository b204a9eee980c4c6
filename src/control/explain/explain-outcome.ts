import type { RouteVerdict } from '../../match/explain-routes.ts';
import type { HookModule } from '../../model/hooks.ts';
import type { Route, Snapshot } from '../../model/snapshot.ts';
import type { ExplainedHooks, ExplainedPool, Explanation } from './explanation.ts';

/** What the sentence is made of: all the rest of the explanation. */
type Told = Omit<Explanation, 'outcome'>;

/** What becomes of a request, in a sentence that stands for itself. */
export function outcomeOf(told: Told): string {
  const { refused, route, pools, does, hooks } = told;
  if (refused !== null) return `it is answered here with ${refused.status}, ${refused.reason}`;
  if (route === null) return 'no route takes it';
  const unless = unlessText(told.routes, hooks);
  if (pools.length === 0) return `the route ${route} ${does.join(', ')}${unless}`;
  return `the route ${route} sends it to ${destinationText(pools)}${unless}`;
}

/** Hooks that a request of this route meets. */
export function hooksOf(snapshot: Snapshot, route: Route): ExplainedHooks[] {
  const told = (module: HookModule | null | undefined, of: ExplainedHooks['of']) =>
    module ? [{ module: module.path, of, onFailure: onFailureText(module) }] : [];
  return [...told(snapshot.hooks, 'every route'), ...told(route.hooks, 'this route')];
}

function onFailureText({ timeoutMs, onFailure }: HookModule): string {
  const end =
    onFailure === 'pass'
      ? 'the request goes on without it'
      : 'the request is answered with an error';
  return `when it throws, or takes more than ${timeoutMs} ms, ${end}`;
}

function destinationText(pools: readonly ExplainedPool[]): string {
  const [first, ...others] = pools;
  if (first === undefined) return 'no pool';
  const drawn = pools.filter(({ role }) => role === 'drawn');
  if (drawn.length > 1) {
    return `one of ${drawn.map((pool) => `${pool.pool} (${pool.why})`).join(', ')}`;
  }
  if (first.fate !== 'refused') return fateText(first);
  const fallback = others.find(({ role }) => role === 'fallback');
  const refusal = `the pool ${first.pool}, which cannot take it now (${first.pickedWhy})`;
  if (fallback === undefined) return `${refusal}: that is the answer`;
  return `${refusal}; so it goes to the fallback, ${fateText(fallback)}`;
}

function fateText({ pool, fate, picked, pickedWhy, queue }: ExplainedPool): string {
  if (fate === 'refused') return `the pool ${pool}, which cannot take it either (${pickedWhy})`;
  if (fate === 'waits') return `the pool ${pool}, where every place is taken; ${queue ?? ''}`;
  return picked === null
    ? `the pool ${pool}; ${pickedWhy}`
    : `the pool ${pool}, there to the server ${picked} (${pickedWhy})`;
}

function unlessText(routes: readonly RouteVerdict[], hooks: readonly ExplainedHooks[]): string {
  const chances = routes
    .filter(({ verdict }) => verdict === 'chance')
    .map(
      ({ route, share }) => `the route ${route}, which stands before it, draws it (${share ?? ''})`,
    );
  const all = [...chances, ...(hooks.length > 0 ? ['a hook decides otherwise'] : [])];
  return all.length === 0 ? '' : `; unless ${all.join(', or ')}`;
}
