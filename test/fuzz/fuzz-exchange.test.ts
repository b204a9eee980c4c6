import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzExchange, playCase, replay } from './fuzz-exchange.ts';
import { regressions } from './regressions.ts';

// The same cases in every run: what fails for one fails for all. `npm run fuzz` looks for new ones.
const SEED = 2_092_808_530;
const CASES = 6_000;

for (const { title, flags, steps } of regressions) {
  test(`fuzz, found before: ${title}`, () => {
    assert.equal(replay(flags, steps), null);
  });
}

test('fuzz: a seed always plays the same case', () => {
  // a finding could not be replayed otherwise
  const { steps } = playCase(4711);
  assert.ok(steps.length > 10);
  assert.deepEqual(playCase(4711).steps, steps);
});

test(`fuzz: no bytes and no order of events break a rule of exchanges (${CASES} cases)`, () => {
  let left = CASES;
  assert.equal(
    fuzzExchange(SEED, () => left-- === 0),
    CASES,
  );
});
