import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlicedWork } from './sliced-work.ts';

function* steps(done: string[], name: string, count: number): Generator<void, void> {
  for (let step = 0; step < count; step++) {
    done.push(`${name}${step}`);
    yield;
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('other events have their turn between two slices, and what fits into one is done at once', async () => {
  const done: string[] = [];
  // No step fits beside another.
  const work = new SlicedWork(0);
  work.begin(steps(done, 'a', 3));
  assert.deepEqual(done, ['a0']);
  await turn();
  assert.deepEqual(done, ['a0', 'a1']);
  const quick = new SlicedWork(10_000);
  quick.begin(steps(done, 'q', 2));
  assert.deepEqual(done.slice(-2), ['q0', 'q1']);
});

test('a later work takes the place of one that has not ended', async () => {
  const done: string[] = [];
  const work = new SlicedWork(0);
  work.begin(steps(done, 'a', 3));
  work.begin(steps(done, 'b', 2));
  for (let i = 0; i < 5; i++) await turn();
  assert.deepEqual(done, ['a0', 'b0', 'b1']);
});
