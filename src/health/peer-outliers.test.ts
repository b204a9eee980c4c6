import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../base/prng.ts';
import { failingServers, failingShare, slowServers } from './peer-outliers.ts';

/** Records of servers 1, 2 … from pairs of good attempts and faults. */
const recordsOf = (pairs: readonly (readonly [number, number])[]) =>
  pairs.map(([good, faults], index) => ({ slot: index + 1, good, faults }));

const rules = { marginRatio: 0.1, volumeMin: 10, isProving: () => false };
const slotsOf = (found: readonly { slot: number }[]): number[] => found.map(({ slot }) => slot);

test('failingServers() finds one of five that fails 30 %, also with few requests', () => {
  const many = recordsOf([
    [70, 30],
    [100, 0],
    [100, 0],
    [100, 0],
    [100, 0],
  ]);
  const [found] = failingServers(many, rules);
  assert.equal(found?.slot, 1);
  // Mean 0; sample error of 100 attempts: 3 × √(1/202 × 201/202 / 100) = 2.1 %, below the margin.
  assert.match(found.reason, /30% of its last 100 attempts failed, 0% at its peers \(limit 10%\)/);
  const few = recordsOf([
    [7, 3],
    [10, 0],
    [10, 0],
    [10, 0],
    [10, 0],
  ]);
  assert.deepEqual(slotsOf(failingServers(few, rules)), [1]);
});

test('failingServers() says nothing of small volumes, single accidents and common trouble', () => {
  const well = [100, 0] as const;
  assert.deepEqual(failingServers(recordsOf([[6, 3], well, well]), rules), []);
  assert.deepEqual(failingServers(recordsOf([[8, 2], well, well]), rules), []);
  // 9 % more than the peers is below the margin.
  assert.deepEqual(failingServers(recordsOf([[91, 9], well, well]), rules), []);
  const alike = recordsOf([
    [70, 30],
    [68, 32],
    [72, 28],
    [65, 35],
    [71, 29],
  ]);
  assert.deepEqual(failingServers(alike, rules), []);
  assert.deepEqual(failingServers(recordsOf([[70, 30]]), rules), []);
  assert.deepEqual(failingServers([], rules), []);
});

test('failingServers() finds two bad ones of five, the worse one first, and one of two', () => {
  const records = recordsOf([
    [70, 30],
    [50, 50],
    [100, 0],
    [99, 1],
    [100, 0],
  ]);
  assert.deepEqual(slotsOf(failingServers(records, rules)), [2, 1]);
  assert.deepEqual(
    slotsOf(
      failingServers(
        recordsOf([
          [70, 30],
          [100, 0],
        ]),
        rules,
      ),
    ),
    [1],
  );
});

test('failingServers() needs less of a server that proves itself, and nothing at 100 %', () => {
  const records = recordsOf([
    [4, 2],
    [100, 0],
    [100, 0],
  ]);
  assert.deepEqual(failingServers(records, rules), []);
  const isProving = (slot: number): boolean => slot === 1;
  assert.deepEqual(slotsOf(failingServers(records, { ...rules, isProving })), [1]);
  assert.deepEqual(failingServers(records, { ...rules, isProving, marginRatio: 1 }), []);
});

test('failingServers() rarely accuses one of five servers that all fail 2 % by chance', () => {
  const random = createRandom(7);
  let accused = 0;
  for (let round = 0; round < 2_000; round++) {
    const records = [1, 2, 3, 4, 5].map((slot) => {
      let faults = 0;
      for (let request = 0; request < 40; request++) if (random() < 0.02) faults++;
      return { slot, good: 40 - faults, faults };
    });
    accused += failingServers(records, rules).length;
  }
  // 10,000 verdicts; 6 faults of 40 where 0.8 are expected come up 2 times in 10,000 by chance.
  assert.ok(accused <= 8, `${accused} of 10,000`);
});

test('failingShare() counts those with volume only', () => {
  const records = recordsOf([
    [5, 5],
    [80, 20],
    [81, 19],
    [1, 1],
  ]);
  assert.deepEqual(failingShare(records, 10, 0.2), { failing: 2, known: 3 });
});

test('slowServers() finds the one that is ten times slower than its peers', () => {
  const latencies = [5_000, 5_500, 50_000, 4_800, 5_200].map((medianUs, slot) => ({
    slot,
    medianUs,
  }));
  const [found, ...others] = slowServers(latencies, { factor: 4, leastMs: 10 });
  assert.equal(found?.slot, 2);
  assert.match(found.reason, /over 50 ms, 10\.0 times the 5\.0 ms of its peers/);
  assert.deepEqual(others, []);
  assert.deepEqual(slowServers(latencies, { factor: 0, leastMs: 10 }), []);
  assert.deepEqual(slowServers(latencies, { factor: 4, leastMs: 51 }), []);
  assert.deepEqual(slowServers(latencies.slice(1, 3), { factor: 4, leastMs: 10 }), []);
});
