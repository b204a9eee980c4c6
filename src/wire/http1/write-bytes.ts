import { Byte } from './tokens.ts';

/**
 * Above this a native copy is cheaper than a loop although it costs a view: at 200 bytes 70 ns
 * against 360, at 20
 * bytes 125 against 74 (`codec.bench.ts` has the whole heads).
 */
const NATIVE_COPY_BYTES = 80;

/**
 * Copies `from[start, end)` to `out[at…)` and returns the end. The ranges must not overlap.
 * Cost: allocates nothing within one array (the buffers of a worker are one), a view above 80
 * bytes between two.
 */
export function copyBytes(
  out: Uint8Array,
  at: number,
  from: Uint8Array,
  start: number,
  end: number,
): number {
  const length = end - start;
  if (length > NATIVE_COPY_BYTES) {
    if (out === from) out.copyWithin(at, start, end);
    else out.set(from.subarray(start, end), at);
    return at + length;
  }
  let to = at;
  for (let i = start; i < end; i++) out[to++] = from[i]!;
  return to;
}

/** Copies all of `from`. */
export function putBytes(out: Uint8Array, at: number, from: Uint8Array): number {
  return copyBytes(out, at, from, 0, from.length);
}

/** Writes CR LF. */
export function putLineEnd(out: Uint8Array, at: number): number {
  out[at] = Byte.CR;
  out[at + 1] = Byte.LF;
  return at + 2;
}

/** Writes a number (0 … 2^53-1) in decimal; 16 bytes at most. */
export function putDecimal(out: Uint8Array, at: number, value: number): number {
  let digits = 1;
  for (let power = 10; power <= value; power *= 10) digits++;
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    const tenth = Math.floor(rest / 10);
    out[i] = Byte.ZERO + (rest - tenth * 10);
    rest = tenth;
  }
  return at + digits;
}

/** Bytes that `writeChunkLine` needs at most: 14 digits and CRLF. */
export const chunkLineBytesMax = 16;

/** The last chunk with an empty trailer section. */
export const lastChunk: Uint8Array = Uint8Array.of(0x30, 0x0d, 0x0a, 0x0d, 0x0a);

/**
 * Writes the size line of a chunk (`size` > 0): the data and a CRLF must follow. Returns the end.
 */
export function writeChunkLine(out: Uint8Array, at: number, size: number): number {
  let digits = 1;
  for (let power = 16; power <= size; power *= 16) digits++;
  let rest = size;
  for (let i = at + digits - 1; i >= at; i--) {
    const part = Math.floor(rest / 16);
    const digit = rest - part * 16;
    out[i] = digit < 10 ? Byte.ZERO + digit : 0x57 + digit;
    rest = part;
  }
  return putLineEnd(out, at + digits);
}
