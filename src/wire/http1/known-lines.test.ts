import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../base/prng.ts';
import { parseFieldLines, resetHead } from './field-lines.ts';
import { Head } from './head.ts';
import { KnownLines } from './known-lines.ts';

const limits = { headBytesMax: 4_096, headFieldsMax: 20 };

function viewOf(text: string): DataView {
  const bytes = Buffer.from(`${text}padding behind the line`, 'latin1');
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function keep(lines: KnownLines, text: string): void {
  const colon = text.indexOf(':');
  lines.keep(viewOf(text), 0, text.length, colon, colon + 2, text.length - 2, 7);
}

test('a line is found again byte for byte, and only then', () => {
  const lines = new KnownLines();
  const line = 'Content-Type: text/plain\r\n';
  keep(lines, line);
  assert.ok(lines.find(viewOf(line), 0, line.length) >= 0);
  assert.equal(lines.foundBytes, line.length);
  for (let i = 0; i < line.length; i++) {
    const other = `${line.slice(0, i)}${String.fromCharCode(line.charCodeAt(i) ^ 0x20)}${line.slice(i + 1)}`;
    assert.equal(lines.find(viewOf(other), 0, line.length), -1, other);
  }
});

test('a line that is not all there is not found', () => {
  const lines = new KnownLines();
  const line = 'User-Agent: someone\r\n';
  keep(lines, line);
  for (let stop = 0; stop < line.length; stop++) {
    assert.equal(lines.find(viewOf(line), 0, stop), -1, `${stop} bytes`);
  }
});

test('neither a very short nor a very long line is kept', () => {
  const lines = new KnownLines();
  for (const line of ['A: b\r\n', `Cookie: ${'c'.repeat(200)}\r\n`]) {
    keep(lines, line);
    assert.equal(lines.find(viewOf(line), 0, line.length), -1);
  }
});

/** What a parse says, as text. */
function told(bytes: Uint8Array, isResponse: boolean): string {
  const head = new Head();
  resetHead(head, bytes, 0);
  const length = parseFieldLines(head, 0, bytes.length, bytes.length, limits, isResponse);
  const fields = [...head.fields.subarray(0, head.fieldCount * 4)].join();
  const ids = [...head.ids.subarray(0, head.fieldCount)].join();
  return `${length} ${head.failure} ${fields} ${ids} ${head.seen} ${head.repeated} ${head.hasLooseName}`;
}

test('a parse says the same of lines that are known as of lines that are not', () => {
  const below = createRandom(7);
  // what was said when at most the other lines were known
  const said = new Map<string, string>();
  const names = [
    'Host',
    'Content-Type',
    'Content-Length',
    'Content_Length',
    'X-A',
    'Accept',
    'Date ',
  ];
  const values = ['', 'a', 'text/plain', '12', '  wide  ', 'b\tc', 'x\u007f', 'é', 'y'.repeat(170)];
  const of = <T>(list: readonly T[]): T => list[Math.floor(below() * list.length)]!;
  for (let round = 0; round < 4_000; round++) {
    let text = '';
    for (let i = Math.floor(below() * 6); i >= 0; i--) text += `${of(names)}: ${of(values)}\r\n`;
    const bytes = Buffer.from(`${text}\r\n`, 'latin1');
    const isResponse = below() < 0.5;

    const first = told(bytes, isResponse);
    const key = `${isResponse} ${text}`;
    assert.equal(first, said.get(key) ?? first);
    said.set(key, first);
    assert.equal(told(bytes, isResponse), first);
    // at another place in memory, behind other bytes
    const moved = Buffer.concat([Buffer.from('abc'), bytes]).subarray(3);
    assert.equal(told(moved, isResponse), first);
  }
});
