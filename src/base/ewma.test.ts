import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ewma } from './ewma.ts';

test('Ewma starts at its first sample and forgets to 1/e in its time constant', () => {
  const mean = new Ewma(1000);
  assert.equal(mean.value, 0);
  mean.observe(100, 50);
  assert.equal(mean.value, 100);
  mean.observe(0, 1050);
  assert.ok(Math.abs(mean.value - 100 / Math.E) < 1e-9);
  const before = mean.value;
  mean.observe(1000, 1050);
  assert.ok(mean.value > before, 'a sample of the same instant counts a little');
});
