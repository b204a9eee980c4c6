import { durationText } from '../base/duration-text.ts';
import type {
  ExplainedPool,
  ExplainedRequest,
  ExplainedServer,
  Explanation,
} from '../control/explain/explanation.ts';
import type { RouteVerdict } from '../match/explain-routes.ts';

/** Routes that do not match are summed up above this; `--json` has them all. */
const ROUTES_SHOWN_MAX = 40;

/** An explanation as text for people, the answer first. `file`: the file that was explained; null = what runs. */
export function explainText(explanation: Explanation, file: string | null): string {
  const { listener, request, refused, route, pools, does, hooks, atMs } = explanation;
  const lines = [
    requestText(request),
    `on listener ${listener}${clientText(request)}`,
    '',
    `${capital(explanation.outcome)}.`,
  ];
  const routes = routeLines(explanation.routes);
  if (routes.length > 0) lines.push('', 'Routes, in the order in which they are asked:', ...routes);
  if (refused === null && pools.length > 0 && does.length > 0) {
    lines.push('', `The route ${route} also ${does.join(', ')}.`);
  }
  if (hooks.length > 0) lines.push('', 'Hooks that run on it (not run for this answer):');
  for (const { module, of, onFailure } of hooks) {
    lines.push(`  ${module}  of ${of}; ${onFailure}`);
  }
  const shown = new Set<string>();
  for (const pool of pools) {
    const isShown = shown.has(pool.pool);
    lines.push('', ...(isShown ? [`${titleOf(pool)} (see above)`] : poolLines(pool, atMs)));
    shown.add(pool.pool);
  }
  if (file !== null) lines.push('', `(By ${file} alone: servers count as well and idle.)`);
  return `${lines.map((line) => line.replace(/\p{Cc}/gu, '?')).join('\n')}\n`;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function requestText({ method, host, path, query, protocol }: ExplainedRequest): string {
  return `${method} ${host}${path}${query} ${protocol}`.trim();
}

function clientText({ client, peer, isPeerTrusted, ...place }: ExplainedRequest): string {
  if (client === '') return '';
  const { country, continent, asn } = place;
  const known = [country, continent, asn === null ? null : `AS${asn}`].filter(
    (one) => one !== null,
  );
  const where = known.length === 0 ? '' : ` (${known.join(', ')})`;
  const by = isPeerTrusted && client !== peer ? `, named by the trusted peer ${peer}` : '';
  return `, client ${client}${where}${by}`;
}

function routeLines(routes: readonly RouteVerdict[]): string[] {
  if (routes.length === 0) return [];
  const width = Math.max(...routes.map(({ route }) => route.length));
  const taken = routes.findIndex(({ verdict }) => verdict === 'taken');
  // All that may take it, and as many of the others as a person reads.
  const isShown = (verdict: RouteVerdict, index: number): boolean =>
    routes.length <= ROUTES_SHOWN_MAX || verdict.verdict !== 'no' || Math.abs(index - taken) <= 3;
  const lines: string[] = [];
  let left = 0;
  for (const [index, verdict] of routes.entries()) {
    if (!isShown(verdict, index)) {
      left++;
      continue;
    }
    const number = String(index + 1).padStart(String(routes.length).length);
    lines.push(
      `  ${number} ${verdict.route.padEnd(width)}  ${verdictText(verdict, routes[taken])}`,
    );
  }
  if (left > 0) lines.push(`  … and ${left} routes that do not match (--json has them)`);
  return lines;
}

function verdictText(
  { verdict, misses, share }: RouteVerdict,
  taken: RouteVerdict | undefined,
): string {
  if (verdict === 'taken') return 'TAKES it';
  if (verdict === 'chance') return `takes ${share} of such requests, at random`;
  if (verdict === 'later') {
    return taken === undefined ? 'would take it' : `would take it, but ${taken.route} comes first`;
  }
  const reasons = misses.map(
    ({ what, required, found }) => `${what} requires ${required}, found ${found}`,
  );
  return `no: ${reasons.join('; ')}`;
}

function poolLines(pool: ExplainedPool, atMs: number): string[] {
  const { breaker, limit, queue, session, servers } = pool;
  const width = Math.max(0, ...servers.map(({ address }) => address.length));
  const states: readonly (readonly [string, string | null])[] = [
    ['policy', `${pool.policy}: ${pool.says}`],
    ['breaker', breaker],
    ['limit', limit],
    ['queue', queue],
    ['session', session],
    ['panic', pool.isPanic ? 'too few servers are well: ejected ones take part again' : null],
    ['backup', pool.isBackup ? 'no other server can: backup servers stand in' : null],
  ];
  return [
    titleOf(pool),
    ...states.flatMap(([name, says]) => (says === null ? [] : [`  ${name.padEnd(8)} ${says}`])),
    '  servers',
    ...servers.flatMap((server) => serverLines(server, width, atMs)),
    `  ${endText(pool)}`,
  ];
}

function titleOf({ pool, why }: ExplainedPool): string {
  return `Pool ${pool}: ${why}`;
}

function endText({ fate, picked, pickedWhy }: ExplainedPool): string {
  if (picked !== null) return `would pick ${picked} (${pickedWhy})`;
  if (fate === 'refused') return `would pick nobody (${pickedWhy})`;
  return fate === 'waits' ? 'would let it wait' : pickedWhy;
}

function serverLines(server: ExplainedServer, width: number, atMs: number): string[] {
  const { address, isEligible, why, sinceMs, next, group } = server;
  const head = `    ${address.padEnd(width)}  `;
  const indent = ' '.repeat(head.length + 5);
  const place = group === null ? '' : ` (${group})`;
  const since = sinceMs === null ? '' : `for ${durationText(atMs - sinceMs)}: `;
  return [
    isEligible ? `${head}in   ${factsText(server)}${place}` : `${head}OUT  ${since}${why}${place}`,
    ...(isEligible ? [`${indent}${why}`] : []),
    ...(next === null ? [] : [`${indent}${next}`]),
  ];
}

function factsText({
  weight,
  factor,
  factorWhy,
  share,
  load,
  loadMax,
  latencyMs,
}: ExplainedServer): string {
  const part = factor === 1 ? '' : ` (${percent(factor)} of its own: ${factorWhy})`;
  const facts = [
    ...(share === null ? [] : [`about ${percent(share)} of such requests`]),
    `weight ${Math.round(weight * 1000) / 1000}${part}`,
    ...(load === null ? [] : [`${load}${loadMax === null ? '' : ` of ${loadMax}`} in flight`]),
    ...(latencyMs === null ? [] : [`latency ${latencyMs} ms`]),
  ];
  return facts.join(', ');
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 100)}%`;
}
