import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ageBudgets, deposit, depositOf, retriesLeft, tryWithdraw } from './retry-budget.ts';

const wordsFor = () => new Int32Array(new SharedArrayBuffer(16));

function withdrawAll(words: Int32Array, pool: number): number {
  let count = 0;
  while (count < 100_000 && tryWithdraw(words, pool)) count++;
  return count;
}

test('a pool without traffic has ten retries, and a refused one costs nothing', () => {
  const words = wordsFor();
  assert.equal(retriesLeft(words, 1), 10);
  assert.equal(withdrawAll(words, 1), 10);
  assert.equal(words[1], -10_000);
  assert.equal(tryWithdraw(words, 1), false);
  assert.equal(words[1], -10_000);
  assert.equal(retriesLeft(words, 1), 0);
  assert.equal(retriesLeft(words, 0), 10);
});

test('each request pays its share: 0.2 of 50 requests are ten more', () => {
  const words = wordsFor();
  for (let request = 0; request < 50; request++) deposit(words, 2, depositOf(0.2));
  assert.equal(withdrawAll(words, 2), 20);
});

test('at a steady rate the budget is ten seconds of shares and the reserve', () => {
  const words = wordsFor();
  for (let second = 0; second < 100; second++) {
    ageBudgets(words, 4);
    for (let request = 0; request < 100; request++) deposit(words, 0, 200);
  }
  // 100 per s × 10 s × 0.2 + 10 = 210, less the thousandths that each ageing cuts off.
  assert.equal(retriesLeft(words, 0), 209);
});

test('ageBudgets() brings the reserve back and lets an old surplus go', () => {
  const words = wordsFor();
  withdrawAll(words, 0);
  deposit(words, 1, 1000 * 200);
  // A tenth of the gap per second: after 22 s 0.9²² = 9.8 % of it is left.
  for (let second = 0; second < 22; second++) ageBudgets(words, 4);
  assert.equal(retriesLeft(words, 0), 9);
  assert.equal(retriesLeft(words, 1), 29);
  for (let second = 0; second < 150; second++) ageBudgets(words, 4);
  assert.deepEqual([...words], [0, 0, 0, 0]);
});

test('deposit() never overflows, though nobody ages the budget', () => {
  const words = wordsFor();
  words[0] = 499_999_999;
  for (let request = 0; request < 10; request++) deposit(words, 0, 1000);
  assert.ok(words[0]! <= 500_001_000 && words[0]! >= 500_000_000, `${words[0]}`);
});

test('depositOf() keeps shares within 0 and 1', () => {
  assert.deepEqual([-1, 0, 0.2, 1, 7].map(depositOf), [0, 0, 200, 1000, 1000]);
});
