import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSameData } from './same-data.ts';

const inf = Number.POSITIVE_INFINITY;

test('isSameData() says yes to the same values, whatever the order of keys', () => {
  const pairs: [unknown, unknown][] = [
    [1, 1],
    [Number.NaN, Number.NaN],
    [null, null],
    [inf, inf],
    [
      { a: 1, b: [{ c: null }] },
      { b: [{ c: null }], a: 1 },
    ],
    [{ a: 1, b: undefined }, { a: 1 }],
    [{ a: 1 }, { b: undefined, a: 1 }],
  ];
  for (const [one, other] of pairs) assert.ok(isSameData(one, other), JSON.stringify([one, other]));
});

test('isSameData() sees every difference', () => {
  const pairs: [unknown, unknown][] = [
    [1, '1'],
    [0, null],
    [null, {}],
    [[], {}],
    [{}, []],
    [[1], [1, 2]],
    [
      [1, 2],
      [2, 1],
    ],
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: 1, b: 2 }, { a: 1 }],
    [{ a: { b: inf } }, { a: { b: null } }],
    [{ toString: 1 }, {}],
    [{}, { toString: 1 }],
  ];
  for (const [one, other] of pairs)
    assert.ok(!isSameData(one, other), JSON.stringify([one, other]));
});
