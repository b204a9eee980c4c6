/** Octets that the grammar of HTTP/1.1 names. */
export const Byte = {
  HTAB: 0x09,
  LF: 0x0a,
  CR: 0x0d,
  SPACE: 0x20,
  QUOTE: 0x22,
  PERCENT: 0x25,
  AMPERSAND: 0x26,
  STAR: 0x2a,
  COMMA: 0x2c,
  DOT: 0x2e,
  SLASH: 0x2f,
  ZERO: 0x30,
  NINE: 0x39,
  COLON: 0x3a,
  SEMICOLON: 0x3b,
  EQUALS: 0x3d,
  QUESTION: 0x3f,
  AT: 0x40,
  BRACKET_OPEN: 0x5b,
  BACKSLASH: 0x5c,
  BRACKET_CLOSE: 0x5d,
  DELETE: 0x7f,
} as const;

/** Bits of `tokenClass`. */
export const TOKEN = 1;
/** `_` or `.`: gateways to CGI and its heirs fold them into `-`. */
export const FOLDS_TO_DASH = 2;

/** Bits of `targetClass`: may stand in a path. */
export const IN_PATH = 1;
/** May stand in a query. */
export const IN_QUERY = 2;
/** `%` or `.`: the path may have another canonical form. */
export const MAY_FOLD = 4;

/**
 * The octets of an ASCII text. Cost: allocates; for constants and for what is made once per link.
 */
export function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i) & 0xff;
  return bytes;
}

function classTable(...rows: readonly (readonly [characters: string, bits: number])[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const [characters, bits] of rows) {
    for (const byte of ascii(characters)) table[byte] = table[byte]! | bits;
  }
  return table;
}

const digits = '0123456789';
const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/**
 * 0 for octets that no token has (RFC 9110 §5.6.2), else `TOKEN` and perhaps `FOLDS_TO_DASH`.
 * Shape: 256 entries.
 */
export const tokenClass: Uint8Array = classTable(
  [`${digits}${letters}!#$%&'*+-.^_\`|~`, TOKEN],
  ['_.', FOLDS_TO_DASH],
);

/**
 * Octets of a request target. Shape: 256 entries of `IN_PATH | IN_QUERY | MAY_FOLD`; 0 ends the
 * target.
 *
 * RFC 3986 plus what browsers send raw (WHATWG URL, path and query percent-encode sets): `[ ] |` in
 * paths, also `\ ^ { }` and the grave accent in queries. `#`, quotes, angle brackets, CTLs and
 * octets above 0x7e are refused.
 */
export const targetClass: Uint8Array = classTable(
  [`${digits}${letters}-._~!$&'()*+,;=:@/%[]|`, IN_PATH | IN_QUERY],
  ['?\\^`{}', IN_QUERY],
  ['%.', MAY_FOLD],
);

/** Value of a hex digit, 255 for any other octet. Shape: 256 entries. */
export const hexValue: Uint8Array = (() => {
  const table = new Uint8Array(256).fill(255);
  for (let value = 0; value < 16; value++) {
    const digit = value.toString(16);
    table[digit.charCodeAt(0)] = value;
    table[digit.toUpperCase().charCodeAt(0)] = value;
  }
  return table;
})();

/** 1 for RFC 3986 unreserved octets. Shape: 256 entries. */
export const unreserved: Uint8Array = classTable([`${digits}${letters}-._~`, 1]);

/**
 * Is `bytes[start, start + lower.length)` this text, letters of either case? The caller compares
 * lengths.
 * Cost: one pass. Precondition: the octets are token characters (folding by `| 0x20` is exact for
 * those
 * names that have letters, digits and dashes only).
 */
export function equalsFolded(bytes: Uint8Array, start: number, lower: Uint8Array): boolean {
  for (let i = 0; i < lower.length; i++) {
    if ((bytes[start + i]! | 0x20) !== lower[i]) return false;
  }
  return true;
}

/** Is the span this text, letters of either case? */
export function spanIs(bytes: Uint8Array, start: number, end: number, lower: Uint8Array): boolean {
  return end - start === lower.length && equalsFolded(bytes, start, lower);
}

/**
 * `1*DIGIT` as a number: -1 when it is empty or has another octet, Infinity above 2^53-1 (RFC 9110
 * §8.6:
 * no rounding). Any number of leading zeros is digits too.
 */
export function parseDecimal(bytes: Uint8Array, start: number, end: number): number {
  if (start === end) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - Byte.ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
    // stays exact up to here: 10 * 2^53 + 9 is only compared, never kept
    if (value > Number.MAX_SAFE_INTEGER) value = Number.POSITIVE_INFINITY;
  }
  return value;
}
