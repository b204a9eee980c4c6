import { fnv1a32, mix32 } from '../base/hash.ts';
import type { HashKey } from '../model/balancing.ts';
import type { Head } from '../wire/http1/head.ts';
import { ascii, Byte, spanIs } from '../wire/http1/tokens.ts';

const cookieName = ascii('cookie');

/**
 * Finds one value in request heads: a header, a cookie, a query parameter or the path, as received
 * (the path in its canonical form). Made once per pool; a find sets the span of the value.
 *
 * Cost: a comparison of lengths per field, and one look per byte of cookies or query.
 */
export class RequestValue {
  readonly #from: HashKey['from'];
  readonly #name: Uint8Array;
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;

  constructor(key: HashKey) {
    this.#from = key.from;
    this.#name = ascii(key.from === 'header' ? key.name.toLowerCase() : key.name);
  }

  /** True when the head has it, and it is not empty. */
  find(head: Head): boolean {
    this.bytes = head.bytes;
    switch (this.#from) {
      case 'header':
        return this.#findHeader(head);
      case 'cookie':
        return this.#findCookie(head);
      case 'query':
        return this.#findPair(head.queryStart + 1, head.queryEnd, Byte.AMPERSAND);
      case 'path':
        this.bytes = head.pathBytes;
        return this.#found(head.pathStart, head.pathEnd);
      default:
        return false;
    }
  }

  /** 32 bits of the value, or `otherwise` when the head does not have it. */
  hashOr(head: Head, otherwise: number): number {
    return this.find(head) ? mix32(fnv1a32(this.bytes, this.start, this.end)) : otherwise;
  }

  #findHeader({ bytes, fields, fieldCount }: Head): boolean {
    for (let at = 0; at < fieldCount * 4; at += 4) {
      if (!spanIs(bytes, fields[at]!, fields[at + 1]!, this.#name)) continue;
      return this.#found(fields[at + 2]!, fields[at + 3]!);
    }
    return false;
  }

  #findCookie({ bytes, fields, fieldCount }: Head): boolean {
    for (let at = 0; at < fieldCount * 4; at += 4) {
      if (!spanIs(bytes, fields[at]!, fields[at + 1]!, cookieName)) continue;
      if (this.#findPair(fields[at + 2]!, fields[at + 3]!, Byte.SEMICOLON)) return true;
    }
    return false;
  }

  /** `name=value` between separators, white space before the name left out. */
  #findPair(from: number, to: number, separator: number): boolean {
    const { bytes } = this;
    const name = this.#name;
    for (let at = from; at < to; ) {
      while (at < to && bytes[at] === Byte.SPACE) at++;
      let end = at;
      while (end < to && bytes[end] !== separator) end++;
      const valueAt = at + name.length + 1;
      if (valueAt <= end && bytes[valueAt - 1] === Byte.EQUALS && this.#isNameAt(at)) {
        return this.#found(valueAt, end);
      }
      at = end + 1;
    }
    return false;
  }

  /** Names of cookies and parameters differ by case. */
  #isNameAt(at: number): boolean {
    const name = this.#name;
    for (let i = 0; i < name.length; i++) if (this.bytes[at + i] !== name[i]) return false;
    return true;
  }

  #found(start: number, end: number): boolean {
    this.start = start;
    this.end = end;
    return end > start;
  }
}
