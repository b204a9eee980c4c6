import type { Document, ErrorCode, Node, Pair, YAMLError } from 'yaml';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { PlacedProblem, Position } from './problem.ts';
import { shown } from './problem.ts';
import type { SourceEntry, SourceNode } from './source-tree.ts';
import { itemPath, keyPath, TreeTooLargeError, treeLimits } from './source-tree.ts';

/** What reading a text gives: a tree, and what was wrong; `node` is null where syntax is at fault. */
export interface ReadSource {
  readonly node: SourceNode | null;
  readonly problems: readonly PlacedProblem[];
}

/** Faults of syntax that are shown: later ones are mostly consequences of the first. */
const syntaxProblemsMax = 5;

/**
 * Reads YAML 1.2 (core schema; one document). Duplicate keys are refused, aliases are expanded within
 * `treeLimits`. Never throws for what the text says. Cost: linear; 4,096 servers take half a second, a
 * MiB of single letters several.
 */
export function readYaml(text: string): ReadSource {
  const lineCounter = new LineCounter();
  let document: Document.Parsed;
  try {
    document = parseDocument(text, {
      lineCounter,
      // Our walk finds duplicates, with their path and without comparing every pair.
      uniqueKeys: false,
      prettyErrors: false,
      // `silent` would also take a second document without a word.
      logLevel: 'error',
    });
  } catch (error) {
    // The parser recurses; so deep a nesting is no configuration.
    if (!(error instanceof RangeError)) throw error;
    return { node: null, problems: [tooLarge({ line: 1, column: 1 })] };
  }
  const place = (offset: number): Position => {
    const { line, col } = lineCounter.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const faults = onePerPlace([...document.errors, ...document.warnings]);
  if (faults.length > 0) {
    const problems = faults.slice(0, syntaxProblemsMax).map((fault) => syntaxProblem(fault, place));
    return { node: null, problems };
  }
  const walk = new Walk(place);
  try {
    return { node: walk.visit(document.contents, place(0), ''), problems: walk.problems };
  } catch (error) {
    if (!(error instanceof TreeTooLargeError)) throw error;
    return { node: null, problems: [...walk.problems, tooLarge(walk.lastAt)] };
  }
}

/** Unclosed brackets are reported once each, all at the same place. */
function onePerPlace(faults: readonly YAMLError[]): YAMLError[] {
  const places = new Set<number>();
  return faults.filter(({ pos }) => !places.has(pos[0]) && places.add(pos[0]));
}

function tooLarge({ line, column }: Position): PlacedProblem {
  const requirement = `must have at most ${treeLimits.nodes} values, ${treeLimits.depth} deep`;
  const found = 'found more, by nesting or by aliases';
  return { line, column, path: 'file', requirement, found, suggestion: null };
}

/** From the tree of the YAML parser to ours. */
class Walk {
  readonly problems: PlacedProblem[] = [];
  lastAt: Position = { line: 1, column: 1 };
  readonly #place: (offset: number) => Position;
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<Node>();
  #nodeCount = 0;

  constructor(place: (offset: number) => Position) {
    this.#place = place;
  }

  visit(node: Node | null, fallback: Position, path: string): SourceNode {
    const range = node?.range;
    const at = range == null || isEmptyNode(node) ? fallback : this.#place(range[0]);
    this.lastAt = at;
    if (++this.#nodeCount > treeLimits.nodes || this.#open.size > treeLimits.depth) {
      throw new TreeTooLargeError();
    }
    if (node === null) return { kind: 'scalar', value: null, at };
    if (isAlias(node)) return this.#visitAlias(node.source, at, path);
    if (!isScalar(node) && this.#open.has(node)) throw new TreeTooLargeError();
    if ((isScalar(node) || isMap(node) || isSeq(node)) && node.anchor !== undefined) {
      this.#anchors.set(node.anchor, node);
    }
    if (isScalar(node)) return { kind: 'scalar', value: plainScalar(node.value), at };
    this.#open.add(node);
    const inner = isMap(node)
      ? this.#visitMap(node.items, at, path)
      : this.#visitList(node, at, path);
    this.#open.delete(node);
    return inner;
  }

  #visitAlias(name: string, at: Position, path: string): SourceNode {
    const target = this.#anchors.get(name);
    if (target !== undefined) return this.visit(target, at, path);
    this.#refuse(at, path, 'must be an alias of an anchor above it', `found ${shown(`*${name}`)}`);
    return { kind: 'scalar', value: null, at };
  }

  #visitList(node: Node, at: Position, path: string): SourceNode {
    const items = isSeq(node) ? node.items : [];
    return {
      kind: 'list',
      at,
      items: items.map((item, index) => this.visit(item as Node, at, itemPath(path, index))),
    };
  }

  #visitMap(pairs: readonly Pair[], at: Position, path: string): SourceNode {
    const entries = new Map<string, SourceEntry>();
    for (const pair of pairs) {
      const keyNode = pair.key as Node | null;
      const keyAt = keyNode?.range == null ? at : this.#place(keyNode.range[0]);
      if (!isScalar(keyNode)) {
        this.#refuse(keyAt, path, 'must have plain words as keys', 'found a key that is none');
        continue;
      }
      const key = String(keyNode.value);
      const innerPath = keyPath(path, key);
      const value = this.visit(pair.value as Node | null, keyAt, innerPath);
      const first = entries.get(key);
      if (first === undefined) entries.set(key, { key, keyAt, value });
      else {
        const found = `found it again; it is in line ${first.keyAt.line} already`;
        this.#refuse(keyAt, innerPath, 'must be given once', found);
      }
    }
    return { kind: 'map', entries: [...entries.values()], at };
  }

  #refuse({ line, column }: Position, path: string, requirement: string, found: string): void {
    this.problems.push({
      line,
      column,
      path: path || 'file',
      requirement,
      found,
      suggestion: null,
    });
  }
}

/** `key:` with nothing behind it: the parser places it behind the colon, which helps nobody. */
function isEmptyNode(node: Node | null): boolean {
  return isScalar(node) && node.value === null && (node.source ?? '') === '';
}

function plainScalar(value: unknown): string | number | boolean | null {
  const isPlain =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return isPlain ? value : value == null ? null : String(value);
}

/** What the parser's codes mean, for people. */
const syntaxFaults: Partial<Record<ErrorCode, string>> = {
  TAB_AS_INDENT: 'found a tab where YAML wants spaces',
  BAD_INDENT: 'found a line that is not indented like its neighbours',
  MISSING_CHAR: 'found a place where a sign is missing',
  MULTIPLE_DOCS: 'found a second document',
  BLOCK_AS_IMPLICIT_KEY: 'found a key where a value ends: is a line indented wrongly?',
  MULTILINE_IMPLICIT_KEY: 'found a key over several lines: is a colon missing?',
  BAD_ALIAS: 'found an alias that cannot be used so',
  BAD_DQ_ESCAPE: 'found an unknown escape in a text in double quotes',
  BAD_PROP_ORDER: 'found an anchor or tag in the wrong place',
  TAG_RESOLVE_FAILED: 'found a tag (!) that is not known here',
  DUPLICATE_KEY: 'found a key twice',
  KEY_OVER_1024_CHARS: 'found a key longer than 1024 letters',
};

function syntaxProblem(fault: YAMLError, place: (offset: number) => Position): PlacedProblem {
  const { line, column } = place(fault.pos[0]);
  const said = fault.message.split('\n')[0] ?? '';
  // Too deep a nesting comes as an error of the engine inside an error of the parser.
  if (said.startsWith('Maximum call stack')) return tooLarge({ line, column });
  const known = syntaxFaults[fault.code];
  // A bracket or quote that is not closed: which one it is stands there only.
  const isTelling = known === undefined || /^Flow|^Missing/.test(said);
  const found = isTelling ? `found a fault of syntax: ${said.slice(0, 160)}` : known;
  const requirement = 'must be valid YAML';
  return { line, column, path: 'file', requirement, found, suggestion: null };
}
