import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlowStartRamps } from './slow-start.ts';

const setting = { windowMs: 30_000, aggression: 1, minRatio: 0.1 };

function factors(ramps: SlowStartRamps, nowMs: number): Record<number, number> {
  const found: Record<number, number> = {};
  ramps.each(nowMs, (slot, factor) => {
    found[slot] = Math.round(factor * 1000) / 1000;
  });
  return found;
}

test('SlowStartRamps grows from min to 1 within the window', () => {
  const ramps = new SlowStartRamps(setting);
  ramps.fit(1, 0, true);
  ramps.fit(2, 1_000, false);
  assert.deepEqual(factors(ramps, 1_000), { 1: 1, 2: 0.1 });
  assert.deepEqual(factors(ramps, 16_000), { 1: 1, 2: 0.5 });
  assert.equal(
    ramps.each(30_999, () => {}),
    true,
  );
  assert.deepEqual(factors(ramps, 31_000), { 1: 1, 2: 1 });
  assert.equal(
    ramps.each(31_000, () => {}),
    false,
  );
});

test('SlowStartRamps: aggression bends the ramp', () => {
  const ramps = new SlowStartRamps({ ...setting, aggression: 2 });
  ramps.fit(1, 0, true);
  ramps.fit(2, 0, false);
  // (7.5 / 30)^(1/2).
  assert.equal(factors(ramps, 7_500)[2], 0.5);
});

test('SlowStartRamps: where all are new, none is held back', () => {
  const ramps = new SlowStartRamps(setting);
  ramps.fit(1, 0, false);
  ramps.fit(2, 5_000, false);
  assert.deepEqual(factors(ramps, 6_000), { 1: 1, 2: 1 });
  // The first one is through: the second goes on with its ramp.
  assert.deepEqual(factors(ramps, 30_500), { 1: 1, 2: 0.85 });
});

test('SlowStartRamps: who recovers begins anew, who stays fit does not', () => {
  const ramps = new SlowStartRamps(setting);
  ramps.fit(1, 0, true);
  ramps.fit(2, 0, true);
  ramps.fit(2, 50_000, false);
  assert.deepEqual(factors(ramps, 50_000), { 1: 1, 2: 1 });
  ramps.unfit(2);
  assert.deepEqual(factors(ramps, 51_000), { 1: 1 });
  ramps.fit(2, 60_000, false);
  assert.deepEqual(factors(ramps, 60_000), { 1: 1, 2: 0.1 });
});
