/** FNV-1a's offset basis and prime for 32 bits (Fowler, Noll, Vo; RFC 9923). */
export const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * One step of FNV-1a, for callers that hash while they walk.
 *
 * Shape: `hash` is an int32; start from `FNV_BASIS | 0`. Cost: one multiplication.
 */
export function fnvStep(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, FNV_PRIME);
}

/**
 * FNV-1a over `bytes[start, end)`: for tables whose keys are compared afterwards, never against
 * attackers.
 *
 * Range: an int32. Cost: one multiplication per byte. Source: RFC 9923.
 */
export function fnv1a32(bytes: Uint8Array, start: number, end: number): number {
  let hash = FNV_BASIS | 0;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, FNV_PRIME);
  return hash;
}

/**
 * FNV-1a over a text's UTF-16 units, low byte first, high byte only where it is not zero, so that
 * an ASCII text hashes as its bytes do. `seed` gives independent hashes of one text.
 *
 * Range: an int32.
 */
export function hashText(text: string, seed = 0): number {
  let hash = (FNV_BASIS ^ seed) | 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    hash = Math.imul(hash ^ (unit & 0xff), FNV_PRIME);
    if (unit > 0xff) hash = Math.imul(hash ^ (unit >>> 8), FNV_PRIME);
  }
  return hash;
}

/**
 * Spreads every input bit over all output bits (a bijection): FNV's own low bits are weak.
 *
 * Range: an int32. Source: the `lowbias32` constants of C. Wellons' hash prospector (2018).
 */
export function mix32(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return mixed ^ (mixed >>> 16);
}
