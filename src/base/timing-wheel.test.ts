import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from './prng.ts';
import { TimerEntry, TimingWheel } from './timing-wheel.ts';

test('advance() fires an entry once, not early and late by less than a tick', () => {
  const wheel = new TimingWheel(50, 1000);
  const firedAt: number[] = [];
  const entry = new TimerEntry((nowMs) => firedAt.push(nowMs));
  wheel.schedule(entry, 1120);
  assert.equal(entry.isScheduled, true);
  assert.equal(wheel.size, 1);
  wheel.advance(1119.9);
  assert.deepEqual(firedAt, []);
  // 1120 is 2.4 ticks behind the start: rounded up to tick 3, at 1150.
  wheel.advance(1149.9);
  assert.deepEqual(firedAt, []);
  wheel.advance(1150);
  assert.deepEqual(firedAt, [1150]);
  assert.equal(entry.isScheduled, false);
  assert.equal(wheel.size, 0);
  wheel.advance(9999);
  assert.deepEqual(firedAt, [1150]);
});

test('schedule() moves an entry that is set, and cancel() unsets it', () => {
  const wheel = new TimingWheel(10, 0);
  let count = 0;
  const entry = new TimerEntry(() => count++);
  wheel.schedule(entry, 20);
  wheel.schedule(entry, 200);
  assert.equal(wheel.size, 1);
  assert.equal(entry.dueAtMs, 200);
  wheel.advance(100);
  assert.equal(count, 0);
  wheel.cancel(entry);
  wheel.cancel(entry);
  assert.equal(wheel.size, 0);
  wheel.advance(300);
  assert.equal(count, 0);
});

test('schedule() lets a time that has passed fire in the next tick, not in the running call', () => {
  const wheel = new TimingWheel(10, 0);
  wheel.advance(100);
  let count = 0;
  const entry = new TimerEntry(() => {
    count++;
    wheel.schedule(entry, 0);
  });
  wheel.schedule(entry, 5);
  wheel.advance(109);
  assert.equal(count, 0);
  wheel.advance(110);
  assert.equal(count, 1);
  wheel.advance(500);
  assert.equal(count, 2);
});

test('onTimer may cancel, move and set entries of its own slot', () => {
  const wheel = new TimingWheel(10, 0);
  const fired: string[] = [];
  const cancelled = new TimerEntry(() => fired.push('cancelled'));
  const moved = new TimerEntry(() => fired.push('moved'));
  const added = new TimerEntry(() => fired.push('added'));
  const first = new TimerEntry(() => {
    fired.push('first');
    wheel.cancel(cancelled);
    wheel.schedule(moved, 100);
    // 2048 slots of 10 ms: this lands in the slot that is firing, one turn later.
    wheel.schedule(added, 20 + 20_480);
  });
  const last = new TimerEntry(() => fired.push('last'));
  for (const entry of [first, cancelled, moved, last]) wheel.schedule(entry, 20);
  wheel.advance(20);
  assert.deepEqual(fired, ['first', 'last']);
  wheel.advance(100);
  assert.deepEqual(fired, ['first', 'last', 'moved']);
  wheel.advance(20_499);
  assert.equal(wheel.size, 1);
  wheel.advance(20_500);
  assert.deepEqual(fired.at(-1), 'added');
  assert.equal(wheel.size, 0);
});

test('advance() over more than a turn fires what is due and keeps the rest', () => {
  const wheel = new TimingWheel(1, 0);
  const fired: number[] = [];
  for (const atMs of [5, 3000, 9000, 9001]) {
    wheel.schedule(new TimerEntry(() => fired.push(atMs)), atMs);
  }
  wheel.advance(9000);
  assert.deepEqual(
    fired.sort((one, other) => one - other),
    [5, 3000, 9000],
  );
  assert.equal(wheel.size, 1);
});

test('schedule() and advance() refuse what would break the wheel', () => {
  const wheel = new TimingWheel(1, 0);
  const entry = new TimerEntry(() => wheel.advance(10));
  assert.throws(() => wheel.schedule(entry, Number.NaN), /finite/);
  assert.throws(() => wheel.schedule(entry, Number.POSITIVE_INFINITY), /finite/);
  wheel.schedule(entry, 1);
  assert.throws(() => wheel.advance(5), /its own wheel/);
});

test('a wheel behaves like a sorted list under random use', () => {
  const random = createRandom(11);
  const wheel = new TimingWheel(7, 0);
  const dueTicks = new Map<TimerEntry, number>();
  let nowMs = 0;
  const entries = Array.from({ length: 200 }, () => {
    const entry = new TimerEntry((firedMs) => {
      assert.equal(dueTicks.get(entry) !== undefined, true, 'fired without being set');
      assert.ok(entry.dueAtMs <= firedMs, 'fired early');
      dueTicks.delete(entry);
    });
    return entry;
  });
  for (let step = 0; step < 20_000; step++) {
    const entry = entries[Math.floor(random() * entries.length)]!;
    if (random() < 0.2) {
      wheel.cancel(entry);
      dueTicks.delete(entry);
    } else {
      const atMs = nowMs + random() ** 4 * 40_000;
      wheel.schedule(entry, atMs);
      dueTicks.set(entry, Math.max(Math.ceil(atMs / 7), Math.floor(nowMs / 7) + 1));
    }
    if (random() < 0.3) {
      nowMs += random() ** 3 * 500;
      wheel.advance(nowMs);
      for (const tick of dueTicks.values())
        assert.ok(tick * 7 > nowMs, 'an entry that is due did not fire');
    }
    assert.equal(wheel.size, dueTicks.size);
  }
});
