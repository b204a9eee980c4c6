import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chooseDriver, DriverRefusal } from './choose-driver.ts';
import { probeUring } from './uring/probe.ts';

test('chooseDriver() gives the portable driver whenever it is asked for', () => {
  assert.deepEqual(chooseDriver('portable').name, 'portable');
});

test('chooseDriver() decides auto by the probe and says why', () => {
  const probe = probeUring();
  const choice = chooseDriver('auto');
  assert.equal(choice.name, probe.isUsable ? 'uring' : 'portable');
  assert.equal(choice.reason, probe.reason);
});

test('chooseDriver() refuses a forced uring that cannot run', () => {
  if (probeUring().isUsable) assert.equal(chooseDriver('uring').name, 'uring');
  else assert.throws(() => chooseDriver('uring'), DriverRefusal);
});
