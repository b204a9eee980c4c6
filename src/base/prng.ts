import { mix32 } from './hash.ts';

/**
 * A stream of random numbers that its seed decides: sfc32. Not for secrets.
 *
 * Range: 0 ≤ x < 1 in steps of 2⁻³². Cost: a few integer operations, nothing allocated per call.
 * Source: C. Doty-Humphrey, "sfc" of PractRand 0.93 (period ≥ 2³², on average 2¹²⁷).
 */
export function createRandom(seed: number): () => number {
  let first = mix32(seed);
  let second = mix32(first + 0x6a09e667);
  let third = mix32(second + 0x3c6ef372);
  let count = 1;
  const next = (): number => {
    const sum = (first + second + count) | 0;
    count = (count + 1) | 0;
    first = second ^ (second >>> 9);
    second = (third + (third << 3)) | 0;
    third = (((third << 21) | (third >>> 11)) + sum) | 0;
    return (sum >>> 0) * 2 ** -32;
  };
  // The author's advice: twelve rounds make seeds that differ in one bit unlike each other.
  for (let round = 0; round < 12; round++) next();
  return next;
}
