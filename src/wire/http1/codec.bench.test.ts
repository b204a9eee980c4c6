import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchCodec } from './codec.bench.ts';

test('benchCodec() times every part', () => {
  const timings = benchCodec(200);
  assert.ok(Object.keys(timings).length >= 9);
  for (const [name, nanoseconds] of Object.entries(timings)) assert.ok(nanoseconds >= 0, name);
});
