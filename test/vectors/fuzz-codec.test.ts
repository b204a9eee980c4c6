import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzCodec } from './fuzz-codec.ts';

/**
 * `EVENKEEL_FUZZ_SECONDS=60` is what the complete run of the tests sets; without it a short look.
 */
const seconds = Number(process.env['EVENKEEL_FUZZ_SECONDS'] ?? 2);
const seed = Number(process.env['EVENKEEL_FUZZ_SEED'] ?? 20_261_121);

test(`fuzz: no octets break an invariant of the codec (seed ${seed}, ${seconds} s)`, () => {
  const endMs = performance.now() + seconds * 1_000;
  const { tried, taken } = fuzzCodec(
    seed,
    (count) => count % 256 === 0 && performance.now() > endMs,
  );
  assert.ok(tried > 1_000, `${tried} tried`);
  // a fuzzer whose every input is refused at once would find nothing
  assert.ok(taken > tried / 20, `${taken} of ${tried} taken`);
});
