import { FieldId } from '../wire/http1/head.ts';
import { Byte, hexValue } from '../wire/http1/tokens.ts';
import type { RequestFacts } from './facts.ts';
import type { Collector, ValueSource } from './value-source.ts';

const encoder = new TextEncoder();
const PLUS = 0x2b;
const AMPERSAND = 0x26;

/** ASCII letters in lower case, all other octets as they are. */
const lowerCase: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte,
);

/** Fields that never reach a server, so no route may be judged by them. */
const HIDDEN = (1 << FieldId.HOST) | (1 << FieldId.NAMED_BY_CONNECTION) | (1 << FieldId.ALIAS);
/** What a peer that is not trusted says of the way behind it is replaced, not believed. */
const HIDDEN_OF_UNTRUSTED =
  HIDDEN |
  (1 << FieldId.FORWARDED) |
  (1 << FieldId.X_FORWARDED_FOR) |
  (1 << FieldId.X_FORWARDED_PROTO) |
  (1 << FieldId.X_FORWARDED_HOST) |
  (1 << FieldId.X_FORWARDED_OTHER);

/** Header fields: the value of every line of a name that the servers get to see. */
export class HeaderValues implements Collector {
  readonly #name: Uint8Array;

  constructor(name: string) {
    this.#name = encoder.encode(name);
  }

  collect(facts: RequestFacts, into: ValueSource): void {
    const { head } = facts;
    const { bytes, fields } = head;
    const name = this.#name;
    const hidden = facts.isPeerTrusted ? HIDDEN : HIDDEN_OF_UNTRUSTED;
    for (let index = 0; index < head.fieldCount; index++) {
      const at = index * 4;
      const nameStart = fields[at]!;
      if (fields[at + 1]! - nameStart !== name.length) continue;
      let same = 0;
      while (same < name.length && lowerCase[bytes[nameStart + same]!] === name[same]) same++;
      if (same < name.length || ((hidden >>> head.ids[index]!) & 1) !== 0) continue;
      into.add(bytes, fields[at + 2]!, fields[at + 3]!);
    }
  }
}

/**
 * Query parameters as HTML forms write them (WHATWG URL §5.1): parted by `&`, `+` is a space,
 * escapes are decoded in names and values, an escape that is none stays as it is; `a` and `a=` have
 * the empty value.
 */
export class QueryValues implements Collector {
  readonly #name: Uint8Array;
  #decoded: Uint8Array = new Uint8Array(256);
  #decodedBytes = 0;

  constructor(name: string) {
    this.#name = encoder.encode(name);
  }

  collect({ head }: RequestFacts, into: ValueSource): void {
    const { bytes, queryEnd } = head;
    this.#decodedBytes = 0;
    // Behind the `?`.
    let start = head.queryStart + 1;
    while (start < queryEnd) {
      let end = start;
      let equals = -1;
      for (; end < queryEnd && bytes[end] !== AMPERSAND; end++) {
        if (equals < 0 && bytes[end] === Byte.EQUALS) equals = end;
      }
      this.#addPair(bytes, start, equals < 0 ? end : equals, end, into);
      start = end + 1;
    }
  }

  #addPair(
    bytes: Uint8Array,
    start: number,
    nameEnd: number,
    end: number,
    into: ValueSource,
  ): void {
    const name = this.#name;
    // An escape is three octets for one, so a shorter text is never this name.
    if (nameEnd - start < name.length || start === end) return;
    const before = this.#decodedBytes;
    const decodedName = this.#decode(bytes, start, nameEnd);
    let same = decodedName - before === name.length ? 0 : -1;
    while (same >= 0 && same < name.length) {
      same = this.#decoded[before + same] === name[same] ? same + 1 : -1;
    }
    if (same < 0) {
      this.#decodedBytes = before;
      return;
    }
    const valueEnd = nameEnd < end ? this.#decode(bytes, nameEnd + 1, end) : decodedName;
    into.add(this.#decoded, decodedName, valueEnd);
  }

  /** Appends the decoded span and returns its end. */
  #decode(bytes: Uint8Array, start: number, end: number): number {
    let to = this.#decodedBytes;
    if (to + end - start > this.#decoded.length) this.#grow(to + end - start);
    const out = this.#decoded;
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!;
      const high = byte === Byte.PERCENT && at + 2 < end ? hexValue[bytes[at + 1]!]! : 255;
      const low = high < 16 ? hexValue[bytes[at + 2]!]! : 255;
      if (low < 16) {
        out[to++] = high * 16 + low;
        at += 2;
      } else out[to++] = byte === PLUS ? Byte.SPACE : byte;
    }
    this.#decodedBytes = to;
    return to;
  }

  /** Values found before stay where they were. */
  #grow(bytes: number): void {
    const larger = new Uint8Array(2 * bytes);
    larger.set(this.#decoded);
    this.#decoded = larger;
  }
}

/**
 * Cookies (RFC 6265 §4.2 as browsers write them): pairs parted by `;`, white space around names and
 * values dropped, one pair of quotes around a value dropped, nothing decoded; a pair without `=` is
 * none. Names are case-sensitive.
 */
export class CookieValues implements Collector {
  readonly #name: Uint8Array;
  readonly #lines: ValueSource;

  constructor(name: string, lines: ValueSource) {
    this.#name = encoder.encode(name);
    this.#lines = lines;
  }

  collect(facts: RequestFacts, into: ValueSource): void {
    const lines = this.#lines;
    const count = lines.read(facts);
    for (let line = 0; line < count; line++) {
      const bytes = lines.bytes[line]!;
      const lineEnd = lines.ends[line]!;
      let start = lines.starts[line]!;
      while (start < lineEnd) {
        let end = start;
        let equals = -1;
        for (; end < lineEnd && bytes[end] !== Byte.SEMICOLON; end++) {
          if (equals < 0 && bytes[end] === Byte.EQUALS) equals = end;
        }
        if (equals >= 0) this.#addPair(bytes, start, equals, end, into);
        start = end + 1;
      }
    }
  }

  #addPair(bytes: Uint8Array, start: number, equals: number, end: number, into: ValueSource): void {
    const name = this.#name;
    const nameStart = skipBlank(bytes, start, equals);
    if (backBlank(bytes, nameStart, equals) - nameStart !== name.length) return;
    for (let at = 0; at < name.length; at++) if (bytes[nameStart + at] !== name[at]) return;
    let valueStart = skipBlank(bytes, equals + 1, end);
    let valueEnd = backBlank(bytes, valueStart, end);
    const isQuoted =
      valueEnd - valueStart > 1 &&
      bytes[valueStart] === Byte.QUOTE &&
      bytes[valueEnd - 1] === Byte.QUOTE;
    if (isQuoted) {
      valueStart++;
      valueEnd--;
    }
    into.add(bytes, valueStart, valueEnd);
  }
}

/**
 * The media type without its parameters, in lower case. A request with several Content-Type lines
 * has none: which one counts is anybody's guess.
 */
export class MediaTypeValues implements Collector {
  readonly #lines: ValueSource;
  #folded: Uint8Array = new Uint8Array(128);

  constructor(lines: ValueSource) {
    this.#lines = lines;
  }

  collect(facts: RequestFacts, into: ValueSource): void {
    if (this.#lines.read(facts) !== 1) return;
    const bytes = this.#lines.bytes[0]!;
    const start = this.#lines.starts[0]!;
    let end = start;
    while (end < this.#lines.ends[0]! && bytes[end] !== Byte.SEMICOLON) end++;
    end = backBlank(bytes, start, end);
    if (end - start > this.#folded.length) this.#folded = new Uint8Array(2 * (end - start));
    for (let at = start; at < end; at++) this.#folded[at - start] = lowerCase[bytes[at]!]!;
    into.add(this.#folded, 0, end - start);
  }
}

/** A fact of the request that is one text. */
export class FactValues implements Collector {
  readonly #of: (facts: RequestFacts) => Uint8Array | null;

  constructor(of: (facts: RequestFacts) => Uint8Array | null) {
    this.#of = of;
  }

  collect(facts: RequestFacts, into: ValueSource): void {
    const text = this.#of(facts);
    if (text !== null) into.add(text, 0, text.length);
  }
}

function skipBlank(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && (bytes[at] === Byte.SPACE || bytes[at] === Byte.HTAB)) at++;
  return at;
}

function backBlank(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && (bytes[at - 1] === Byte.SPACE || bytes[at - 1] === Byte.HTAB)) at--;
  return at;
}
