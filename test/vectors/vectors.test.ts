import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chunk, ChunkedDecoder } from '../../src/wire/http1/chunked.ts';
import { chunkedVectors } from './chunked-bodies.ts';
import { expectVectors, framingVectors } from './requests-framing.ts';
import { fieldVectors, requestLineVectors } from './requests-lines.ts';
import { hostVectors, targetVectors } from './requests-targets.ts';
import { responseVectors } from './responses.ts';
import {
  Head,
  type HeadVector,
  Method,
  octets,
  splitOutcome,
  textOf,
  wholeOutcome,
} from './vector.ts';

const head = new Head();
/**
 * Long vectors are cut at some places only, near their ends: all places of 40 KB would say nothing
 * more.
 */
const SPLITS_MAX = 400;

function splitsOf(length: number): number[] {
  const all = Array.from({ length: length + 1 }, (_, i) => i);
  if (length <= SPLITS_MAX) return all;
  return all.filter((i) => i < 100 || i > length - 100 || i % Math.ceil(length / 20) === 0);
}

function runHeads(area: string, vectors: readonly HeadVector[], method: number): void {
  for (const [name, text, outcome] of vectors) {
    test(`${area}: ${name} → ${outcome}`, () => {
      assert.equal(wholeOutcome(head, text, method), outcome, 'in one piece');
      for (const split of splitsOf(text.length)) {
        assert.equal(splitOutcome(head, text, split, method), outcome, `cut at ${split}`);
      }
      // a beginning of what is taken is never refused, and is never taken for the whole
      if (outcome !== 'taken') return;
      for (const split of splitsOf(text.length - 1)) {
        if (split === text.length) continue;
        assert.equal(
          wholeOutcome(head, text.slice(0, split), method),
          'incomplete',
          `${split} octets`,
        );
      }
    });
  }
}

runHeads('request line', requestLineVectors, 0);
runHeads('field', fieldVectors, 0);
runHeads('framing', framingVectors, 0);
runHeads('expect', expectVectors, 0);
runHeads('target', targetVectors, 0);
runHeads('host', hostVectors, 0);
runHeads('response', responseVectors, Method.GET);

/**
 * Decodes `[0, split)` and `[split, end)`: the content, or the code it is refused with, or null
 * when not complete.
 */
function decode(text: string, split: number): { content: string } | string | null {
  const bytes = octets(text);
  const decoder = new ChunkedDecoder();
  decoder.reset();
  let content = '';
  for (const [start, end] of [
    [0, split],
    [split, bytes.length],
  ] as const) {
    let at = start;
    while (at < end) {
      at += decoder.next(bytes, at, end);
      if (decoder.event === Chunk.DATA)
        content += textOf(bytes, decoder.dataStart, decoder.dataEnd);
      if (decoder.event === Chunk.END) return at === bytes.length ? { content } : 'bytes left';
      if (decoder.event === Chunk.REFUSED) return decoder.failure;
    }
  }
  return null;
}

for (const [name, text, outcome] of chunkedVectors) {
  test(`chunked: ${name} → ${typeof outcome === 'string' ? outcome : 'taken'}`, () => {
    for (const split of splitsOf(text.length)) {
      assert.deepEqual(decode(text, split), outcome, `cut at ${split}`);
    }
  });
}

test('vectors: there are at least 300, and no name twice in a table', () => {
  const tables = [
    requestLineVectors,
    fieldVectors,
    framingVectors,
    expectVectors,
    targetVectors,
    hostVectors,
    responseVectors,
    chunkedVectors,
  ];
  let count = 0;
  for (const table of tables) {
    count += table.length;
    assert.equal(new Set(table.map(([name]) => name)).size, table.length);
  }
  assert.ok(count >= 300, `${count}`);
});
