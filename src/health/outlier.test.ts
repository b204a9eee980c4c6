import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FailureCode } from '../model/failure.ts';
import { Verdict } from '../model/shared-memory.ts';
import { type OutlierChange, OutlierJudge } from './outlier.ts';
import { isFailingStatus, isStreakDue, streakTrigger } from './streak.ts';

/** A pool whose verdict words follow the judge's decisions, as control makes them. */
class PoolUnderTest {
  readonly judge = new OutlierJudge();
  readonly verdicts = new Map<number, number>();

  constructor(count: number) {
    const slots = Array.from({ length: count }, (_, at) => at + 1);
    this.judge.setServers(slots);
    for (const slot of slots) this.verdicts.set(slot, 0);
  }

  streak(slot: number, code: FailureCode, count: number, nowMs: number): string {
    const change = this.judge.onStreak(
      { slot, code, count },
      nowMs,
      (of) => this.verdicts.get(of)!,
    );
    return this.carryOut(change);
  }

  carryOut(change: OutlierChange | null): string {
    if (change === null) return 'nothing';
    const { slot, kind } = change.event;
    this.verdicts.set(slot, (this.verdicts.get(slot)! & ~change.clearBits) | change.setBits);
    return kind;
  }
}

test('triggers: three failed dials or five other failures in a row', () => {
  assert.equal(streakTrigger('connect-refused'), 3);
  assert.equal(streakTrigger('upstream-timeout'), 5);
  const due = [1, 2, 3, 4, 5, 6].map((count) => isStreakDue('connect-timeout', count));
  assert.deepEqual(due, [false, false, true, false, false, true]);
  assert.deepEqual([500, 501, 502, 503, 504, 505].map(isFailingStatus), [
    false,
    false,
    true,
    true,
    true,
    false,
  ]);
});

test('onStreak() ejects at the trigger, not before, and once', () => {
  const pool = new PoolUnderTest(3);
  assert.equal(pool.streak(1, 'upstream-timeout', 4, 0), 'nothing');
  assert.equal(pool.streak(1, 'upstream-timeout', 5, 0), 'ejected');
  assert.equal(pool.verdicts.get(1), Verdict.EJECTED);
  assert.equal(pool.streak(1, 'upstream-timeout', 10, 1), 'nothing');
  assert.equal(pool.streak(9, 'upstream-timeout', 10, 1), 'nothing');
  assert.match(pool.judge.history(1)[0]!.reason, /5 failures in a row.*upstream-timeout.*10 s/);
});

test('an ejection ends by time, grows with each one up to 300 s, and calms down', () => {
  const pool = new PoolUnderTest(2);
  let nowMs = 0;
  const lasted: number[] = [];
  for (let round = 1; round <= 32; round++) {
    assert.equal(pool.streak(1, 'upstream-timeout', 5, nowMs), 'ejected');
    const untilMs = pool.judge.ejectedUntilMs(1)!;
    assert.equal(pool.judge.nextAtMs(), untilMs);
    assert.deepEqual(pool.judge.advance(untilMs - 1), []);
    const [change] = pool.judge.advance(untilMs);
    assert.equal(pool.carryOut(change!), 'readmitted');
    assert.equal(pool.verdicts.get(1), 0);
    lasted.push((untilMs - nowMs) / 1000);
    nowMs = untilMs;
  }
  assert.deepEqual(lasted.slice(0, 3), [10, 20, 30]);
  assert.deepEqual(lasted.slice(-3), [300, 300, 300]);
  assert.equal(pool.judge.nextAtMs(), Number.POSITIVE_INFINITY);
  // 32 ejections, 30 minutes of calm take off 30: the next is the third.
  nowMs += 30 * 60_000;
  pool.streak(1, 'upstream-timeout', 5, nowMs);
  assert.equal(pool.judge.ejectedUntilMs(1), nowMs + 30_000);
});

test('the last eligible server is spared, whatever it does, and noted every 10 s at most', () => {
  const pool = new PoolUnderTest(2);
  pool.verdicts.set(2, Verdict.PROBE_DOWN);
  assert.equal(pool.streak(1, 'connect-refused', 3, 0), 'spared');
  assert.equal(pool.streak(1, 'connect-refused', 6, 9999), 'nothing');
  assert.equal(pool.streak(1, 'connect-refused', 9, 10_000), 'spared');
  assert.equal(pool.verdicts.get(1), 0);
  pool.verdicts.set(2, 0);
  assert.equal(pool.streak(1, 'connect-refused', 12, 10_001), 'refusing');
  assert.equal(new PoolUnderTest(1).streak(1, 'connect-refused', 3, 0), 'spared');
});

test('at most 30 % are softly ejected at once, one at least; refusing ones do not count', () => {
  const small = new PoolUnderTest(6);
  assert.equal(small.streak(1, 'upstream-timeout', 5, 0), 'ejected');
  assert.equal(small.streak(2, 'upstream-timeout', 5, 0), 'spared');
  assert.equal(small.streak(2, 'connect-refused', 3, 0), 'refusing');
  assert.equal(small.streak(3, 'connect-refused', 3, 0), 'refusing');
  const large = new PoolUnderTest(10);
  const kinds = [1, 2, 3, 4].map((slot) => large.streak(slot, 'upstream-timeout', 5, 0));
  assert.deepEqual(kinds, ['ejected', 'ejected', 'ejected', 'spared']);
});

test('a refusing server is tried every second and comes back with a connection', () => {
  const pool = new PoolUnderTest(3);
  pool.streak(1, 'connect-refused', 3, 0);
  assert.equal(pool.verdicts.get(1), Verdict.REFUSING);
  assert.equal(pool.judge.nextAtMs(), 1000);
  assert.deepEqual(pool.judge.reconnectsDue(999), []);
  assert.deepEqual(pool.judge.reconnectsDue(1000), [1]);
  assert.deepEqual(pool.judge.reconnectsDue(1500), []);
  assert.equal(pool.carryOut(pool.judge.onReconnect(1, false, 1600)), 'nothing');
  assert.deepEqual(pool.judge.reconnectsDue(2600), [1]);
  assert.equal(pool.carryOut(pool.judge.onReconnect(1, true, 2700)), 'readmitted');
  assert.equal(pool.verdicts.get(1), 0);
  assert.equal(pool.carryOut(pool.judge.onReconnect(1, true, 2800)), 'nothing');
});

test('from ejected to refusing is the same ejection, worse; not the other way', () => {
  const pool = new PoolUnderTest(3);
  pool.streak(1, 'upstream-timeout', 5, 0);
  pool.carryOut(pool.judge.advance(10_000)[0]!);
  pool.streak(1, 'upstream-timeout', 5, 20_000);
  assert.equal(pool.streak(1, 'connect-refused', 3, 21_000), 'refusing');
  assert.equal(pool.verdicts.get(1), Verdict.REFUSING);
  // Still the second ejection, 20 s, not the third.
  assert.equal(pool.judge.ejectedUntilMs(1), 41_000);
  assert.equal(pool.streak(1, 'upstream-timeout', 5, 22_000), 'nothing');
});

test('setServers() keeps what is known of servers that stay and forgets the others', () => {
  const pool = new PoolUnderTest(3);
  pool.streak(1, 'connect-refused', 3, 0);
  pool.judge.setServers([1, 2]);
  assert.equal(pool.judge.ejectedUntilMs(1), 10_000);
  pool.judge.setServers([2]);
  pool.judge.setServers([1, 2]);
  assert.equal(pool.judge.ejectedUntilMs(1), null);
  assert.deepEqual(pool.judge.history(1), []);
});
