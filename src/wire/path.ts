import { Byte, hexValue, unreserved } from './http1/tokens.ts';

/** Results of `canonicalPath` that are not an end offset. */
export const PATH_INVALID = -1;

/**
 * Is the path its own canonical form for sure? False also where a closer look is needed: a `%`, or
 * a segment that
 * begins with a dot. Cost: one pass.
 */
export function isPlainPath(bytes: Uint8Array, start: number, end: number): boolean {
  let previous = 0;
  for (let at = start; at < end; at++) {
    const c = bytes[at]!;
    if (c === Byte.PERCENT) return false;
    if (c === Byte.DOT && previous === Byte.SLASH) return false;
    previous = c;
  }
  return true;
}

/**
 * Octets whose escape may separate or end something for a server: `/ \ ; ? #` and every CTL. Not `%`:
 * it is data in many a path (`/100%25`), and what is decoded once here is never decoded again.
 * Shape: 256 entries.
 */
const separator: Uint8Array = new Uint8Array(256);
for (let c = 0; c < 0x20; c++) separator[c] = 1;
for (const c of [0x23, 0x2f, 0x3b, 0x3f, 0x5c, 0x7f]) separator[c] = 1;

/**
 * The one canonical form of a path (RFC 3986 §6.2.2), for matching and for forwarding alike.
 *
 * Escapes of unreserved octets are decoded, hex digits of other escapes put in upper case, dot
 * segments resolved
 * (also escaped ones; never above the root); `//` stays. Escapes of separators stay and are
 * reported.
 * One object per worker.
 */
export class PathCanonicalizer {
  /** The last path had an escaped separator: `%2f %5c %3b %3f %23` or an escaped CTL. */
  hasEncodedSeparator = false;

  /**
   * Writes the canonical form of `bytes[start, end)`, which begins with `/`, to `out[at…)`; it is
   * never longer.
   * Returns the end, or `PATH_INVALID` for an incomplete escape or a dot segment with a parameter
   * (`..;`), which
   * some servers resolve after they have cut the parameter.
   * Cost: one pass, no allocation; going back over a segment reads it once more.
   */
  write(bytes: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    this.hasEncodedSeparator = false;
    let from = start;
    let to = at;
    // `to` always stands behind a complete segment; each turn takes one `/segment`
    while (from < end) {
      out[to] = Byte.SLASH;
      const segmentStart = to + 1;
      const segmentEnd = this.#writeSegment(bytes, from + 1, end, out, segmentStart);
      if (segmentEnd < 0) return PATH_INVALID;
      from = this.#from;
      const dots = dotSegment(out, segmentStart, segmentEnd);
      if (dots < 0) return PATH_INVALID;
      if (dots === 0) to = segmentEnd;
      else {
        if (dots === 2) to = previousSlash(out, at, to);
        // "/a/." and "/a/.." name the directory: its slash stays when nothing follows
        if (from >= end) out[to++] = Byte.SLASH;
      }
    }
    return to;
  }

  /** Where the segment that was written last ended in the source. */
  #from = 0;

  #writeSegment(
    bytes: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array,
    at: number,
  ): number {
    let from = start;
    let to = at;
    while (from < end) {
      const c = bytes[from]!;
      if (c === Byte.SLASH) break;
      if (c !== Byte.PERCENT) {
        out[to++] = c;
        from++;
        continue;
      }
      if (from + 2 >= end) return PATH_INVALID;
      const high = hexValue[bytes[from + 1]!]!;
      const low = hexValue[bytes[from + 2]!]!;
      if (high > 15 || low > 15) return PATH_INVALID;
      const octet = high * 16 + low;
      if (unreserved[octet] !== 0) out[to++] = octet;
      else {
        if (separator[octet] !== 0) this.hasEncodedSeparator = true;
        out[to++] = Byte.PERCENT;
        out[to++] = upperHex(high);
        out[to++] = upperHex(low);
      }
      from += 3;
    }
    this.#from = from;
    return to;
  }
}

function upperHex(value: number): number {
  return value < 10 ? 0x30 + value : 0x37 + value;
}

/** 1 for `.`, 2 for `..`, -1 for either with a parameter, 0 for any other segment. */
function dotSegment(bytes: Uint8Array, start: number, end: number): number {
  if (start === end || bytes[start] !== Byte.DOT) return 0;
  const dots = start + 1 < end && bytes[start + 1] === Byte.DOT ? 2 : 1;
  if (start + dots === end) return dots;
  return bytes[start + dots] === Byte.SEMICOLON ? -1 : 0;
}

/**
 * Where the last segment of `bytes[start, end)` begins with its slash; `start` when there is none.
 */
function previousSlash(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start) {
    at--;
    if (bytes[at] === Byte.SLASH) return at;
  }
  return start;
}
