const AMPERSAND = 0x26;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const PERCENT = 0x25;
const PLUS = 0x2b;
const STARS: Uint8Array = new TextEncoder().encode('***');

/** Hides values in the queries of log lines. */
export class HiddenQuery {
  readonly #names: readonly Uint8Array[];
  #out: Uint8Array = new Uint8Array(256);
  #length = 0;

  /** `names`: of parameters, decoded, in lower case. */
  constructor(names: readonly string[]) {
    this.#names = names.map((name) => new TextEncoder().encode(name));
  }

  /**
   * The query between `start` and `end` (with its `?`, if any) with `***` for what is to be hidden. Names are compared decoded,
   * without case; `&` and `;` both part them. The result is valid until the next call. Cost: names × parameters.
   */
  shown(bytes: Uint8Array, start: number, end: number): Uint8Array {
    // `***` may be longer than what it hides, at most by its own length for every parameter.
    const room = 4 * (end - start) + 4;
    if (room > this.#out.length) this.#out = new Uint8Array(room);
    this.#length = 0;
    let at = start;
    while (at < end) {
      let stop = at;
      while (stop < end && bytes[stop] !== AMPERSAND && bytes[stop] !== SEMICOLON) stop++;
      this.#parameter(bytes, at, stop);
      if (stop < end) this.#out[this.#length++] = bytes[stop]!;
      at = stop + 1;
    }
    return this.#out.subarray(0, this.#length);
  }

  #parameter(bytes: Uint8Array, start: number, end: number): void {
    const equals = bytes.subarray(start, end).indexOf(EQUALS);
    const from = bytes[start] === 0x3f ? start + 1 : start;
    const isHidden =
      equals >= 0 && this.#names.some((name) => isName(name, bytes, from, start + equals));
    const shownEnd = isHidden ? start + equals + 1 : end;
    this.#out.set(bytes.subarray(start, shownEnd), this.#length);
    this.#length += shownEnd - start;
    if (!isHidden) return;
    this.#out.set(STARS, this.#length);
    this.#length += STARS.length;
  }
}

/** Compares decoded octets, upper case folded. */
function isName(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  for (let i = 0; i < name.length; i++) {
    if (at >= end) return false;
    let octet = bytes[at]!;
    if (octet === PERCENT && at + 2 < end) {
      octet = hexOf(bytes[at + 1]!) * 16 + hexOf(bytes[at + 2]!);
      at += 2;
    } else if (octet === PLUS) octet = 0x20;
    if (octet >= 0x41 && octet <= 0x5a) octet += 0x20;
    if (octet !== name[i]) return false;
    at++;
  }
  return at === end;
}

/** Not a number for what is no digit: nothing equals it. */
function hexOf(octet: number): number {
  return Number.parseInt(String.fromCharCode(octet), 16);
}
