import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../model/limits.ts';
import { allocateShared, attachWords } from '../model/shared-memory.ts';
import {
  clearWeightFactor,
  setWeightFactor,
  WeightSource,
  weightFactorOf,
} from './weight-factor.ts';

const words = () => attachWords(allocateShared(1, { counterCount: 1, histogramWords: 1 }));

test('weightFactorOf() is 1 for what nobody wrote, else the product of all sources', () => {
  const some = words();
  assert.equal(weightFactorOf(some, 7), 1);
  assert.equal(setWeightFactor(some, WeightSource.AGENT, 7, 0.75), true);
  assert.equal(setWeightFactor(some, WeightSource.LOAD, 7, 0.5), true);
  assert.equal(setWeightFactor(some, WeightSource.SLOW_START, 7, 0.1), true);
  assert.ok(Math.abs(weightFactorOf(some, 7) - 0.0375) < 1e-12);
  assert.equal(weightFactorOf(some, 6), 1);
  assert.equal(weightFactorOf(some, 8), 1);
});

test('setWeightFactor() stays within 0 and 1 and says whether something changed', () => {
  const some = words();
  assert.equal(setWeightFactor(some, WeightSource.AGENT, 0, 7), false);
  assert.equal(setWeightFactor(some, WeightSource.AGENT, 0, -1), true);
  assert.equal(weightFactorOf(some, 0), 0);
  assert.equal(setWeightFactor(some, WeightSource.AGENT, 0, 0), false);
});

test('clearWeightFactor() makes a slot whole, at both ends of the rows', () => {
  const some = words();
  for (const slot of [0, limits.serverSlots - 1]) {
    setWeightFactor(some, WeightSource.SLOW_START, slot, 0.2);
    setWeightFactor(some, WeightSource.LOAD, slot, 0.2);
    clearWeightFactor(some, slot);
    assert.equal(weightFactorOf(some, slot), 1);
  }
});
