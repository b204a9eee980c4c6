import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Snapshot } from '../../model/snapshot.ts';
import { ManualClock } from '../probe/manual-clock.ts';
import { DrainDeadlines } from './drain-deadlines.ts';

/** A snapshot with servers in these slots; only what the deadlines look at. */
function snapshot(...slots: number[]): Snapshot {
  const servers = slots.map((slot) => ({ slot, address: `a${slot}` }));
  return {
    timeouts: { drainMs: 30_000 },
    pools: [{ name: 'web', servers }],
  } as unknown as Snapshot;
}

function start() {
  const clock = new ManualClock();
  const closed: string[] = [];
  const until = new Map<string, number>();
  const deadlines = new DrainDeadlines({
    clock,
    untilOf: (_pool, address) => until.get(address) ?? null,
    close: (slot, overMs) => closed.push(`${slot} over ${overMs}`),
  });
  return { clock, closed, until, deadlines };
}

test('a drain with a deadline closes the rest once, over a tenth of its time', () => {
  const { clock, closed, until, deadlines } = start();
  deadlines.follow(snapshot(1, 2));
  until.set('a1', clock.wallMs() + 120_000);
  deadlines.follow(snapshot(1, 2));
  clock.advance(119_999);
  deadlines.follow(snapshot(1, 2));
  assert.deepEqual(closed, []);
  clock.advance(1);
  assert.deepEqual(closed, ['1 over 12000']);
  deadlines.follow(snapshot(1, 2));
  clock.advance(600_000);
  assert.deepEqual(closed, ['1 over 12000']);
});

test('a server that is taken back keeps what it has', () => {
  const { clock, closed, until, deadlines } = start();
  until.set('a1', clock.wallMs() + 5_000);
  deadlines.follow(snapshot(1));
  until.delete('a1');
  deadlines.follow(snapshot(1));
  clock.advance(60_000);
  assert.deepEqual(closed, []);
});

test('another deadline takes the place of the first; the spread is from 1 s to 30 s', () => {
  const { clock, closed, until, deadlines } = start();
  until.set('a1', clock.wallMs() + 5_000);
  deadlines.follow(snapshot(1, 2));
  until.set('a1', clock.wallMs() + 2_000);
  until.set('a2', clock.wallMs() + 3_600_000);
  deadlines.follow(snapshot(1, 2));
  clock.advance(3_600_000);
  assert.deepEqual(closed, ['1 over 1000', '2 over 30000']);
});

test('a server that left is closed after the drain time, unless it comes back', () => {
  const { clock, closed, deadlines } = start();
  deadlines.follow(snapshot(1, 2));
  deadlines.follow(snapshot());
  clock.advance(29_999);
  deadlines.follow(snapshot(2));
  clock.advance(60_000);
  assert.deepEqual(closed, ['1 over 3000']);
});
