import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultOffset, positionAt, readJson } from './json-source.ts';

test('faultOffset() is the first sign that JSON does not allow', () => {
  const cases: [string, number][] = [
    ['', 0],
    ['{', 1],
    ['{}x', 2],
    ['{"a" 1}', 5],
    ['{"a":1,}', 7],
    ['[1,]', 3],
    ['[1 2]', 3],
    ['{a:1}', 1],
    ["{'a':1}", 1],
    ['[01]', 1],
    ['[+1]', 1],
    ['["\\x"]', 1],
    ['[tru]', 1],
    ['[1}', 2],
    ['{"a":}', 5],
    ['// x', 0],
  ];
  for (const [text, offset] of cases) {
    assert.throws(() => JSON.parse(text), text);
    assert.equal(faultOffset(text), offset, text);
  }
});

test('readJson() reads what JSON allows, with places', () => {
  const read = readJson('\ufeff{\n\t"a\\u0062": [1, "\\/", true, null, -1.5e3]\n}\n');
  assert.deepEqual(read.problems, []);
  assert.ok(read.node?.kind === 'map');
  const [entry] = read.node.entries;
  assert.equal(entry?.key, 'ab');
  assert.deepEqual(entry?.keyAt, { line: 2, column: 2 });
  assert.ok(entry?.value.kind === 'list');
  const values = entry.value.items.map((item) => (item.kind === 'scalar' ? item.value : item));
  assert.deepEqual(values, [1, '/', true, null, -1500]);
});

test('positionAt() counts lines and columns from 1', () => {
  assert.deepEqual(positionAt('ab\ncd', 0), { line: 1, column: 1 });
  assert.deepEqual(positionAt('ab\ncd', 4), { line: 2, column: 2 });
});
