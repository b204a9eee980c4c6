import { figureCount } from '../../model/history.ts';

/*
 * A row holds one point in time of all series that had anything to say:
 *
 *   series id, less the one before | which figures are not 0, a bit each | those figures | next series …
 *
 * all as unsigned LEB128. A server under load takes some 35 bytes at five minutes; one that rests
 * takes none.
 */

/** Bytes of a number at most: 2⁵³ in groups of seven bits. */
const NUMBER_BYTES_MAX = 8;

/** What a row says of one series. `figures[start + Figure.X]` are its figures. */
export interface RowEntry {
  readonly id: number;
  readonly figures: ArrayLike<number>;
  readonly start: number;
}

/** Packs entries, ids rising; fractions are rounded, what is below 0 counts as 0. */
export function encodeRow(entries: readonly RowEntry[]): Uint8Array {
  const bytes = new Uint8Array(entries.length * (figureCount + 2) * NUMBER_BYTES_MAX);
  let at = 0;
  let idBefore = 0;
  for (const { id, figures, start } of entries) {
    let mask = 0;
    for (let i = 0; i < figureCount; i++) if (figures[start + i]! >= 0.5) mask |= 1 << i;
    if (mask === 0) continue;
    at = put(bytes, at, id - idBefore);
    at = put(bytes, at, mask);
    idBefore = id;
    for (let i = 0; i < figureCount; i++) {
      if ((mask & (1 << i)) !== 0) at = put(bytes, at, Math.round(figures[start + i]!));
    }
  }
  return bytes.slice(0, at);
}

/**
 * Unpacks a row: calls `visit` with each series and its figures, which the next call overwrites.
 * `isWanted` spares the others the work. A row that was cut ends early: what stands before counts.
 */
export function decodeRow(
  bytes: Uint8Array,
  isWanted: (id: number) => boolean,
  visit: (id: number, figures: Float64Array) => void,
): void {
  const reader = { bytes, at: 0 };
  let id = 0;
  while (reader.at < bytes.length) {
    id += take(reader);
    const mask = take(reader);
    if (mask >= 1 << figureCount) return;
    const wanted = isWanted(id);
    if (wanted) scratch.fill(0);
    for (let i = 0; i < figureCount; i++) {
      if ((mask & (1 << i)) === 0) continue;
      const value = take(reader);
      if (wanted) scratch[i] = value;
    }
    if (reader.at > bytes.length) return;
    if (wanted) visit(id, scratch);
  }
}

/** Two months are a million points: an array for each would be hundreds of megabytes. */
const scratch = new Float64Array(figureCount);

function put(bytes: Uint8Array, from: number, value: number): number {
  let at = from;
  let rest = value;
  // Not shifts: they end at 32 bits.
  while (rest >= 128) {
    bytes[at++] = (rest % 128) + 128;
    rest = Math.floor(rest / 128);
  }
  bytes[at++] = rest;
  return at;
}

/** Past the end it goes on with zeros, and `at` tells. */
function take(reader: { readonly bytes: Uint8Array; at: number }): number {
  let value = 0;
  let factor = 1;
  for (;;) {
    const byte = reader.bytes[reader.at++] ?? 0;
    value += (byte & 127) * factor;
    if (byte < 128) return value;
    factor *= 128;
  }
}
