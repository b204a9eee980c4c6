import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteTable } from './byte-table.ts';

const encoder = new TextEncoder();
const keys = ['', 'a', 'b', 'ab', 'ba'].map((key) => encoder.encode(key));

test('find() tells keys of one hash apart by their bytes', () => {
  const table = new ByteTable(keys, [7, 7, 7, 7, 7]);
  const bytes = encoder.encode('xabx');
  assert.equal(table.find(7, bytes, 1, 3), 3);
  assert.equal(table.find(7, bytes, 1, 2), 1);
  assert.equal(table.find(7, bytes, 2, 2), 0);
  assert.equal(table.find(7, bytes, 0, 1), -1);
  assert.equal(table.find(8, bytes, 1, 3), -1);
  assert.equal(table.keyBytesMax, 2);
});

test('find() of an empty table finds nothing', () => {
  const table = new ByteTable([], []);
  assert.equal(table.find(0, new Uint8Array(0), 0, 0), -1);
  assert.equal(table.size, 0);
});
