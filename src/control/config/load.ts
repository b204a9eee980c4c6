import type { ConfigFiles } from '../../platform/config-files.ts';
import { localConfigFiles } from '../../platform/config-files.ts';
import { attachBodies } from './attach-bodies.ts';
import { attachFiles } from './attach-files.ts';
import { attachHooks } from './attach-hooks.ts';
import { attachPolicies } from './attach-policies.ts';
import { buildConfig, buildServer } from './build.ts';
import type { CheckResult } from './check.ts';
import { checkShape } from './check.ts';
import type { Checked, CheckedServer } from './checked.ts';
import type { Config, ConfigServer } from './config.ts';
import { readJson } from './json-source.ts';
import { sourceLocator } from './module-source.ts';
import type { ConfigProblem, PlacedProblem, Position } from './problem.ts';
import { finishProblems } from './problem.ts';
import { checkReferences, placeOf } from './references.ts';
import { configuration } from './registry.ts';
import { server, serverList } from './registry-pool.ts';
import type { SourceNode } from './source-tree.ts';
import { TreeTooLargeError, treeOfPlain } from './source-tree.ts';
import { type ConfigWarning, configWarnings } from './warnings.ts';
import type { ReadSource } from './yaml-source.ts';
import { readYaml } from './yaml-source.ts';

/** A configuration that may be used, or everything that is wrong with it, sorted by place. */
export type LoadResult =
  | { readonly ok: true; readonly config: Config; readonly text: string }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

type Refused = Extract<LoadResult, { ok: false }>;

/** Where a configuration comes from: a file, or a text with the name of its file. */
export type ConfigSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'text'; readonly name: string; readonly text: string };

/** Names that are looked for in the working directory, in this order. */
export const configFileNames: readonly string[] = [
  'evenkeel.yaml',
  'evenkeel.yml',
  'evenkeel.json',
  'evenkeel.config.ts',
  'evenkeel.config.mts',
  'evenkeel.config.js',
  'evenkeel.config.mjs',
];

/** Largest configuration file: 10,000 servers with labels and 1,000 routes take a quarter of it. */
const fileBytesMax = 4_194_304;

/**
 * Reads and checks a configuration. The format follows the name: `.json`, `.ts .mts .js .mjs .cts
 * .cjs` (default export, evaluated in a thread of its own), else YAML. Errors: never throws for what
 * the file is or says; every fault is in `problems`. Texts given directly cannot be modules.
 *
 * @example
 * const result = await loadConfig({ kind: 'file', path: 'evenkeel.yaml' });
 * if (!result.ok) for (const problem of result.problems) console.error(formatProblem(problem));
 */
export async function loadConfig(
  source: ConfigSource,
  files: ConfigFiles = localConfigFiles,
): Promise<LoadResult> {
  return settled(await readSource(source, files));
}

/** The same with what is allowed but surprising. Cost: quadratic in routes, so not for reloads. */
export async function checkConfig(
  source: ConfigSource,
  files: ConfigFiles = localConfigFiles,
): Promise<LoadResult & { readonly warnings: readonly ConfigWarning[] }> {
  const read = await readSource(source, files);
  const warnings = read.ok ? configWarnings(read.config, read.positions) : [];
  return { ...settled(read), warnings };
}

async function readSource(source: ConfigSource, files: ConfigFiles): Promise<Read> {
  if (source.kind === 'text') {
    return await withFiles(source.name, loadText(source.name, source.text), files);
  }
  const { path } = source;
  const file = await files.read(path, fileBytesMax);
  if (!file.ok) {
    const requirement = 'must be a readable file of at most 4 MiB';
    return refusedWhole(path, requirement, file.found);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(file.bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return refusedWhole(path, 'must be a text in UTF-8', 'found other bytes');
  }
  const loaded = isModule(path) ? await loadModule(path, text, files) : loadText(path, text);
  return await withFiles(path, loaded, files);
}

/** The first of `configFileNames` in a directory, or null. */
export async function findConfigFile(
  directory: string,
  files: ConfigFiles = localConfigFiles,
): Promise<string | null> {
  for (const name of configFileNames) {
    const path = directory === '.' || directory === '' ? name : `${directory}/${name}`;
    if (await files.exists(path)) return path;
  }
  return null;
}

/**
 * Checks plain data as if it had been read from `file`; `locate` gives places, or line 0 where there
 * are none. Used for modules, flags and tests.
 */
export function configFromPlain(
  file: string,
  plain: unknown,
  locate: (path: string) => { line: number; column: number },
): LoadResult {
  try {
    return settled(finish(file, { node: treeOfPlain(plain, locate), problems: [] }, ''));
  } catch (error) {
    return settled(tooLarge(file, error));
  }
}

/** Checks a tree that was read already: that of another file which has a configuration in it. */
export function configFromTree(file: string, node: SourceNode): LoadResult {
  return finish(file, { node, problems: [] }, '');
}

/** One server as the admin API gives it (`"10.0.0.1:80"` or a map), or what is wrong with it. */
export function checkServer(
  plain: unknown,
): { ok: true; server: ConfigServer } | { ok: false; problems: readonly ConfigProblem[] } {
  const node = treeOfPlain(plain, () => ({ line: 0, column: 0 }));
  const { value, problems } = checkShape(server, node);
  if (problems.length > 0) return { ok: false, problems: finishProblems('request', problems) };
  return { ok: true, server: buildServer(value as CheckedServer) };
}

/** A list of servers in a text of its own, or what is wrong with it. */
export type ServerListResult =
  | { readonly ok: true; readonly servers: readonly ConfigServer[] }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/**
 * Reads a list of servers, written as `servers` of a pool or as a map with that key; JSON where the name ends
 * so, else YAML. Errors: as those of `loadConfig`, never thrown.
 */
export function readServerList(file: string, text: string): ServerListResult {
  const { node, problems } = file.endsWith('.json') ? readJson(text) : readYaml(text);
  if (node === null) return { ok: false, problems: finishProblems(file, problems) };
  const { value, problems: faults, positions } = checkShape(serverList, node);
  const servers = (value as { servers?: readonly CheckedServer[] } | undefined)?.servers ?? [];
  const all = [...problems, ...faults];
  const seen = new Set<string>();
  for (const [index, { address }] of servers.entries()) {
    const path = `servers[${index}].address`;
    const place = positions.get(path) ?? { line: 1, column: 1 };
    const requirement = 'must be unique';
    if (address !== undefined && seen.has(address)) {
      all.push({
        ...place,
        path,
        requirement,
        found: `found '${address}' twice`,
        suggestion: null,
      });
    }
    seen.add(address ?? '');
  }
  if (all.length > 0) return { ok: false, problems: finishProblems(file, all) };
  return { ok: true, servers: servers.map(buildServer) };
}

function isModule(path: string): boolean {
  return /\.[cm]?[jt]s$/.test(path);
}

/** What a file alone says: its configuration and where each part stands. */
type Read =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly text: string;
      readonly positions: ReadonlyMap<string, Position>;
    }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** Adds what the files say that it names. */
async function withFiles(file: string, read: Read, files: ConfigFiles): Promise<Read> {
  if (!read.ok) return read;
  const lists = await attachFiles(read.config, files);
  const bodies = await attachBodies(lists.config, files);
  const policies = await attachPolicies(bodies.config, file, files);
  const { config, faults: more } = await attachHooks(file, policies.config);
  const faults = [...lists.faults, ...bodies.faults, ...policies.faults, ...more];
  if (faults.length === 0) return { ...read, config };
  const placed = faults.map((fault) => ({ ...fault, ...placeOf(fault.path, read.positions) }));
  return { ok: false, problems: finishProblems(file, placed) };
}

function settled(read: Read): LoadResult {
  return read.ok ? { ok: true, config: read.config, text: read.text } : read;
}

function loadText(file: string, text: string): Read {
  const read = file.endsWith('.json') ? readJson(text) : readYaml(text);
  return finish(file, read, text);
}

async function loadModule(path: string, text: string, files: ConfigFiles): Promise<Read> {
  // `define.ts` in a checkout, `define.js` in the package.
  const ending = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  const result = await files.evaluate(path, new URL(`./define${ending}`, import.meta.url));
  const locate = sourceLocator(text);
  if (!result.ok) {
    const requirement = 'must export plain data as its default';
    const at = result.at ?? locate(result.path ?? '');
    const where = result.path || 'file';
    return refused(path, {
      ...at,
      path: where,
      requirement,
      found: result.found,
      suggestion: null,
    });
  }
  try {
    const node = treeOfPlain(result.value, locate);
    return finish(path, { node, problems: [] }, text);
  } catch (error) {
    return tooLarge(path, error);
  }
}

function tooLarge(file: string, error: unknown): Read {
  if (!(error instanceof TreeTooLargeError)) throw error;
  const requirement = 'must be data of a usual size';
  return refusedWhole(file, requirement, 'found more, by nesting or by circles');
}

function finish(file: string, { node, problems }: ReadSource, text: string): Read {
  if (node === null) return { ok: false, problems: finishProblems(file, problems) };
  if (node.kind === 'scalar' && node.value === null) {
    return refusedWhole(file, 'must be a map with listeners and pools', 'found an empty file');
  }
  const { checked, faults, positions } = checkTree(node);
  const all = [...problems, ...faults];
  if (all.length > 0) return { ok: false, problems: finishProblems(file, all) };
  return { ok: true, config: buildConfig(checked), text, positions };
}

function checkTree(node: SourceNode): {
  checked: Checked;
  faults: PlacedProblem[];
  positions: CheckResult['positions'];
} {
  const { value, problems, positions }: CheckResult = checkShape(configuration, node);
  // The registry gives exactly this type; a test compares the field names.
  const checked = (value ?? {}) as Checked;
  const refusedPaths = problems.map(({ path }) => path);
  const faults = [...problems, ...checkReferences(checked, positions, refusedPaths)];
  return { checked, faults, positions };
}

function refusedWhole(file: string, requirement: string, found: string): Refused {
  return refused(file, { line: 1, column: 1, path: 'file', requirement, found, suggestion: null });
}

function refused(file: string, problem: PlacedProblem): Refused {
  return { ok: false, problems: finishProblems(file, [problem]) };
}
