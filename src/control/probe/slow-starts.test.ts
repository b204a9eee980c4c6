import assert from 'node:assert/strict';
import { test } from 'node:test';
import { weightFactorOf } from '../../balance/weight-factor.ts';
import { plainBalancing } from '../../model/balancing.ts';
import { allocateShared, attachWords } from '../../model/shared-memory.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { ManualClock } from './manual-clock.ts';
import { SlowStarts } from './slow-starts.ts';

const slowStart = { windowMs: 30_000, aggression: 1, minRatio: 0.1 };

function rig() {
  const clock = new ManualClock();
  const words = attachWords(allocateShared(1, { counterCount: 1, histogramWords: 1 }));
  const ramps = new SlowStarts(words, clock);
  const snapshotOf = (slots: readonly number[], setting: typeof slowStart | null = slowStart) =>
    ({
      pools: [
        {
          name: 'web',
          balancing: { ...plainBalancing, slowStart: setting },
          servers: slots.map((slot) => ({ slot })),
        },
      ],
    }) as unknown as Snapshot;
  /** As `ServerHealth` does it: told before the word changes. */
  const judge = (slot: number, before: number, after: number) => {
    ramps.onVerdict(slot, before, after);
    Atomics.store(words.verdict, slot, after);
  };
  return {
    clock,
    words,
    ramps,
    snapshotOf,
    judge,
    factorOf: (slot: number) => weightFactorOf(words, slot),
  };
}

test('SlowStarts: servers that come with their pool get their whole share', () => {
  const { clock, ramps, snapshotOf, judge, factorOf } = rig();
  ramps.apply(snapshotOf([1, 2]));
  judge(1, -1, 0);
  // The other one waits for its first probe.
  judge(2, -1, 1);
  clock.advance(500);
  judge(2, 1, 0);
  assert.deepEqual([factorOf(1), factorOf(2)], [1, 1]);
  ramps.stop();
});

test('SlowStarts: a server that is added ramps up, visible before its verdict', () => {
  const { clock, words, ramps, snapshotOf, judge, factorOf } = rig();
  ramps.apply(snapshotOf([1]));
  judge(1, -1, 0);
  clock.advance(60_000);
  ramps.apply(snapshotOf([1, 2]));
  const epoch = words.epoch[0]!;
  judge(2, -1, 0);
  assert.equal(factorOf(2), 0.1);
  clock.advance(15_000);
  assert.ok(Math.abs(factorOf(2) - 0.5) < 0.05, `${factorOf(2)}`);
  assert.ok(words.epoch[0]! > epoch + 10);
  clock.advance(16_000);
  assert.equal(factorOf(2), 1);
  const ended = words.epoch[0]!;
  clock.advance(60_000);
  assert.equal(words.epoch[0], ended);
});

test('SlowStarts: a server that recovers ramps up; switched off, nothing is held back', () => {
  const { clock, ramps, snapshotOf, judge, factorOf } = rig();
  ramps.apply(snapshotOf([1, 2]));
  judge(1, -1, 0);
  judge(2, -1, 0);
  clock.advance(60_000);
  judge(2, 0, 4);
  clock.advance(5_000);
  judge(2, 4, 0);
  assert.equal(factorOf(2), 0.1);
  ramps.apply(snapshotOf([1, 2], null));
  assert.equal(factorOf(2), 1);
  // Switched on in a pool that runs: who is fit stays whole.
  ramps.apply(snapshotOf([1, 2]));
  assert.deepEqual([factorOf(1), factorOf(2)], [1, 1]);
  ramps.stop();
});
