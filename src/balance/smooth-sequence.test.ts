import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../base/prng.ts';
import { candidatesOf } from './policy.conformance.ts';
import { smoothSequence } from './smooth-sequence.ts';

/** The published algorithm pick by pick on names, independent of the sequence under test. */
function reference(weights: Record<string, number>, picks: number): string {
  const current = Object.fromEntries(Object.keys(weights).map((name) => [name, 0]));
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  let out = '';
  for (let pick = 0; pick < picks; pick++) {
    let best: string | null = null;
    for (const name of Object.keys(weights)) {
      current[name] = current[name]! + weights[name]!;
      if (best === null || current[name]! > current[best]!) best = name;
    }
    current[best!] = current[best!]! - total;
    out += best;
  }
  return out;
}

const lettersOf = (weights: readonly number[]) =>
  [...smoothSequence(candidatesOf(weights))].map((index) => 'abcdefgh'[index]).join('');

test('smoothSequence() gives the vector of the algorithm’s announcement', () => {
  // nginx commit 52327e0 names it: { 5, 1, 1 } → a a b a c a a.
  assert.equal(reference({ a: 5, b: 1, c: 1 }, 7), 'aabacaa');
  assert.equal(lettersOf([5, 1, 1]), 'aabacaa');
});

test('smoothSequence() equals the reference for random weights', () => {
  const random = createRandom(21);
  for (let round = 0; round < 100; round++) {
    const weights = Array.from(
      { length: 1 + Math.floor(random() * 6) },
      () => 1 + Math.floor(random() * 20),
    );
    const sequence = lettersOf(weights);
    const named = Object.fromEntries(weights.map((weight, at) => ['abcdefgh'[at]!, weight]));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    assert.equal(sequence.repeat(total / sequence.length), reference(named, total), `${weights}`);
  }
});

test('smoothSequence() divides by the common divisor, and equal weights keep the written order', () => {
  assert.equal(lettersOf([50, 10, 10]), 'aabacaa');
  assert.equal(lettersOf([7, 7, 7]), 'abc');
  assert.equal(lettersOf([]), '');
});

test('smoothSequence() bounds its period, and gives every server a turn', () => {
  const long = smoothSequence(candidatesOf([1_000_003, 999_983, 7]));
  assert.ok(long.length <= 8192);
  const counts = [0, 0, 0];
  for (const index of long) counts[index]! += 1;
  assert.equal(counts[2], 1);
  assert.ok(Math.abs(counts[0]! / counts[1]! - 1) < 0.01);
});

test('smoothSequence() of thousands of servers gives every one its share, evenly spread', () => {
  const weights = Array.from({ length: 5000 }, (_, at) => 1 + (at % 20));
  const sequence = smoothSequence(candidatesOf(weights));
  // The sum, 52,500, fits 32 turns for each of 5,000.
  assert.equal(sequence.length, 52_500);
  const turns = new Map<number, number[]>();
  for (const [at, index] of sequence.entries()) {
    const own = turns.get(index);
    if (own === undefined) turns.set(index, [at]);
    else own.push(at);
  }
  for (const [index, own] of turns) {
    assert.equal(own.length, weights[index]);
    const gap = sequence.length / own.length;
    for (let nth = 1; nth < own.length; nth++) {
      assert.ok(Math.abs((own[nth]! - own[nth - 1]!) / gap - 1) < 0.05);
    }
  }
});
