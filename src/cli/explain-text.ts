import type {
  ExplainedPool,
  ExplainedRequest,
  ExplainedServer,
  Explanation,
} from '../control/explain/explanation.ts';
import type { RouteVerdict } from '../match/explain-routes.ts';

/** Routes that do not match are summed up above this; `--json` has them all. */
const ROUTES_SHOWN_MAX = 40;

/** An explanation as text for people. `file`: the file that was explained; null = what runs. */
export function explainText(explanation: Explanation, file: string | null): string {
  const { listener, request, refused, route, pools, does } = explanation;
  const lines = [requestText(request), `on listener ${listener}${clientText(request)}`, ''];
  lines.push(...routeLines(explanation.routes), '');
  if (refused !== null) lines.push(`answered here with ${refused.status}: ${refused.reason}`);
  else if (does.length > 0) lines.push(`the route ${route} ${does.join(', ')}`);
  for (const pool of pools) lines.push(...poolLines(pool), '');
  if (file !== null) lines.push(`(by ${file} alone: servers count as well and idle)`);
  return `${lines.join('\n').replace(/\n+$/, '')}\n`;
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

function poolLines(pool: ExplainedPool): string[] {
  const { servers } = pool;
  const width = Math.max(0, ...servers.map(({ address }) => address.length));
  const states = [
    pool.isPanic ? 'PANIC: ejected servers take part, too few others are left' : '',
    pool.isBackup ? 'backup servers stand in' : '',
  ].filter((state) => state !== '');
  return [
    `pool ${pool.pool} (${pool.why}), policy ${pool.policy}: ${pool.says}`,
    ...states.map((state) => `  ${state}`),
    ...servers.map((server) => `  ${server.address.padEnd(width)}  ${serverText(server)}`),
    `  would pick ${pool.picked ?? 'nobody'} (${pool.pickedWhy})`,
  ];
}

function serverText({ isEligible, why, weight, load, latencyMs }: ExplainedServer): string {
  const facts = [
    `weight ${Math.round(weight * 1000) / 1000}`,
    ...(load === null ? [] : [`load ${load}`]),
    ...(latencyMs === null ? [] : [`latency ${latencyMs} ms`]),
  ];
  return isEligible ? `${facts.join(', ')}; ${why}` : `OUT: ${why}`;
}
