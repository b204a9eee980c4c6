import { FNV_BASIS, fnv1a32, fnvStep } from '../base/hash.ts';
import { invariant } from '../base/invariant.ts';
import type { TextTest } from '../model/conditions.ts';
import { ByteTable } from './byte-table.ts';
import { LinearPattern } from './pattern.ts';

const encoder = new TextEncoder();

/** Says whether one value passes. */
export interface ValueTest {
  takes(bytes: Uint8Array, start: number, end: number): boolean;
}

/** A test of all values of one name: some value must pass, or none where it is negated. */
export interface CompiledTest {
  readonly test: ValueTest;
  readonly isNegated: boolean;
}

/** Compiles a test; negations are counted, so that the fast side has one flag. */
export function compileTest(test: TextTest): CompiledTest {
  switch (test.kind) {
    case 'any-of':
      return { test: new ExactTexts(test.texts), isNegated: false };
    case 'prefix':
      return { test: new Beginning(test.text), isNegated: false };
    case 'pattern':
      return { test: new Found(test.pattern), isNegated: false };
    case 'present':
      return { test: ANYTHING, isNegated: !test.isPresent };
    case 'not': {
      const inner = compileTest(test.of);
      return { test: inner.test, isNegated: !inner.isNegated };
    }
  }
}

const ANYTHING: ValueTest = { takes: () => true };

/** One of some texts. Cost: one walk and one look-up, however many there are. */
export class ExactTexts implements ValueTest {
  readonly #table: ByteTable;

  constructor(texts: readonly string[]) {
    invariant(texts.length > 0, 'a test has a text');
    const keys = [...new Set(texts)].map((text) => encoder.encode(text));
    this.#table = new ByteTable(
      keys,
      keys.map((key) => fnv1a32(key, 0, key.length)),
    );
  }

  takes(bytes: Uint8Array, start: number, end: number): boolean {
    const table = this.#table;
    if (end - start > table.keyBytesMax) return false;
    let hash = FNV_BASIS | 0;
    for (let at = start; at < end; at++) hash = fnvStep(hash, bytes[at]!);
    return table.find(hash, bytes, start, end) >= 0;
  }
}

class Beginning implements ValueTest {
  readonly #text: Uint8Array;

  constructor(text: string) {
    this.#text = encoder.encode(text);
  }

  takes(bytes: Uint8Array, start: number, end: number): boolean {
    const text = this.#text;
    if (end - start < text.length) return false;
    for (let at = 0; at < text.length; at++) if (bytes[start + at] !== text[at]) return false;
    return true;
  }
}

class Found implements ValueTest {
  readonly #pattern: LinearPattern;

  constructor(pattern: string) {
    this.#pattern = new LinearPattern(pattern);
  }

  takes(bytes: Uint8Array, start: number, end: number): boolean {
    return this.#pattern.isIn(bytes, start, end);
  }
}

/** Media types: exact ones, and families such as `text/*`. */
export class MediaTypes implements ValueTest {
  readonly #exact: ExactTexts | null;
  readonly #families: readonly Beginning[];

  constructor(types: readonly string[]) {
    const exact = types.filter((type) => !type.endsWith('/*'));
    this.#exact = exact.length === 0 ? null : new ExactTexts(exact);
    this.#families = types
      .filter((type) => type.endsWith('/*'))
      .map((type) => new Beginning(type.slice(0, -1)));
  }

  takes(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#exact?.takes(bytes, start, end) === true) return true;
    for (let at = 0; at < this.#families.length; at++) {
      if (this.#families[at]!.takes(bytes, start, end)) return true;
    }
    return false;
  }
}
