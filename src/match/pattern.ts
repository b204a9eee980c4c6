import { compilePattern, type PatternEngine } from '../platform/pattern-engine.ts';
import { textOf } from './value-text.ts';

const encoder = new TextEncoder();

/** A pattern of a user's, ready to be looked for. */
export class LinearPattern {
  readonly #engine: PatternEngine;
  /** What every text that matches begins with; empty when that is not known. */
  readonly #prefix: Uint8Array;

  /** Errors: throws for what `patternFault` refuses. */
  constructor(pattern: string) {
    this.#engine = compilePattern(pattern);
    this.#prefix = encoder.encode(literalPrefix(pattern));
  }

  /**
   * Is the pattern found in `bytes[start, end)`? Cost: linear in the span whatever the pattern is,
   * some 10 ns per byte and 1 µs in all; a comparison of bytes where the literal beginning differs.
   */
  isIn(bytes: Uint8Array, start: number, end: number): boolean {
    const prefix = this.#prefix;
    if (prefix.length > end - start) return false;
    for (let at = 0; at < prefix.length; at++) {
      if (bytes[start + at] !== prefix[at]) return false;
    }
    return this.#engine.test(textOf(bytes, start, end));
  }
}

/** Replaces the first place of a path that a pattern matches. */
export class PathReplacement {
  readonly #engine: PatternEngine;
  /** Texts and, between them, numbers of groups. */
  readonly #parts: readonly (string | number)[];

  /** `replace`: text in which `$1` to `$9` are groups and `$$` is `$`. Errors: throws as `LinearPattern`. */
  constructor({ match, replace }: { readonly match: string; readonly replace: string }) {
    this.#engine = compilePattern(match);
    this.#parts = replace
      .split(/(\$[$1-9])/)
      .map((part) => (/^\$[1-9]$/.test(part) ? Number(part[1]) : part === '$$' ? '$' : part));
  }

  /** The path with its first match replaced; itself where there is none. Cost: linear in the path. */
  apply(path: string): string {
    const matcher = this.#engine.matcher(path);
    if (!matcher.find()) return path;
    const put = this.#parts.map((part) =>
      typeof part === 'string' ? part : (matcher.group(part) ?? ''),
    );
    return path.slice(0, matcher.start()) + put.join('') + path.slice(matcher.end());
  }
}

/** How many groups a pattern has. Errors: throws for what `patternFault` refuses. */
export function groupCount(pattern: string): number {
  return compilePattern(pattern).groupCount();
}

/** Why a pattern cannot be used, in words; null when it can. Cost: compiles it. */
export function patternFault(pattern: string): string | null {
  try {
    compilePattern(pattern);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : 'no';
  }
}

/**
 * The literal text behind a leading `^`, up to the first sign that means more than itself. Patterns
 * with alternatives have none, since `^` may belong to one of them only.
 */
export function literalPrefix(pattern: string): string {
  if (!pattern.startsWith('^') || pattern.includes('|')) return '';
  let prefix = '';
  for (let at = 1; at < pattern.length; at++) {
    let char = pattern[at]!;
    if (char === '\\') {
      char = pattern[++at] ?? '';
      if (!/[./+?*()[\]{}|^$\\-]/.test(char)) return prefix;
    } else if (!/^[!-~ ]$/.test(char) || /[.+?*()[\]{}^$]/.test(char)) return prefix;
    // What a quantifier follows may be absent.
    if (/[?*{+]/.test(pattern[at + 1] ?? '')) return prefix;
    prefix += char;
  }
  return prefix;
}
