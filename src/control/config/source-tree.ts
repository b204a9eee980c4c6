import type { Position } from './problem.ts';

/**
 * A configuration as it was written, whatever its format: every value and key with its place. The
 * checker reads only this. Bounded by its makers in depth and in number of nodes.
 */
export type SourceNode =
  | {
      readonly kind: 'scalar';
      readonly value: string | number | boolean | null;
      readonly at: Position;
    }
  | { readonly kind: 'list'; readonly items: readonly SourceNode[]; readonly at: Position }
  | { readonly kind: 'map'; readonly entries: readonly SourceEntry[]; readonly at: Position };

/** One key with its value. Keys are unique within a map. */
export interface SourceEntry {
  readonly key: string;
  readonly keyAt: Position;
  readonly value: SourceNode;
}

/** Bounds of a tree: far above any real configuration, far below what would hurt. */
export const treeLimits: { readonly nodes: number; readonly depth: number } = {
  nodes: 200_000,
  depth: 64,
};

/** The tree is larger or deeper than `treeLimits`, or contains itself. */
export class TreeTooLargeError extends Error {
  override readonly name = 'TreeTooLargeError';
}

/** `pools` + `web` → `pools.web`; keys that are no plain words stand in quotes and brackets. */
export function keyPath(parent: string, key: string): string {
  const isPlain = /^[A-Za-z0-9_-]{1,64}$/.test(key);
  if (!isPlain) return `${parent}[${JSON.stringify(key.slice(0, 64))}]`;
  return parent === '' ? key : `${parent}.${key}`;
}

/** `servers` + 1 → `servers[1]`. */
export function itemPath(parent: string, index: number): string {
  return `${parent}[${index}]`;
}

/**
 * Makes a tree of plain data. `locate` gives the place of a path. Keys with the value `undefined` are
 * left out, as TypeScript means them. Errors: throws `TreeTooLargeError`; values that are no plain
 * data (dates, maps) become empty maps or texts, which the checker then refuses by their shape.
 */
export function treeOfPlain(plain: unknown, locate: (path: string) => Position): SourceNode {
  let nodeCount = 0;
  const visit = (value: unknown, path: string, depth: number): SourceNode => {
    if (++nodeCount > treeLimits.nodes || depth > treeLimits.depth) throw new TreeTooLargeError();
    const at = locate(path);
    if (Array.isArray(value)) {
      const items = value.map((item, index) => visit(item, itemPath(path, index), depth + 1));
      return { kind: 'list', items, at };
    }
    if (typeof value === 'object' && value !== null) {
      const entries = Object.entries(value)
        .filter(([, inner]) => inner !== undefined)
        .map(([key, inner]) => {
          const innerPath = keyPath(path, key);
          return { key, keyAt: locate(innerPath), value: visit(inner, innerPath, depth + 1) };
        });
      return { kind: 'map', entries, at };
    }
    if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string') {
      return { kind: 'scalar', value, at };
    }
    return { kind: 'scalar', value: value == null ? null : String(value), at };
  };
  return visit(plain, '', 0);
}
