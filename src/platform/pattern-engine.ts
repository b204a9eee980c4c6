import { createRequire } from 'node:module';
import type { RE2JS } from 're2js';

/** A regular expression that costs linear time whatever it is. */
export interface PatternEngine {
  /** Is it found somewhere in the text? */
  test(text: string): boolean;
  matcher(text: string): PatternMatcher;
  groupCount(): number;
}

/** Looks for the places of one text that a pattern matches. */
export interface PatternMatcher {
  /** Goes to the next place; what follows tells of it. */
  find(): boolean;
  start(): number;
  /** Behind its last character. */
  end(): number;
  group(index: number): string | null;
}

let engine: typeof RE2JS | null = null;

/**
 * Compiles a pattern in RE2's syntax. The package is loaded by the first one: reading it takes a
 * thread some 20 ms, which nobody without patterns should pay at a restart. Errors: throws for a
 * pattern that is none.
 */
export function compilePattern(pattern: string): PatternEngine {
  engine ??= (createRequire(import.meta.url)('re2js') as typeof import('re2js')).RE2JS;
  return engine.compile(pattern);
}
