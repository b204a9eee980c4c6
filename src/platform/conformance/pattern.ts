import assert from 'node:assert/strict';

/** A prime period, so that no power-of-two offset error goes unseen. */
const PERIOD_BYTES = 65_521;

const pattern: Buffer = makePattern();

/** Bytes `[position, position + length)` of the endless test pattern; `length` up to 128 KiB. */
export function patternAt(position: number, length: number): Buffer {
  assert.ok(length <= 2 * PERIOD_BYTES);
  const start = position % PERIOD_BYTES;
  return pattern.subarray(start, start + length);
}

/** Checks a stream of pattern bytes in order: content, order and length in one. */
export class PatternReader {
  position = 0;
  /** Position of the first wrong byte's chunk, -1 while all is right. */
  wrongAt = -1;

  take(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += PERIOD_BYTES) {
      const piece = bytes.subarray(at, Math.min(bytes.length, at + PERIOD_BYTES));
      const isRight = patternAt(this.position, piece.length).equals(piece);
      if (!isRight && this.wrongAt < 0) this.wrongAt = this.position;
      this.position += piece.length;
    }
  }
}

function makePattern(): Buffer {
  const bytes = Buffer.alloc(3 * PERIOD_BYTES);
  // A linear congruential sequence with a fixed seed (Numerical Recipes' constants), its high byte.
  let state = 20_261_121;
  for (let index = 0; index < PERIOD_BYTES; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  bytes.copy(bytes, PERIOD_BYTES, 0, PERIOD_BYTES);
  bytes.copy(bytes, 2 * PERIOD_BYTES, 0, PERIOD_BYTES);
  return bytes;
}
