/** Octets that JSON text takes as they are: printable ASCII but `"` and `\`. */
const plain: Uint8Array = new Uint8Array(256);
for (let c = 0x20; c < 0x7f; c++) plain[c] = 1;
plain[0x22] = 0;
plain[0x5c] = 0;

const hexDigits: Uint8Array = new TextEncoder().encode('0123456789abcdef');
/** Bytes that one escaped octet takes: `\u00e4`. */
export const escapedBytes = 6;

/** Text known to be plain, as bytes, for `putPlain`. */
export function plainBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Copies plain bytes; returns the end. */
export function putPlain(out: Uint8Array, at: number, bytes: Uint8Array): number {
  let to = at;
  for (let i = 0; i < bytes.length; i++) out[to++] = bytes[i]!;
  return to;
}

/** Writes octets `[start, end)` as the inside of a JSON string; each takes 1 or `escapedBytes` bytes. Returns the end. */
export function putOctets(
  out: Uint8Array,
  at: number,
  from: Uint8Array,
  start: number,
  end: number,
): number {
  let to = at;
  for (let i = start; i < end; i++) {
    const c = from[i]!;
    if (plain[c] === 1) out[to++] = c;
    else to = putEscaped(out, to, c);
  }
  return to;
}

/** The same for text; code units above 255 keep their value. */
export function putText(out: Uint8Array, at: number, text: string): number {
  let to = at;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 256 && plain[c] === 1) out[to++] = c;
    else to = putEscaped(out, to, c);
  }
  return to;
}

function putEscaped(out: Uint8Array, at: number, code: number): number {
  out[at] = 0x5c;
  out[at + 1] = 0x75;
  out[at + 2] = hexDigits[code >>> 12]!;
  out[at + 3] = hexDigits[(code >>> 8) & 15]!;
  out[at + 4] = hexDigits[(code >>> 4) & 15]!;
  out[at + 5] = hexDigits[code & 15]!;
  return at + escapedBytes;
}

/** Eight hexadecimal digits. */
export function putHex(out: Uint8Array, at: number, value: number): number {
  for (let i = 0; i < 8; i++) out[at + i] = hexDigits[(value >>> (28 - 4 * i)) & 15]!;
  return at + 8;
}

/** A whole number ≥ 0 in decimal, at most 2^53-1. */
export function putNumber(out: Uint8Array, at: number, value: number): number {
  let digits = 1;
  for (let power = 10; power <= value; power *= 10) digits++;
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    const tenth = rest < 0x7fffffff ? (rest / 10) | 0 : Math.floor(rest / 10);
    out[i] = 0x30 + (rest - tenth * 10);
    rest = tenth;
  }
  return at + digits;
}

/** µs (whole, below 2^31) as milliseconds with three decimals. */
export function putMs(out: Uint8Array, at: number, us: number): number {
  const ms = (us / 1000) | 0;
  const to = putNumber(out, at, ms);
  const rest = us - ms * 1000;
  out[to] = 0x2e;
  out[to + 1] = 0x30 + ((rest / 100) | 0);
  out[to + 2] = 0x30 + (((rest / 10) | 0) % 10);
  out[to + 3] = 0x30 + (rest % 10);
  return to + 4;
}
