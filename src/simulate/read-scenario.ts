import { checkShape } from '../control/config/check.ts';
import type { Config, ConfigPool } from '../control/config/config.ts';
import { configFromTree } from '../control/config/load.ts';
import type { ConfigProblem, PlacedProblem, Position } from '../control/config/problem.ts';
import { finishProblems } from '../control/config/problem.ts';
import type { SourceEntry, SourceNode } from '../control/config/source-tree.ts';
import { treeOfPlain } from '../control/config/source-tree.ts';
import { readYaml } from '../control/config/yaml-source.ts';
import { limits } from '../model/limits.ts';
import { buildClients, buildPlans } from './build-plans.ts';
import type { CheckedScenario, CheckedServers } from './checked-scenario.ts';
import { buildEvents } from './planned-events.ts';
import type { Scenario } from './scenario.ts';
import { scenarioShape } from './scenario-shape.ts';

/** A scenario that can run, or everything that is wrong with its file. */
export type ScenarioResult =
  | { readonly ok: true; readonly scenario: Scenario }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** The user's own pool in place of the scenario's. */
export interface OwnPool {
  readonly config: Config;
  readonly pool: ConfigPool;
}

/** Name of the pool where the scenario brings it. */
const POOL = 'simulated';

/**
 * Reads and checks a scenario. The part `pool` has the keys of a pool in the configuration and is
 * checked by the same code. Errors: never throws for what the text says.
 *
 * With `own`, its servers, policy, probe and limits take the place of the scenario's; the servers'
 * behaviour is the scenario's, in order, the last one standing for all that follow.
 */
export function readScenario(file: string, text: string, own: OwnPool | null): ScenarioResult {
  const { node, problems } = readYaml(text);
  if (node === null) return refused(file, problems);
  const poolEntry = node.kind === 'map' ? entryOf(node, 'pool') : undefined;
  const { value, problems: faults } = checkShape(scenarioShape, withoutPool(node));
  const all = [...problems, ...faults];
  if (value === undefined || all.length > 0) return refused(file, all);
  const checked = value as CheckedScenario;
  const groups = (checked.servers ?? []).flatMap((group) =>
    Array.from({ length: group.count ?? 1 }, () => group),
  );
  if (groups.length > limits.serverSlots) {
    const requirement = `must be at most ${limits.serverSlots} servers in all`;
    return refused(file, [fault(node.at, 'servers', requirement, `found ${groups.length}`)]);
  }
  const base = own === null ? poolOf(file, poolEntry, groups) : { ok: true as const, ...own };
  if (!base.ok) return base;
  const plans = buildPlans(groups, base.pool);
  const events = buildEvents(checked.events ?? [], plans);
  if (!events.ok) {
    return refused(
      file,
      events.faults.map(({ index, requirement, found }) =>
        fault(placeOfEvent(node, index), `events[${index}]`, requirement, found),
      ),
    );
  }
  return {
    ok: true,
    scenario: {
      name: file.replace(/^.*\//, '').replace(/\.ya?ml$/, ''),
      says: checked.says ?? '',
      durationUs: checked.duration ?? 0,
      warmUpUs: checked.warmUp ?? 0,
      workers: checked.workers ?? 2,
      policies: checked.policies ?? [],
      config: base.config,
      pool: base.pool,
      servers: plans,
      delayUs: checked.delay ?? 200,
      clients: buildClients(checked.clients ?? {}),
      events: events.planned,
    },
  };
}

/**
 * A configuration with nothing but this pool, as a simulated balancer has it. Errors: throws for
 * nothing that the pool of a checked configuration can say.
 */
export function configOfPool(own: Config, pool: ConfigPool): Config {
  const plain = { listeners: [{ name: 'web', address: ':80' }], pools: { [pool.name]: [] } };
  const loaded = configFromTree(
    'simulation',
    treeOfPlain(plain, () => ({ line: 1, column: 1 })),
  );
  if (!loaded.ok) throw new Error('a pool without servers is a configuration');
  const { listeners, routes, log } = loaded.config;
  // Nobody reads the access log of a simulation.
  return { ...own, listeners, routes, log, pools: [pool] };
}

type PoolResult =
  | { readonly ok: true; readonly config: Config; readonly pool: ConfigPool }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** The scenario's own pool: its keys as they were written, and servers made of the groups. */
function poolOf(
  file: string,
  entry: SourceEntry | undefined,
  groups: readonly CheckedServers[],
): PoolResult {
  const at = entry?.value.at ?? { line: 1, column: 1 };
  const plain = (value: unknown): SourceNode => treeOfPlain(value, () => at);
  const servers = groups.map((group, index) => ({
    address: `server-${index + 1}:80`,
    weight: group.weight ?? 1,
    maxConnections: group.maxConnections ?? 0,
    labels: group.zone === undefined ? {} : { zone: group.zone },
  }));
  const own = entry?.value.kind === 'map' ? entry.value.entries : [];
  const pool: SourceNode = {
    kind: 'map',
    at,
    entries: [...own, { key: 'servers', keyAt: at, value: plain(servers) }],
  };
  const pools: SourceNode = { kind: 'map', at, entries: [{ key: POOL, keyAt: at, value: pool }] };
  const whole: SourceNode = {
    kind: 'map',
    at,
    entries: [
      { key: 'listeners', keyAt: at, value: plain([{ name: 'web', address: ':80' }]) },
      { key: 'log', keyAt: at, value: plain('off') },
      { key: 'pools', keyAt: at, value: pools },
    ],
  };
  const loaded = configFromTree(file, whole);
  if (loaded.ok) return { ok: true, config: loaded.config, pool: loaded.config.pools[0]! };
  const problems = loaded.problems.map((problem) => ({
    ...problem,
    path: problem.path.replace(`pools.${POOL}`, 'pool'),
  }));
  return { ok: false, problems };
}

function entryOf(node: SourceNode, name: string): SourceEntry | undefined {
  return node.kind === 'map' ? node.entries.find(({ key }) => key === name) : undefined;
}

function withoutPool(node: SourceNode): SourceNode {
  if (node.kind !== 'map') return node;
  return { ...node, entries: node.entries.filter(({ key }) => key !== 'pool') };
}

function placeOfEvent(node: SourceNode, index: number): Position {
  const events = entryOf(node, 'events')?.value;
  return (events?.kind === 'list' ? events.items[index]?.at : undefined) ?? node.at;
}

function fault(at: Position, path: string, requirement: string, found: string): PlacedProblem {
  return { ...at, path, requirement, found, suggestion: null };
}

function refused(file: string, problems: readonly PlacedProblem[]): { ok: false } & PoolProblems {
  return { ok: false, problems: finishProblems(file, problems) };
}

interface PoolProblems {
  readonly problems: readonly ConfigProblem[];
}
