import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzExchange, playCase, replay } from './fuzz-exchange.ts';
import { regressions } from './regressions.ts';

const seconds = Number(process.env['EVENKEEL_FUZZ_SECONDS'] ?? 60);
const seed = Number(process.env['EVENKEEL_FUZZ_SEED'] ?? Date.now() % 2 ** 31);

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

test(`fuzz: no bytes and no order of events break a rule of exchanges (seed ${seed}, ${seconds} s)`, () => {
  const endMs = performance.now() + seconds * 1_000;
  const played = fuzzExchange(seed, () => performance.now() > endMs);
  assert.ok(played > seconds, `${played} cases played`);
});
