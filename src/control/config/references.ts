import { limits } from '../../model/limits.ts';
import type { ServerAddress } from './address.ts';
import { doCollide, parseListenAddress, parseServerAddress } from './address.ts';
import { checkLog } from './build-log.ts';
import { checkActions, checkPages } from './check-actions.ts';
import { checkProbes } from './check-probes.ts';
import type { Checked, CheckedListener, CheckedPool, CheckedRetry } from './checked.ts';
import type { ListenAddress } from './config.ts';
import { checkMatches } from './match-references.ts';
import type { PlacedProblem, Position } from './problem.ts';
import { shown } from './problem.ts';
import { checkBalancing, checkSubset } from './references-balancing.ts';
import { checkDiscovery } from './references-discovery.ts';
import { checkPoolName, type Refuse, someOf } from './refuse.ts';
import { keyPath } from './source-tree.ts';
import { nearest } from './suggest.ts';

/**
 * Checks what no single value shows: names that lead nowhere or stand twice, addresses that collide,
 * settings that exclude each other. Works on what is left of a faulty configuration too, and says
 * nothing about values that were refused already. Cost: quadratic in listeners, else linear.
 */
export function checkReferences(
  checked: Checked,
  positions: ReadonlyMap<string, Position>,
  refusedPaths: readonly string[],
): PlacedProblem[] {
  const problems: PlacedProblem[] = [];
  const faulty = new Set(refusedPaths.flatMap(pathsAround));
  const add = (
    path: string,
    requirement: string,
    found: string,
    suggestion?: string | null,
  ): void => {
    const { line, column } = placeOf(path, positions);
    problems.push({ line, column, path, requirement, found, suggestion: suggestion ?? null });
  };
  const refuse: Refuse = Object.assign(add, {
    isFaulty: (path: string) => faulty.has(path),
    isMisspelt: (key: string) => refusedPaths.some((path) => nearest(path, [key]) !== null),
  });
  checkScaling(checked, refuse);
  checkListeners(checked, refuse);
  checkRoutes(checked, refuse);
  checkPages(checked.errors, 'errors', refuse);
  checkLog(checked.log, refuse);
  checkMatches(checked, refuse, refuse.isFaulty);
  checkPools(checked, refuse);
  return problems;
}

/** `a.b[0].c` → itself, `a.b[0]`, `a.b`, `a`. */
function pathsAround(path: string): string[] {
  const paths: string[] = [];
  for (let at = path; at !== ''; at = parentOf(at)) paths.push(at);
  return paths;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('.'), path.lastIndexOf('[')));
}

/** The place of a path, or of the nearest thing around it that was written. */
export function placeOf(path: string, positions: ReadonlyMap<string, Position>): Position {
  for (const at of pathsAround(path)) {
    const place = positions.get(at);
    if (place !== undefined) return place;
  }
  return positions.get('') ?? { line: 1, column: 1 };
}

/** What would be accepted and do nothing. */
function checkScaling({ scaling, history }: Checked, refuse: Refuse): void {
  if (scaling === undefined) return;
  if (scaling.webhook === undefined && scaling.command === undefined) {
    refuse('scaling', 'must have a webhook or a command', 'found neither');
  }
  if (history?.enabled === false) {
    refuse('scaling', 'must stand beside a history, which it is made of', 'found history: false');
  }
}

function checkListeners(checked: Checked, refuse: Refuse): void {
  const listeners = checked.listeners ?? [];
  const paths = listeners.map((_, index) => `listeners[${index}]`);
  refuseRepeated(
    listeners.map((listener) => listener.name),
    paths.map((path) => `${path}.name`),
    refuse,
  );
  const bound: { bind: ListenAddress; path: string }[] = [];
  for (const [index, listener] of listeners.entries()) {
    const path = `listeners[${index}]`;
    checkListenerPool(listener, path, checked, refuse);
    const bind = listener.address === undefined ? null : parseListenAddress(listener.address);
    if (bind === null) continue;
    const other = bound.find((earlier) => doCollide(earlier.bind, bind));
    if (other !== undefined) {
      const requirement = 'must be an address that no other listener takes';
      const found = `found ${shown(listener.address)}, which ${other.path} takes`;
      refuse(`${path}.address`, requirement, found);
    }
    bound.push({ bind, path });
  }
  const admin = checked.admin?.address;
  const adminBind = admin === undefined ? null : parseListenAddress(admin);
  const taken = adminBind && bound.find((listener) => doCollide(listener.bind, adminBind));
  if (taken) {
    const found = `found ${shown(admin)}, which ${taken.path} takes`;
    refuse('admin.address', 'must be an address that no listener takes', found);
  }
}

function checkListenerPool(
  listener: CheckedListener,
  path: string,
  checked: Checked,
  refuse: Refuse,
): void {
  const { protocol = 'http', pool } = listener;
  checkPoolName(pool, `${path}.pool`, checked, refuse);
  if (refuse.isFaulty(path)) return;
  if (protocol === 'tcp' && pool === undefined) {
    const only = checked.pools?.size === 1 ? [...checked.pools.keys()][0] : undefined;
    const hint = only === undefined ? null : `pool: ${only}`;
    refuse(`${path}.pool`, 'must be given for a tcp listener', 'found nothing', hint);
  }
  if (protocol === 'http' && pool !== undefined) {
    const requirement = 'must be left out for an http listener, whose requests go by routes';
    refuse(`${path}.pool`, requirement, `found ${shown(pool)}`, 'protocol: tcp');
  }
}

function refuseRepeated(
  values: readonly (string | undefined)[],
  paths: readonly string[],
  refuse: Refuse,
): void {
  const first = new Map<string, string>();
  for (const [index, value] of values.entries()) {
    const path = paths[index];
    if (value === undefined || path === undefined) continue;
    const earlier = first.get(value);
    if (earlier === undefined) first.set(value, path);
    else refuse(path, 'must be unique', `found ${shown(value)}, which ${earlier} has too`);
  }
}

function checkRoutes(checked: Checked, refuse: Refuse): void {
  const routes = checked.routes ?? [];
  const paths = routes.map((_, index) => `routes[${index}]`);
  refuseRepeated(
    routes.map((route) => route.name),
    paths.map((path) => `${path}.name`),
    refuse,
  );
  for (const [index, route] of routes.entries()) {
    const path = `routes[${index}]`;
    for (const [at, name] of (route.listeners ?? []).entries()) {
      checkListenerName(name, `${path}.listeners[${at}]`, checked, refuse);
    }
    checkRetry(route.retry, `${path}.retry`, refuse);
    checkActions(route, path, checked, refuse);
    checkSubset(route, path, checked, refuse);
  }
  // Routes that are wrong as a whole, or whose key is misspelt, were refused already.
  if (refuse.isFaulty('routes') || refuse.isMisspelt('routes')) return;
  const hasHttp = (checked.listeners ?? []).some((one) => (one.protocol ?? 'http') === 'http');
  const poolCount = checked.pools?.size ?? 0;
  if (hasHttp && routes.length === 0 && poolCount > 1) {
    const names = someOf([...(checked.pools?.keys() ?? [])]);
    const requirement = `must say which pool takes http requests, as there are several (${names})`;
    refuse('routes', requirement, 'found no routes');
  }
}

function checkListenerName(name: string, path: string, checked: Checked, refuse: Refuse): void {
  const listeners = checked.listeners ?? [];
  const listener = listeners.find((one) => one.name === name);
  if (listener === undefined) {
    const names = listeners.flatMap((one) => (one.name === undefined ? [] : [one.name]));
    const known = names.length === 0 ? 'none has a name' : someOf(names);
    const requirement = `must be the name of a listener (${known})`;
    refuse(path, requirement, `found ${shown(name)}`, nearest(name, names));
  } else if (listener.protocol === 'tcp') {
    refuse(path, 'must be an http listener', `found ${shown(name)}, which is a tcp listener`);
  }
}

function checkPools(checked: Checked, refuse: Refuse): void {
  let serverCount = 0;
  for (const [name, pool] of checked.pools ?? []) {
    const path = keyPath('pools', name);
    const servers = pool.servers ?? [];
    serverCount += servers.length;
    const identities = servers.map(({ address }) => identityOf(address));
    refuseRepeated(
      identities,
      servers.map((_, index) => `${path}.servers[${index}].address`),
      refuse,
    );
    checkProbes(pool, path, refuse);
    checkRetry(pool.retry, `${path}.retry`, refuse);
    checkBalancing(name, pool, path, checked, refuse);
    checkSources(pool, path, refuse);
  }
  if (serverCount > limits.serverSlots) {
    const requirement = `must have at most ${limits.serverSlots} servers in all pools together`;
    refuse('pools', requirement, `found ${serverCount}`);
  }
}

function identityOf(written: string | undefined): string | undefined {
  const address: ServerAddress | null = written === undefined ? null : parseServerAddress(written);
  if (address === null) return undefined;
  return address.kind === 'unix' ? `unix:${address.path}` : hostPort(address.host, address.port);
}

function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function checkRetry(retry: CheckedRetry | undefined, path: string, refuse: Refuse): void {
  const { perTry, total, backoff } = retry ?? {};
  if (perTry !== undefined && total !== undefined && perTry > total) {
    refuse(`${path}.perTry`, `must be at most total (${total}ms)`, `found ${perTry}ms`);
  }
  const { base, max } = backoff ?? {};
  if (base !== undefined && max !== undefined && base > max) {
    refuse(`${path}.backoff.base`, `must be at most max (${max}ms)`, `found ${base}ms`);
  }
}

function checkSources(pool: CheckedPool, path: string, refuse: Refuse): void {
  for (const [index, source] of (pool.discover ?? []).entries()) {
    const at = `${path}.discover[${index}]`;
    checkDiscovery(source, at, refuse.isFaulty(at), refuse);
  }
  if (pool.servers !== undefined || pool.discover !== undefined || refuse.isFaulty(path)) return;
  const requirement = 'must be given where there is no discover: a list of servers';
  refuse(`${path}.servers`, requirement, 'found nothing');
}
