import { positionAt } from './json-source.ts';
import type { Position } from './problem.ts';

/**
 * Finds values of an evaluated module in its source text. A module's data may be computed, so this is
 * a search for the keys of a path one after the other, and for what cannot be found the nearest key
 * around it. Comments and texts that look like keys can mislead it; it only serves the messages.
 */
export function sourceLocator(text: string): (path: string) => Position {
  // Most modules have the keys behind one of these; what stands before (imports) is no data.
  const exportAt = Math.max(0, text.search(/defineConfig\s*\(|export\s+default\s*\{/));
  const offsets = new Map<string, number>([['', exportAt]]);
  const positions = new Map<string, Position>();
  return (path) => {
    const known = positions.get(path);
    if (known !== undefined) return known;
    const position = positionAt(text, offsetOf(path, text, offsets));
    positions.set(path, position);
    return position;
  };
}

function offsetOf(path: string, text: string, offsets: Map<string, number>): number {
  const known = offsets.get(path);
  if (known !== undefined) return known;
  const end = Math.max(path.lastIndexOf('.'), path.lastIndexOf('['), 0);
  const start = offsetOf(path.slice(0, end), text, offsets);
  const step = path.slice(end);
  const offset =
    step.startsWith('[') && /^\[\d+\]$/.test(step)
      ? itemOffset(text, start, Number(step.slice(1, -1)))
      : keyOffset(text, start, step.replace(/^\.|^\["|"\]$/g, ''));
  offsets.set(path, offset);
  return offset;
}

function keyOffset(text: string, start: number, key: string): number {
  const safe = key.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const match = new RegExp(`(?<![\\w$-])(["']?)${safe}\\1\\s*[:,}]`, 'g');
  match.lastIndex = start;
  return match.exec(text)?.index ?? start;
}

/** Start of the nth item of the literal list behind `start`; `start` when it is no literal. */
function itemOffset(text: string, start: number, index: number): number {
  const open = text.indexOf('[', start);
  if (open < 0 || open - start > 200) return start;
  let depth = 0;
  let items = 0;
  for (let at = open; at < text.length; at++) {
    const sign = text[at] ?? '';
    if (sign === '"' || sign === "'" || sign === '`') {
      if (depth === 1 && items === index) return at;
      at = closingQuote(text, at);
    } else if ('[{('.includes(sign)) {
      if (depth === 1 && items === index) return at;
      depth++;
    } else if (']})'.includes(sign)) {
      if (--depth === 0) return start;
    } else if (sign === ',' && depth === 1) items++;
    else if (depth === 1 && items === index && /\S/.test(sign)) return at;
  }
  return start;
}

function closingQuote(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === text[open]) return at;
  }
  return text.length;
}
