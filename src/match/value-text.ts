const decoder = new TextDecoder();

/**
 * A span as text: UTF-8, with U+FFFD for what is none. Cost: a string; only for what a pattern or a
 * person looks at.
 */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  for (let at = start; at < end; at++) {
    // A copy, since the engine decodes no shared memory.
    if (bytes[at]! > 0x7f) return decoder.decode(bytes.slice(start, end));
  }
  let text = '';
  for (let at = start; at < end; at += PIECE) {
    text += String.fromCharCode(...bytes.subarray(at, Math.min(end, at + PIECE)));
  }
  return text;
}

/** Arguments of one call: far below what any engine allows. */
const PIECE = 4_096;
