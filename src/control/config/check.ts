import type { FormResult } from './forms.ts';
import type { PlacedProblem, Position } from './problem.ts';
import { shown } from './problem.ts';
import type { ListShape, MapShape, RecordShape, Shape } from './shape.ts';
import { saysOf } from './shape.ts';
import type { SourceEntry, SourceNode } from './source-tree.ts';
import { itemPath, keyPath } from './source-tree.ts';
import { nearest } from './suggest.ts';

/** What checking a tree against a shape gives. */
export interface CheckResult {
  /** Read values in long form; what was wrong is left out. Undefined when nothing was right. */
  readonly value: unknown;
  readonly problems: PlacedProblem[];
  /** Where the value of each path was written; short forms have the path of their long form too. */
  readonly positions: ReadonlyMap<string, Position>;
}

/** Longest text that is looked at; only `body` of a fixed answer may be longer. */
const textLengthMax = 65_536;

interface Run {
  readonly problems: PlacedProblem[];
  readonly positions: Map<string, Position>;
}

/** A value that was refused; the reason is among the problems. */
const refused = Symbol('refused');

/** Checks every node of a tree, going on after each fault. Cost: linear in nodes. */
export function checkShape(shape: Shape, node: SourceNode): CheckResult {
  const run: Run = { problems: [], positions: new Map() };
  const value = check(shape, node, '', run);
  return { ...run, value: value === refused ? undefined : value };
}

function check(shape: Shape, node: SourceNode, path: string, run: Run): unknown {
  run.positions.set(path, node.at);
  switch (shape.kind) {
    case 'record':
      return checkRecord(shape, node, path, run);
    case 'map':
      return checkMap(shape, node, path, run);
    case 'list':
      return checkList(shape, node, path, run);
    default:
      return checkScalar(shape, node, path, run);
  }
}

function refuse(
  run: Run,
  at: Position,
  path: string,
  what: { requirement: string; found: string; suggestion?: string | null },
): typeof refused {
  const { requirement, found, suggestion = null } = what;
  const { line, column } = at;
  run.problems.push({ line, column, path: path || 'file', requirement, found, suggestion });
  return refused;
}

function mismatch(shape: Shape, node: SourceNode, path: string, run: Run): typeof refused {
  const found = `found ${foundIn(node)}`;
  return refuse(run, node.at, path, { requirement: `must be ${saysOf(shape)}`, found });
}

function foundIn(node: SourceNode): string {
  if (node.kind === 'list') return node.items.length === 0 ? 'an empty list' : 'a list';
  if (node.kind === 'map') return node.entries.length === 0 ? 'an empty map' : 'a map of keys';
  return shown(node.value);
}

function checkRecord(shape: RecordShape, node: SourceNode, path: string, run: Run): unknown {
  if (node.kind !== 'map') return checkShortForm(shape, node, path, run);
  const out: Record<string, unknown> = {};
  for (const entry of node.entries) {
    const known = Object.hasOwn(shape.keys, entry.key) ? shape.keys[entry.key] : undefined;
    const innerPath = keyPath(path, entry.key);
    if (known === undefined) {
      refuseKey(shape, entry, innerPath, run);
      continue;
    }
    const value = check(known.shape, entry.value, innerPath, run);
    if (value !== refused) out[entry.key] = value;
  }
  for (const [name, known] of Object.entries(shape.keys)) {
    if (!known.isRequired || node.entries.some((entry) => entry.key === name)) continue;
    // A misspelt key was refused already; that it is missing as well would be the same fault twice.
    const isMisspelt = node.entries.some(
      (entry) => !Object.hasOwn(shape.keys, entry.key) && nearest(entry.key, [name]) !== null,
    );
    if (isMisspelt) continue;
    const requirement = `must be given: ${saysOf(known.shape)}`;
    refuse(run, node.at, keyPath(path, name), { requirement, found: 'found nothing' });
  }
  return out;
}

function checkShortForm(shape: RecordShape, node: SourceNode, path: string, run: Run): unknown {
  const short = shape.short === null ? undefined : shape.keys[shape.short];
  const isNothing = node.kind === 'scalar' && node.value === null;
  const isList = node.kind === 'list';
  if (short === undefined || shape.short === null || isNothing) {
    return mismatch(shape, node, path, run);
  }
  if (isList && short.shape.kind !== 'list') return mismatch(shape, node, path, run);
  if (!isList && short.shape.kind === 'list' && !short.shape.mayBeLone) {
    return mismatch(shape, node, path, run);
  }
  run.positions.set(keyPath(path, shape.short), node.at);
  const value = check(short.shape, node, path, run);
  return value === refused ? refused : { [shape.short]: value };
}

function refuseKey(shape: RecordShape, entry: SourceEntry, path: string, run: Run): void {
  const known = Object.keys(shape.keys);
  const requirement = `must be a key of ${withArticle(shape.name)} (${known.join(', ')})`;
  const found = `found ${shown(entry.key)}`;
  if (shape.later.includes(entry.key)) {
    refuse(run, entry.keyAt, path, {
      requirement,
      found: `${found}, which is not in this version`,
    });
    return;
  }
  const suggestion = nearest(entry.key, known);
  refuse(run, entry.keyAt, path, { requirement, found, suggestion });
}

function withArticle(name: string): string {
  if (/s$|^(retry|reuse|respond|log|match|admin)$/.test(name)) return `'${name}'`;
  return name === 'configuration' ? 'the configuration' : `a ${name}`;
}

function checkMap(shape: MapShape, node: SourceNode, path: string, run: Run): unknown {
  if (node.kind !== 'map') return mismatch(shape, node, path, run);
  const out = new Map<string, unknown>();
  for (const entry of node.entries) {
    const innerPath = keyPath(path, entry.key);
    const read = shape.key.read(entry.key);
    if (!('value' in read)) {
      const requirement = `must be ${shape.key.says}`;
      const found = `found ${shown(entry.key)}`;
      const { suggestion } = read;
      refuse(run, entry.keyAt, innerPath, { requirement, found, suggestion });
    }
    const value = check(shape.of, entry.value, innerPath, run);
    // Wrong values keep their name, so that references to them are not reported as well.
    out.set(entry.key, value === refused ? {} : value);
  }
  checkLength(shape, node.entries.length, node, path, run);
  return out;
}

function checkList(shape: ListShape, node: SourceNode, path: string, run: Run): unknown {
  if (node.kind !== 'list') {
    const isNothing = node.kind === 'scalar' && node.value === null;
    if (!shape.mayBeLone || isNothing) return mismatch(shape, node, path, run);
    const lone = check(shape.of, node, path, run);
    run.positions.set(itemPath(path, 0), node.at);
    return lone === refused ? refused : [lone];
  }
  // Wrong records stay as empty ones: an item keeps its index, and with it its path.
  const stays = shape.of.kind === 'record';
  const out = node.items
    .map((item, index) => check(shape.of, item, itemPath(path, index), run))
    .map((value) => (value === refused && stays ? {} : value));
  checkLength(shape, node.items.length, node, path, run);
  return out.filter((value) => value !== refused);
}

function checkLength(
  shape: ListShape | MapShape,
  length: number,
  node: SourceNode,
  path: string,
  run: Run,
): void {
  if (length >= shape.least && length <= shape.most) return;
  const requirement = `must have from ${shape.least} to ${shape.most} entries`;
  refuse(run, node.at, path, {
    requirement,
    found: length === 0 ? 'found none' : `found ${length}`,
  });
}

type ScalarShape = Exclude<Shape, { kind: 'record' | 'map' | 'list' }>;

function checkScalar(shape: ScalarShape, node: SourceNode, path: string, run: Run): unknown {
  if (node.kind !== 'scalar' || node.value === null) return mismatch(shape, node, path, run);
  const read = readScalar(shape, node.value);
  if ('value' in read) return read.value;
  const isSecret = shape.kind === 'text' && shape.form.isSecret === true;
  const isLater = shape.kind === 'choice' && shape.later.includes(String(node.value));
  const suffix = isLater ? ', which is not in this version' : '';
  const found = isSecret
    ? 'found something else (not shown)'
    : `found ${shown(node.value)}${suffix}`;
  const requirement = read.requirement ?? `must be ${saysOf(shape)}`;
  return refuse(run, node.at, path, { requirement, found, suggestion: read.suggestion });
}

function readScalar(shape: ScalarShape, value: string | number | boolean): FormResult {
  switch (shape.kind) {
    case 'flag': {
      if (typeof value === 'boolean') return { value };
      const isYes = /^(yes|on|true|1)$/i.test(String(value));
      const isNo = /^(no|off|false|0)$/i.test(String(value));
      return { suggestion: isYes ? 'true' : isNo ? 'false' : null };
    }
    case 'count': {
      const isRight = Number.isSafeInteger(value) && typeof value === 'number';
      if (isRight && value >= shape.least && value <= shape.most) return { value };
      // A number in quotes is text: show it without them.
      const isQuoted = typeof value === 'string' && /^\d{1,10}$/.test(value);
      const isNear = isQuoted && Number(value) >= shape.least && Number(value) <= shape.most;
      return { suggestion: isNear ? `${value} without quotes` : null };
    }
    case 'choice': {
      if (typeof value === 'string' && shape.words.includes(value)) return { value };
      const isLater = shape.later.includes(String(value));
      return { suggestion: isLater ? null : nearest(String(value), shape.words) };
    }
    case 'text':
      return readText(shape, value);
  }
}

function readText(
  { form }: { readonly form: import('./forms.ts').Form },
  value: string | number | boolean,
): FormResult {
  if (typeof value === 'string') {
    return value.length > textLengthMax ? { suggestion: null } : form.read(value);
  }
  const [least, most] = form.numbers ?? [1, 0];
  const isNumber = form.hasFractions ? typeof value === 'number' : Number.isInteger(value);
  if (isNumber && Number(value) >= least && Number(value) <= most) {
    return form.read(String(value));
  }
  if (typeof value === 'boolean' && form.hasFlags) return form.read(String(value));
  const asText = form.read(String(value));
  if ('value' in asText) return { suggestion: `"${value}"` };
  return { suggestion: asText.suggestion };
}
