import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reserveOf } from './descriptor-reserve.ts';

test('reserveOf() is 32 per worker, an eighth of the limit over all workers, and at least one', () => {
  assert.deepEqual(
    [
      reserveOf(Number.POSITIVE_INFINITY, 64),
      reserveOf(1_048_576, 64),
      reserveOf(1_024, 2),
      // 256 / 8 / 2 = 16
      reserveOf(256, 2),
      reserveOf(96, 64),
    ],
    [32, 32, 32, 16, 1],
  );
});
