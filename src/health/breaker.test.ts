import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Admission, admission, CircuitBreaker } from './breaker.ts';

const rules = { errorsRatio: 0.5, volumeMin: 20, windowMs: 10_000, openMs: 10_000, trials: 5 };

test('a breaker opens at its share of errors, tries after its time, and closes or opens again', () => {
  const breaker = new CircuitBreaker(rules);
  assert.equal(breaker.look(0, 0, 0, 0), null);
  // 19 attempts are too few, 9 of 20 too good.
  assert.equal(breaker.look(1_000, 0, 19, 0), null);
  assert.equal(breaker.look(2_000, 11, 19, 0), -1);
  assert.equal(breaker.look(11_900, 11, 19, -1), null);
  assert.equal(breaker.look(12_000, 11, 19, -1), 6);
  // Three of five trials may not fail.
  assert.equal(breaker.look(13_000, 12, 21, 1), null);
  assert.equal(breaker.look(14_000, 12, 22, 1), -1);
  assert.equal(breaker.look(24_000, 12, 22, -1), 6);
  assert.equal(breaker.look(25_000, 16, 22, 1), null);
  assert.equal(breaker.look(26_000, 17, 22, 1), 0);
  assert.deepEqual(
    breaker.changes.map(({ state, why }) => `${state}: ${why}`),
    [
      'open: 19 of the last 30 attempts failed; open for 10 s',
      'half-open: its time is over: 5 requests try it',
      'open: 3 of 4 trials failed; open for 10 s',
      'half-open: its time is over: 5 requests try it',
      'closed: 5 of 5 trials ended well',
    ],
  );
  // What was before the trials does not open it again.
  assert.equal(breaker.look(27_000, 17, 22, 0), null);
});

test('trials that do not end are followed by others; unspent ones wait', () => {
  const breaker = new CircuitBreaker(rules);
  breaker.look(0, 0, 0, 0);
  breaker.look(1_000, 0, 20, 0);
  assert.equal(breaker.look(11_000, 0, 20, -1), 6);
  assert.equal(breaker.look(30_000, 0, 20, 3), null);
  assert.equal(breaker.look(31_000, 0, 20, 1), 6);
});

test('admission() lets as many through as there are trials', () => {
  const words = new Int32Array(new SharedArrayBuffer(8));
  assert.equal(admission(words, 1), Admission.PASSES);
  words[1] = -1;
  assert.equal(admission(words, 1), Admission.REFUSED);
  words[1] = 4;
  assert.deepEqual(
    [1, 2, 3, 4, 5].map(() => admission(words, 1)),
    [Admission.TRIAL, Admission.TRIAL, Admission.TRIAL, Admission.REFUSED, Admission.REFUSED],
  );
});
