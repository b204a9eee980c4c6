import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { figureCount } from '../../model/history.ts';
import { decodeRow, encodeRow } from './encoding.ts';

function decoded(bytes: Uint8Array): Map<number, number[]> {
  const found = new Map<number, number[]>();
  decodeRow(
    bytes,
    () => true,
    (id, figures) => found.set(id, [...figures]),
  );
  return found;
}

test('decodeRow() gives what encodeRow() was given, for any whole numbers', () => {
  const figures = fc.array(fc.maxSafeNat(), { minLength: figureCount, maxLength: figureCount });
  fc.assert(
    fc.property(fc.dictionary(fc.nat(65_535).map(String), figures), (given) => {
      const ids = Object.keys(given)
        .map(Number)
        .sort((a, b) => a - b);
      const row = encodeRow(ids.map((id) => ({ id, figures: given[id]!, start: 0 })));
      const said = ids.filter((id) => given[id]!.some((value) => value !== 0));
      assert.deepEqual(decoded(row), new Map(said.map((id) => [id, given[id]!])));
    }),
  );
});

test('encodeRow() takes no byte for a series that rests and 34 for a busy one', () => {
  const busy = [30_000, 12, 9e6, 90e6, 6e9, 0, 3, 0, 2_000, 9, 1_000, 9_000, 30_000, 90_000];
  const rest = new Array(figureCount).fill(0);
  const row = encodeRow([
    { id: 1, figures: rest, start: 0 },
    { id: 2, figures: busy, start: 0 },
  ]);
  // 1 id, 2 mask; 3 + 1 + 4 + 4 + 5 + 1 + 2 + 1 + 2 + 2 + 3 + 3 of the figures.
  assert.equal(row.length, 3 + 31);
});

test('decodeRow() keeps what stands before the place where a row was cut', () => {
  const figures = new Array(figureCount).fill(300);
  const row = encodeRow([1, 2, 3].map((id) => ({ id, figures, start: 0 })));
  assert.deepEqual([...decoded(row.slice(0, row.length - 1)).keys()], [1, 2]);
});

test('decodeRow() passes over series that nobody asked for', () => {
  const figures = new Array(figureCount).fill(7);
  const row = encodeRow([1, 2, 3].map((id) => ({ id, figures, start: 0 })));
  const seen: number[] = [];
  decodeRow(
    row,
    (id) => id === 3,
    (id) => seen.push(id),
  );
  assert.deepEqual(seen, [3]);
});
