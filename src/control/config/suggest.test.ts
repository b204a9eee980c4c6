import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editDistance, nearest } from './suggest.ts';

test('editDistance() counts letters added, dropped, changed and swapped', () => {
  const cases: [string, string, number][] = [
    ['', '', 0],
    ['abc', '', 3],
    ['pool', 'pool', 0],
    ['pol', 'pool', 1],
    ['poool', 'pool', 1],
    ['peol', 'pool', 1],
    ['plicy', 'policy', 1],
    ['ploicy', 'policy', 1],
    ['kitten', 'sitting', 3],
  ];
  for (const [a, b, edits] of cases) assert.equal(editDistance(a, b), edits, `${a} ${b}`);
});

test('nearest() names the near word and nothing where none is near', () => {
  const words = ['servers', 'policy', 'probe', 'retry', 'ip'];
  assert.equal(nearest('polcy', words), 'policy');
  assert.equal(nearest('Server', words), 'servers');
  assert.equal(nearest('round', ['round-robin', 'random']), 'round-robin');
  assert.equal(nearest('least-conn', ['p2c', 'least-connections']), 'least-connections');
  assert.equal(nearest('xy', words), null);
  assert.equal(nearest('database', words), null);
  assert.equal(nearest('x'.repeat(100_000), words), null);
});
