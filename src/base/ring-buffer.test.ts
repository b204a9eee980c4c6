import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RingBuffer } from './ring-buffer.ts';

test('RingBuffer keeps the newest items, oldest first', () => {
  const ring = new RingBuffer<number>(3);
  for (const item of [1, 2]) ring.push(item);
  assert.deepEqual(ring.toArray(), [1, 2]);
  for (const item of [3, 4, 5]) ring.push(item);
  assert.deepEqual(ring.toArray(), [3, 4, 5]);
  assert.equal(ring.size, 3);
});
