import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FNV_BASIS, fnv1a32, fnvStep, hashText, mix32 } from './hash.ts';

const encoder = new TextEncoder();

test('fnv1a32() gives the published values', () => {
  // Test vectors of the FNV authors (also RFC 9923): "", "a", "foobar".
  const vectors: [string, number][] = [
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ];
  for (const [text, hash] of vectors) {
    const bytes = encoder.encode(`--${text}--`);
    assert.equal(fnv1a32(bytes, 2, bytes.length - 2) >>> 0, hash, text);
    assert.equal(hashText(text) >>> 0, hash, text);
    let walked = FNV_BASIS | 0;
    for (const byte of encoder.encode(text)) walked = fnvStep(walked, byte);
    assert.equal(walked >>> 0, hash, text);
  }
});

test('hashText() gives another hash for another seed and for other upper bytes', () => {
  assert.notEqual(hashText('a', 1), hashText('a'));
  assert.notEqual(hashText('\u0161'), hashText('a'));
});

test('mix32() changes about half of the bits when one changes, and never maps two to one', () => {
  const seen = new Set<number>();
  let changed = 0;
  for (let value = 0; value < 4096; value++) {
    seen.add(mix32(value));
    let bits = mix32(value) ^ mix32(value ^ 1);
    for (; bits !== 0; bits &= bits - 1) changed++;
  }
  assert.equal(seen.size, 4096);
  // 16 of 32 expected; over 4,096 values the mean stays within 0.5.
  assert.ok(Math.abs(changed / 4096 - 16) < 0.5, `${changed / 4096}`);
});
