import { readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { policies } from '../../balance/policies.ts';
import { loadConfig } from '../../control/config/load.ts';
import { formatProblem } from '../../control/config/problem.ts';
import { localConfigFiles } from '../../platform/config-files.ts';
import type { OwnPool } from '../../simulate/read-scenario.ts';
import { configOfPool, readScenario } from '../../simulate/read-scenario.ts';
import { simulationSvg } from '../../simulate/report-svg.ts';
import { simulationText } from '../../simulate/report-table.ts';
import { type RunResult, runScenario } from '../../simulate/run.ts';
import type { Scenario } from '../../simulate/scenario.ts';
import { nearest } from '../arguments.ts';
import type { Command, OptionValues } from '../command.ts';
import { CommandError, jsonOption, textOf } from '../command.ts';

const fileBytesMax = 1_048_576;
/** Beside `src/` in a checkout and beside `dist/` in the package. */
const shipped: string = join(
  dirname(fileURLToPath(import.meta.url)),
  '../../../examples/scenarios',
);

/** `evenkeel simulate`. */
export const simulate: Command = {
  name: 'simulate',
  summary:
    'Runs the balancer itself on simulated time, network, servers and clients, and compares policies.',
  usage: 'SCENARIO|FILE [-c FILE --pool NAME]',
  options: {
    policy: { type: 'string', value: 'A,B', says: 'policies to compare; default: the scenario’s' },
    config: { type: 'string', short: 'c', value: 'FILE', says: 'take the pool from here' },
    pool: { type: 'string', value: 'NAME', says: 'which pool; default: the only one' },
    seed: { type: 'string', value: 'N', says: 'equal seeds give equal runs; default 1' },
    svg: { type: 'string', value: 'FILE', says: 'write a plot' },
    ...jsonOption,
  },
  positionals: [0, 1],
  examples: [
    'evenkeel simulate',
    'evenkeel simulate slow-server --policy round-robin,p2c',
    'evenkeel simulate slow-server -c evenkeel.yaml --pool web --svg plot.svg',
  ],
  run: async ({ values, positionals, out, err }) => {
    const [name] = positionals;
    if (name === undefined) {
      out(await listText());
      return 0;
    }
    const seed = seedOf(values);
    const scenario = await scenarioOf(name, values, err);
    if (scenario === null) return 1;
    const results = policiesOf(scenario, values).map((policy) =>
      runScenario(scenario, policy, seed),
    );
    const plot = textOf(values, 'svg');
    if (plot !== undefined) await write(plot, simulationSvg(scenario, seed, results));
    if (values['json'] === true) out(jsonText(scenario, seed, results));
    else out(simulationText(scenario, seed, results));
    return results.some(({ violationCount }) => violationCount > 0) ? 1 : 0;
  },
};

async function scenarioOf(
  name: string,
  values: OptionValues,
  err: (text: string) => void,
): Promise<Scenario | null> {
  const own = await ownPool(values, err);
  if (own === 'refused') return null;
  const isFile = /[./]/.test(name);
  const path = isFile ? name : join(shipped, `${name}.yaml`);
  const file = await localConfigFiles.read(path, fileBytesMax);
  if (!file.ok) {
    if (isFile) throw new CommandError(`Cannot read the scenario ${name}: ${file.found}`);
    const names = await shippedNames();
    const near = nearest(name, names);
    const hint = near === null ? `one of ${names.join(', ')}, or a file` : `did you mean ${near}?`;
    throw new CommandError(`Cannot find the scenario ${name}: ${hint}`);
  }
  const read = readScenario(
    isFile ? name : `${name}.yaml`,
    new TextDecoder().decode(file.bytes),
    own,
  );
  if (read.ok) return read.scenario;
  err(read.problems.map((problem) => `${formatProblem(problem)}\n`).join(''));
  return null;
}

async function ownPool(
  values: OptionValues,
  err: (text: string) => void,
): Promise<OwnPool | null | 'refused'> {
  const path = textOf(values, 'config');
  const name = textOf(values, 'pool');
  if (path === undefined) {
    if (name === undefined) return null;
    throw new CommandError('Cannot use --pool as -c FILE is required with it');
  }
  const loaded = await loadConfig({ kind: 'file', path });
  if (!loaded.ok) {
    err(loaded.problems.map((problem) => `${formatProblem(problem)}\n`).join(''));
    return 'refused';
  }
  const { pools } = loaded.config;
  const names = pools.map((pool) => pool.name);
  if (name === undefined && pools.length > 1) {
    throw new CommandError(
      `Cannot choose a pool as ${path} has several: ${names.join(', ')}; name one with --pool`,
    );
  }
  const pool = name === undefined ? pools[0] : pools.find((one) => one.name === name);
  if (pool === undefined || pool.servers.length === 0) {
    const found = pool === undefined ? `${path} has ${names.join(', ')}` : 'it has no servers';
    throw new CommandError(`Cannot simulate the pool ${name}: ${found}`);
  }
  return { config: configOfPool(loaded.config, pool), pool };
}

function policiesOf(scenario: Scenario, values: OptionValues): readonly (string | null)[] {
  const text = textOf(values, 'policy');
  const wanted = text === undefined ? scenario.policies : text.split(',');
  const known = Object.keys(policies);
  for (const name of wanted) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    const hint = near === null ? '' : ` (did you mean ${near}?)`;
    throw new CommandError(
      `Cannot simulate a policy as one of ${known.join(', ')} is required: current value is ${name}${hint}`,
    );
  }
  return wanted.length === 0 ? [null] : wanted;
}

function seedOf(values: OptionValues): number {
  const text = textOf(values, 'seed') ?? '1';
  const seed = Number(text);
  if (/^\d{1,9}$/.test(text)) return seed;
  throw new CommandError(
    `Cannot use --seed as a whole number from 0 to 999999999 is required: current value is ${text}`,
  );
}

async function write(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (error) {
    throw new CommandError(`Cannot write ${path}: ${error instanceof Error ? error.message : ''}`);
  }
}

async function shippedNames(): Promise<string[]> {
  const files = await readdir(shipped);
  return files
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -5))
    .sort();
}

async function listText(): Promise<string> {
  const lines: string[] = [];
  for (const name of await shippedNames()) {
    const file = await localConfigFiles.read(join(shipped, `${name}.yaml`), fileBytesMax);
    const text = file.ok ? new TextDecoder().decode(file.bytes) : '';
    lines.push(`  ${name.padEnd(20)}  ${/^says: (.*)$/m.exec(text)?.[1] ?? ''}`);
  }
  return `Scenarios:\n\n${lines.join('\n')}\n\nevenkeel simulate NAME runs one; a path runs a file of yours.\n`;
}

function jsonText(scenario: Scenario, seed: number, results: readonly RunResult[]): string {
  const { name, says, durationUs } = scenario;
  return `${JSON.stringify({ scenario: name, says, durationUs, seed, results }, null, 2)}\n`;
}
