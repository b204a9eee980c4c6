import type { Form } from './forms.ts';

/** How a value is written. One tree of these drives checker, JSON Schema and reference. */
export type Shape =
  | { readonly kind: 'text'; readonly form: Form }
  | { readonly kind: 'count'; readonly least: number; readonly most: number }
  | { readonly kind: 'flag' }
  | ChoiceShape
  | ListShape
  | MapShape
  | RecordShape;

/** One of some words. */
export interface ChoiceShape {
  readonly kind: 'choice';
  readonly words: readonly string[];
  /** Words that a later version brings. */
  readonly later: readonly string[];
}

/** Values in a row. Checked value: an array. */
export interface ListShape {
  readonly kind: 'list';
  readonly of: Shape;
  readonly least: number;
  readonly most: number;
  /** One value may stand without its list. */
  readonly mayBeLone: boolean;
}

/** Keys that the user chooses. Checked value: a `Map`. */
export interface MapShape {
  readonly kind: 'map';
  readonly key: Form;
  readonly of: Shape;
  readonly least: number;
  readonly most: number;
}

/** Keys that we choose. Checked value: an object with the keys that were written and right. */
export interface RecordShape {
  readonly kind: 'record';
  /** Heading of the reference: `listener`. */
  readonly name: string;
  readonly says: string;
  readonly keys: Readonly<Record<string, Key>>;
  /** Keys that a later version brings. */
  readonly later: readonly string[];
  /** What is no map is taken as the value of this key: the short form. */
  readonly short: string | null;
}

/** One key of a record. */
export interface Key {
  readonly shape: Shape;
  readonly isRequired: boolean;
  /** As the user would write it; null = none. */
  readonly default: string | null;
  /** One sentence for the reference and the editor. */
  readonly says: string;
}

/** What a key that is given may say about itself. */
export interface KeyNotes {
  readonly isRequired?: true;
  readonly default?: string;
}

/** A key of a record. */
export function key(shape: Shape, says: string, notes: KeyNotes = {}): Key {
  return {
    shape,
    says,
    isRequired: notes.isRequired ?? false,
    default: notes.default ?? null,
  };
}

/** A scalar written in `form`. */
export function written(form: Form): Shape {
  return { kind: 'text', form };
}

/** A whole number from `least` to `most`. */
export function count(least: number, most: number): Shape {
  return { kind: 'count', least, most };
}

/** True or false. */
export const flag: Shape = { kind: 'flag' };

/** One of `words`; `later` are named in the refusal. */
export function choice(words: readonly string[], later: readonly string[] = []): ChoiceShape {
  return { kind: 'choice', words, later };
}

/** A list of `least` to `most` values. */
export function list(of: Shape, bounds: { least: number; most: number }): ListShape {
  return { kind: 'list', of, ...bounds, mayBeLone: false };
}

/** The same, where one value may stand alone. */
export function oneOrMore(of: Shape, most: number): ListShape {
  return { kind: 'list', of, least: 1, most, mayBeLone: true };
}

/** Values under names. */
export function mapOf(keyForm: Form, of: Shape, bounds: { least: number; most: number }): MapShape {
  return { kind: 'map', key: keyForm, of, ...bounds };
}

/** Known keys. */
export function record(
  name: string,
  says: string,
  keys: Readonly<Record<string, Key>>,
  more: { later?: readonly string[]; short?: string } = {},
): RecordShape {
  return { kind: 'record', name, says, keys, later: more.later ?? [], short: more.short ?? null };
}

/** Ends the sentence `must be …`. */
export function saysOf(shape: Shape): string {
  switch (shape.kind) {
    case 'text':
      return shape.form.says;
    case 'count':
      return `a whole number from ${shape.least} to ${shape.most}`;
    case 'flag':
      return 'true or false';
    case 'choice':
      return shape.words.length === 1 ? `${shape.words[0]}` : `one of ${shape.words.join(', ')}`;
    case 'list':
      if (shape.mayBeLone) return `${saysOf(shape.of)}, or a list of such`;
      return shape.of.kind === 'record' ? `a list, each item ${shape.of.says}` : 'a list';
    case 'map':
      return shape.of.kind === 'record' ? `a map of names, each with ${shape.of.says}` : 'a map';
    case 'record':
      return shape.says;
  }
}
