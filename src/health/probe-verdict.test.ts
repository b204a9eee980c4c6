import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ProbeRules, ProbeVerdict } from './probe-verdict.ts';

const rules: ProbeRules = {
  intervalMs: 5000,
  fastIntervalMs: 1000,
  downIntervalMs: 5000,
  isItsOwnWord: false,
  rise: 2,
  fall: 3,
  jitterRatio: 0,
  startState: 'down',
};

/**
 * Records passes (`+`) and failures (`-`), one per second; shows the verdict and wait after each:
 * `U5 d1 …`.
 */
function run(verdict: ProbeVerdict, results: string, startMs = 0): string {
  return [...results]
    .map((result, at) => {
      const atMs = startMs + (at + 1) * 1000;
      const wasUp = verdict.isUp;
      const isPass = result === '+';
      const change = verdict.record({ atMs, isPass, reason: `${result}${at}`, durationMs: 1 });
      assert.equal(change !== null, wasUp !== verdict.isUp);
      const letter = verdict.isUp ? 'u' : 'd';
      const shown = change === null ? letter : letter.toUpperCase();
      return `${shown}${(verdict.nextAtMs - atMs) / 1000}`;
    })
    .join(' ');
}

const verdictOf = (changes: Partial<ProbeRules> = {}, random = () => 0.5) =>
  new ProbeVerdict({ ...rules, ...changes }, 0, random);

test('a server is probed at once and goes up with its first pass', () => {
  const verdict = verdictOf();
  assert.equal(verdict.nextAtMs, 0);
  assert.equal(verdict.isUp, false);
  assert.equal(run(verdict, '++'), 'U5 u5');
});

test('the start is probed fast for `fall` failures, and the first pass suffices even later', () => {
  assert.equal(run(verdictOf(), '-----+'), 'd1 d1 d5 d5 d5 U5');
});

test('a server that was never up says what its last probe found, and needs one pass', () => {
  const verdict = verdictOf();
  assert.deepEqual([verdict.reason, verdict.passesLeft], ['not probed yet', 1]);
  run(verdict, '--');
  assert.deepEqual([verdict.reason, verdict.passesLeft], ['-1', 1]);
  run(verdict, '+---', 10_000);
  assert.deepEqual([verdict.isUp, verdict.reason, verdict.passesLeft], [false, '-3', 2]);
  run(verdict, '-+', 20_000);
  assert.deepEqual([verdict.reason, verdict.passesLeft], ['-3', 1]);
});

test('up to down takes `fall` failures in a row, back `rise` passes, both probed fast', () => {
  const verdict = verdictOf();
  // A series that breaks off starts anew; the wait is short while a series runs against the
  // verdict.
  assert.equal(run(verdict, '+--+---'), 'U5 u1 u1 u5 u1 u1 D5');
  assert.equal(verdict.reason, '-6');
  assert.equal(verdict.changedAtMs, 7000);
  assert.equal(run(verdict, '-+-++', 7000), 'd5 d1 d5 d1 U5');
  assert.equal(verdict.reason, '+4');
});

test('start state up takes `fall` failures to go down and then `rise` passes', () => {
  const verdict = verdictOf({ startState: 'up' });
  assert.equal(verdict.isUp, true);
  assert.equal(run(verdict, '---'), 'u1 u1 D5');
  assert.equal(run(verdict, '++', 3000), 'd1 U5');
});

test('an interval shorter than the fast one stays, jitter spreads it around its mean', () => {
  assert.equal(run(verdictOf({ intervalMs: 200, fastIntervalMs: 200 }), '+-'), 'U0.2 u0.2');
  assert.equal(
    run(
      verdictOf({ jitterRatio: 0.2 }, () => 0),
      '+',
    ),
    'U4.5',
  );
  // 1 is never drawn; a share of 0.2 around 5 s ends at 5.5 s.
  assert.equal(
    run(
      verdictOf({ jitterRatio: 0.2 }, () => 1),
      '+',
    ),
    'U5.5',
  );
});

test('history() keeps the last 20 results with reasons', () => {
  const verdict = verdictOf();
  run(verdict, '+-'.repeat(15));
  const history = verdict.history();
  assert.equal(history.length, 20);
  assert.deepEqual(history.at(-1), { atMs: 30_000, isPass: false, reason: '-29', durationMs: 1 });
  assert.equal(history[0]!.reason, '+10');
  assert.equal(verdict.streak, -1);
});

test('reconfigure() keeps the verdict and shortens the wait', () => {
  const verdict = verdictOf();
  run(verdict, '+');
  verdict.reconfigure({ ...rules, intervalMs: 2000, downIntervalMs: 2000, fall: 1 }, 1500);
  assert.equal(verdict.isUp, true);
  assert.equal(verdict.nextAtMs, 3500);
  assert.equal(run(verdict, '-', 3500), 'D2');
});

test('a server that flaps must pass ever longer, so that its verdict changes a few times only', () => {
  const verdict = verdictOf({ intervalMs: 250, downIntervalMs: 250, startState: 'up' });
  let changes = 0;
  let atMs = 0;
  // Two seconds down, two seconds up, for two minutes.
  for (; atMs < 120_000; atMs += 250) {
    const isPass = Math.floor(atMs / 2_000) % 2 === 1;
    if (verdict.record({ atMs, isPass, reason: 'x', durationMs: 1 }) !== null) changes++;
  }
  // Down, up (the first return needs two passes only), down, and not up again.
  assert.equal(changes, 3);
  assert.equal(verdict.isUp, false);
  assert.equal(verdict.holdMs, 3_000);
  const wellMs = atMs;
  while (!verdict.isUp) {
    verdict.record({ atMs, isPass: true, reason: 'x', durationMs: 1 });
    atMs += 250;
  }
  // The flapping ended within a passing phase, whose passes count.
  assert.ok(atMs - wellMs <= 3_250 && atMs - wellMs > 1_000, `${atMs - wellMs}`);
  // Three quiet minutes later it is trusted as before: both falls are forgotten.
  atMs += 180_000;
  assert.equal(run(verdict, '---++', atMs).endsWith('U0.25'), true);
});
