import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from './prng.ts';

test('createRandom() repeats its stream from the seed and differs for another', () => {
  const draw = (seed: number) => {
    const random = createRandom(seed);
    return Array.from({ length: 100 }, () => random());
  };
  assert.deepEqual(draw(1), draw(1));
  assert.notDeepEqual(draw(1), draw(2));
  assert.notEqual(draw(1)[0], draw(2)[0]);
});

test('createRandom() spreads evenly over ten parts of [0, 1)', () => {
  const random = createRandom(7);
  const parts = new Array<number>(10).fill(0);
  for (let draw = 0; draw < 100_000; draw++) {
    const value = random();
    assert.ok(value >= 0 && value < 1);
    parts[Math.floor(value * 10)]! += 1;
  }
  // Binomial: 10,000 expected, standard deviation √(100,000 × 0.1 × 0.9) = 95; five of them.
  for (const count of parts) assert.ok(Math.abs(count - 10_000) < 475, `${parts}`);
});
