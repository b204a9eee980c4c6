import assert from 'node:assert/strict';
import { test } from 'node:test';

import { InvariantError } from '../base/invariant.ts';
import { limits } from '../model/limits.ts';
import { PlainBuffers } from './plain-buffers.ts';

test('acquire() gives every buffer of the budget once, then -1', () => {
  const buffers = new PlainBuffers(8);
  const ids = Array.from({ length: 8 }, () => buffers.acquire());
  assert.deepEqual(new Set(ids).size, 8);
  assert.equal(buffers.acquire(), -1);
  assert.equal(buffers.inUse, 8);
  assert.equal(buffers.freeCount, 0);
});

test('startOf() keeps buffers and their headroom apart and inside the array', () => {
  const buffers = new PlainBuffers(3);
  const stride = limits.bufferBytes + limits.bufferHeadroomBytes;
  assert.deepEqual(
    [0, 1, 2].map((id) => buffers.startOf(id)),
    [0, stride, 2 * stride],
  );
  assert.equal(buffers.bytes.length, 3 * stride);
});

test('release() frees a buffer only with its last reference', () => {
  const buffers = new PlainBuffers(2);
  let freed = 0;
  buffers.whenFreed(() => freed++);
  const id = buffers.acquire();
  buffers.retain(id);
  buffers.release(id);
  assert.deepEqual([buffers.inUse, freed], [1, 0]);
  buffers.release(id);
  assert.deepEqual([buffers.inUse, freed], [0, 1]);
  // The buffer freed last is given first, so that memory is touched as little as possible.
  assert.equal(buffers.acquire(), id);
  assert.equal(buffers.touchedCount, 1);
});

test('isScarce is true while fewer than a quarter is free', () => {
  const buffers = new PlainBuffers(8);
  for (let count = 0; count < 6; count++) buffers.acquire();
  assert.equal(buffers.isScarce, false); // 2 of 8 free: a quarter
  const seventh = buffers.acquire();
  assert.equal(buffers.isScarce, true);
  buffers.release(seventh);
  assert.equal(buffers.isScarce, false);
});

test('retain() and release() of a free buffer are bugs', () => {
  const buffers = new PlainBuffers(2);
  assert.throws(() => buffers.release(0), InvariantError);
  assert.throws(() => buffers.retain(1), InvariantError);
  assert.throws(() => buffers.release(7), InvariantError);
});
