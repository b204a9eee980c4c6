import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fittedWeights, serversOf } from './dns-source.ts';

test('fittedWeights() keeps what fits and keeps proportions of what does not', () => {
  assert.deepEqual(fittedWeights([3, 1]), [3, 1]);
  assert.deepEqual(fittedWeights([0, 0]), [1, 1]);
  // 256 / 60000 × 20000 = 85.3
  assert.deepEqual(fittedWeights([60_000, 20_000, 1]), [256, 85, 1]);
  // A very small share beside 10: 1 to 256.
  assert.deepEqual(fittedWeights([10, 0]), [256, 1]);
});

test('serversOf() makes backups of later priorities, and servers of all addresses of a target', () => {
  const records = [
    { target: 'one.test', port: 80, priority: 10, weight: 5 },
    { target: 'two.test', port: 81, priority: 20, weight: 7 },
    { target: '.', port: 0, priority: 10, weight: 0 },
    { target: 'nowhere.test', port: 82, priority: 10, weight: 1 },
  ];
  const addresses = new Map([
    ['one.test', ['10.0.0.2', '10.0.0.1']],
    ['two.test', ['2001:db8::1']],
    ['nowhere.test', []],
  ]);
  const found = serversOf(records.slice(0, 2), addresses).map(
    ({ address, weight, isBackup, labels }) => [address, weight, isBackup, labels['host']],
  );
  assert.deepEqual(found, [
    ['10.0.0.1:80', 5, false, 'one.test'],
    ['10.0.0.2:80', 5, false, 'one.test'],
    ['[2001:db8::1]:81', 7, true, 'two.test'],
  ]);
  assert.equal(serversOf(records.slice(2), addresses).length, 0);
});
