import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forgetIdleLimit, keptMs, noteIdleClose } from './idle-limit.ts';

const wordsFor = () => ({ idleLimit: new Int32Array(4), idleSeen: new Int32Array(4) });

test('two closes at about the same age are the limit, one or two unlike ones are not', () => {
  const words = wordsFor();
  assert.equal(noteIdleClose(words, 1, 5_010), 0);
  assert.equal(noteIdleClose(words, 1, 1_300), 0);
  assert.equal(noteIdleClose(words, 1, 5_000), 0);
  assert.equal(noteIdleClose(words, 1, 5_020), 5_000);
  assert.deepEqual([...words.idleLimit], [0, 5_000, 0, 0]);
});

test('only a lower limit is news', () => {
  const words = wordsFor();
  noteIdleClose(words, 0, 1_000);
  assert.equal(noteIdleClose(words, 0, 1_010), 1_000);
  assert.equal(noteIdleClose(words, 0, 1_020), 0);
  assert.equal(noteIdleClose(words, 0, 950), 950);
  forgetIdleLimit(words, 0);
  assert.equal(noteIdleClose(words, 0, 5_000), 0);
  assert.equal(noteIdleClose(words, 0, 5_000), 5_000);
});

test('closes at once say nothing', () => {
  const words = wordsFor();
  for (let i = 0; i < 3; i++) assert.equal(noteIdleClose(words, 0, 20), 0);
});

test('keptMs() stays a second below, and half below short limits', () => {
  assert.deepEqual(
    [65_000, 5_000, 2_000, 1_000, 300].map(keptMs),
    [64_000, 4_000, 1_000, 500, 150],
  );
});
