import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FailureCode } from '../model/failure.ts';
import { Verdict } from '../model/shared-memory.ts';
import type { Outlier } from '../model/snapshot.ts';
import { type OutlierChange, OutlierJudge } from './outlier.ts';
import { isFailingStatus, isStreakDue, streakTrigger } from './streak.ts';

const rules: Outlier = {
  consecutive: 5,
  successMarginRatio: 0.1,
  latencyFactor: 4,
  latencyLeastMs: 10,
  intervalMs: 1_000,
  volumeMin: 10,
  ejectForMs: 30_000,
  ejectMaxRatio: 0.3,
};

/** A pool whose verdict words follow the judge's decisions, as control makes them. */
class PoolUnderTest {
  readonly judge = new OutlierJudge(rules);
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
  assert.equal(streakTrigger('connect-refused', 5), 3);
  assert.equal(streakTrigger('connect-refused', 2), 2);
  assert.equal(streakTrigger('upstream-timeout', 5), 5);
  const due = [1, 2, 3, 4, 5, 6].map((count) => isStreakDue('connect-timeout', count, 5));
  assert.deepEqual(due, [false, false, true, false, false, true]);
  // 0: dials only; below: nothing.
  assert.equal(isStreakDue('upstream-timeout', 5, 0), false);
  assert.equal(isStreakDue('connect-timeout', 3, 0), true);
  assert.equal(isStreakDue('connect-timeout', 3, -1), false);
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
  assert.match(pool.judge.history(1)[0]!.reason, /5 failures in a row.*upstream-timeout.*30 s/);
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
  assert.deepEqual(lasted.slice(0, 3), [30, 60, 90]);
  assert.deepEqual(lasted.slice(-3), [300, 300, 300]);
  assert.equal(pool.judge.nextAtMs(), Number.POSITIVE_INFINITY);
  // 32 ejections, 30 minutes of calm take off 30: the next is the third.
  nowMs += 30 * 60_000;
  pool.streak(1, 'upstream-timeout', 5, nowMs);
  assert.equal(pool.judge.ejectedUntilMs(1), nowMs + 90_000);
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
  pool.carryOut(pool.judge.advance(30_000)[0]!);
  pool.streak(1, 'upstream-timeout', 5, 40_000);
  assert.equal(pool.streak(1, 'connect-refused', 3, 41_000), 'refusing');
  assert.equal(pool.verdicts.get(1), Verdict.REFUSING);
  // Still the second ejection, not the third: connections for 5 s bring it back.
  assert.equal(pool.judge.countOf(1), 2);
  assert.match(pool.judge.history(1).at(-1)!.reason, /until it takes connections for 3 s/);
  assert.equal(pool.streak(1, 'upstream-timeout', 5, 42_000), 'nothing');
});

test('setServers() keeps what is known of servers that stay and forgets the others', () => {
  const pool = new PoolUnderTest(3);
  pool.streak(1, 'connect-refused', 3, 0);
  pool.judge.setServers([1, 2]);
  assert.equal(pool.judge.ejectedUntilMs(1), 300_000);
  pool.judge.setServers([2]);
  pool.judge.setServers([1, 2]);
  assert.equal(pool.judge.ejectedUntilMs(1), null);
  assert.deepEqual(pool.judge.history(1), []);
});

test('a server that refused before comes back only when connections succeed for a while', () => {
  const pool = new PoolUnderTest(3);
  let nowMs = 0;
  const changes: string[] = [];
  const note = (kind: string): void => {
    if (kind !== 'nothing') changes.push(`${kind} ${nowMs / 1000}`);
  };
  // Two seconds down, two seconds up, for two minutes; traffic and tries each half second.
  for (; nowMs < 120_000; nowMs += 500) {
    const isDown = Math.floor(nowMs / 2_000) % 2 === 0;
    if (isDown && pool.verdicts.get(1) === 0) note(pool.streak(1, 'connect-refused', 3, nowMs));
    for (const slot of pool.judge.reconnectsDue(nowMs)) {
      note(pool.carryOut(pool.judge.onReconnect(slot, !isDown, nowMs)));
    }
    for (const change of pool.judge.advance(nowMs)) note(pool.carryOut(change));
  }
  assert.deepEqual(changes, ['refusing 0', 'readmitted 2', 'refusing 4']);
  // Well since the last flap at 118 s: after three seconds of connections it is back.
  for (let step = 0; step < 12; step++, nowMs += 500) {
    for (const slot of pool.judge.reconnectsDue(nowMs)) {
      note(pool.carryOut(pool.judge.onReconnect(slot, true, nowMs)));
    }
  }
  assert.deepEqual(changes.slice(3), ['readmitted 121']);
});

test('onStandout() ejects within the cap; a readmitted server proves itself for a while', () => {
  const pool = new PoolUnderTest(5);
  const standout = (slot: number, nowMs: number): string =>
    pool.carryOut(
      pool.judge.onStandout({ slot, reason: 'fails' }, nowMs, (of) => pool.verdicts.get(of)!),
    );
  assert.equal(standout(1, 0), 'ejected');
  assert.equal(standout(1, 1), 'nothing');
  assert.equal(standout(2, 1), 'spared');
  assert.equal(pool.judge.isProving(1, 29_999), false);
  pool.carryOut(pool.judge.advance(30_000)[0]!);
  assert.equal(pool.judge.isProving(1, 30_001), true);
  assert.equal(pool.judge.isProving(2, 30_001), false);
  assert.equal(standout(1, 31_000), 'ejected');
  assert.equal(pool.judge.ejectedUntilMs(1), 91_000);
  pool.carryOut(pool.judge.advance(91_000)[0]!);
  assert.equal(pool.judge.isProving(1, 121_000), false);
});

test('setTrouble() takes ejected servers back and ejects nobody while it lasts', () => {
  const pool = new PoolUnderTest(5);
  pool.streak(1, 'upstream-timeout', 5, 0);
  const [change] = pool.judge.setTrouble('4 of 4 servers fail', 1_000);
  assert.equal(pool.carryOut(change!), 'readmitted');
  assert.match(change!.event.reason, /panic, as 4 of 4 servers fail/);
  assert.equal(pool.streak(2, 'upstream-timeout', 5, 2_000), 'spared');
  // A server that refuses is out all the same.
  assert.equal(pool.streak(2, 'connect-refused', 3, 2_000), 'refusing');
  assert.deepEqual(pool.judge.setTrouble(null, 3_000), []);
  assert.equal(pool.streak(3, 'upstream-timeout', 5, 4_000), 'ejected');
});
