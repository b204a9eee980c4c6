import type { PlacedProblem, Position } from './problem.ts';
import { shown } from './problem.ts';
import type { ReadSource } from './yaml-source.ts';
import { readYaml } from './yaml-source.ts';

/**
 * Reads strict JSON (RFC 8259): no comments, no trailing commas. YAML 1.2 contains JSON, so the tree
 * with its places comes from the YAML reader once the grammar holds. Cost: that of `readYaml`.
 */
export function readJson(text: string): ReadSource {
  const withoutMark = text.replace(/^\ufeff/, '');
  try {
    JSON.parse(withoutMark);
  } catch (error) {
    // The engine's message has no reliable place: our scanner finds it.
    if (!(error instanceof SyntaxError)) throw error;
    return { node: null, problems: [problemAt(withoutMark, faultOffset(withoutMark))] };
  }
  return readYaml(withoutMark);
}

function problemAt(text: string, offset: number): PlacedProblem {
  const { line, column } = positionAt(text, offset);
  const rest = text.slice(offset, offset + 20).split('\n')[0] ?? '';
  const requirement = 'must be valid JSON';
  const found = rest.trim() === '' ? 'found an unexpected end' : `found ${shown(rest)}`;
  const isComment = rest.startsWith('//') || rest.startsWith('/*') || rest.startsWith('#');
  const suggestion = isComment ? 'evenkeel.yaml, which has comments' : null;
  return { line, column, path: 'file', requirement, found, suggestion };
}

/** Line and column, from 1, of an offset. Cost: linear in the text before it. */
export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}

const space = /[ \t\r\n]*/y;
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/y;
const scalar = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;

type Expected = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma-or-end';

/** Where the first sign stands that JSON does not allow. Without recursion: depth costs no stack. */
export function faultOffset(text: string): number {
  const closers: string[] = [];
  let expected: Expected = 'value';
  let at = 0;
  const take = (regex: RegExp): boolean => {
    regex.lastIndex = at;
    if (!regex.test(text)) return false;
    at = regex.lastIndex;
    return true;
  };
  for (;;) {
    take(space);
    if (expected === 'comma-or-end' && closers.length === 0) return at;
    const sign = text[at];
    const mayClose = expected.endsWith('-or-end');
    if (mayClose && sign !== undefined && sign === closers.at(-1)) {
      closers.pop();
      at++;
      expected = 'comma-or-end';
    } else if (expected === 'comma-or-end') {
      if (sign !== ',') return at;
      at++;
      expected = closers.at(-1) === '}' ? 'key' : 'value';
    } else if (expected === 'colon') {
      if (sign !== ':') return at;
      at++;
      expected = 'value';
    } else if (expected.startsWith('key')) {
      if (!take(string)) return at;
      expected = 'colon';
    } else if (sign === '{' || sign === '[') {
      closers.push(sign === '{' ? '}' : ']');
      at++;
      expected = sign === '{' ? 'key-or-end' : 'value-or-end';
    } else if (take(string) || take(scalar)) {
      expected = 'comma-or-end';
    } else {
      return at;
    }
  }
}
