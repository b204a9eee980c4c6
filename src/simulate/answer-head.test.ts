import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { AnswerHead } from './answer-head.ts';

test('AnswerHead reads status and length wherever the head stands, and waits for its end', () => {
  const head = new AnswerHead();
  const text = 'HTTP/1.1 503 No\r\nConnection: close\r\ncontent-LENGTH: 42\r\nX: 1\r\n\r\nbody 7';
  const bytes = Buffer.from(`before${text}`);
  const start = 'before'.length;
  const bodyAt = start + text.indexOf('body');
  assert.equal(head.read(bytes, start, bytes.length), bodyAt);
  assert.deepEqual([head.status, head.contentLength], [503, 42]);
  assert.equal(head.read(bytes, start, bodyAt - 1), -1);
  const plain = Buffer.from('HTTP/1.1 204 Nothing\r\nContent-Lengthy: 5\r\n\r\n');
  assert.equal(head.read(plain, 0, plain.length), plain.length);
  assert.deepEqual([head.status, head.contentLength], [204, 0]);
});
