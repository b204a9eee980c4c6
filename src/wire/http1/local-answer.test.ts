import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Head, Method } from './head.ts';
import { type LocalAnswer, localAnswer } from './local-answer.ts';
import { parseResponseHead } from './response-parser.ts';

const base: LocalAnswer = {
  status: 503,
  body: 'no-server-available\n',
  closes: false,
  isHead: false,
  date: 'Sat, 21 Nov 2026 00:00:00 GMT',
  requestId: 'abc',
  fields: { 'Retry-After': '1' },
};

function text(answer: LocalAnswer): string {
  const bytes = localAnswer(answer);
  const head = new Head();
  const limits = { headBytesMax: 32_768, headFieldsMax: 100 };
  const method = answer.isHead ? Method.HEAD : Method.GET;
  assert.ok(parseResponseHead(head, bytes, 0, bytes.length, limits, method) > 0, `${head.failure}`);
  return Buffer.from(bytes).toString();
}

test('localAnswer() is a whole answer', () => {
  assert.equal(
    text(base),
    [
      'HTTP/1.1 503 Service Unavailable',
      'Date: Sat, 21 Nov 2026 00:00:00 GMT',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Length: 20',
      'X-Request-Id: abc',
      'Retry-After: 1',
      '',
      'no-server-available\n',
    ].join('\r\n'),
  );
});

test('localAnswer() to HEAD has the length and no body', () => {
  const got = text({ ...base, isHead: true });
  assert.ok(got.includes('Content-Length: 20\r\n') && got.endsWith('\r\n\r\n'));
});

test('localAnswer() counts octets, not characters', () => {
  assert.ok(text({ ...base, body: 'ä€' }).includes('Content-Length: 5\r\n'));
});

test('localAnswer() has no content for 204, 205 and 304', () => {
  for (const status of [204, 205, 304]) assert.ok(text({ ...base, status }).endsWith('\r\n\r\n'));
  assert.ok(!text({ ...base, status: 204 }).includes('Content-Length'));
  assert.ok(text({ ...base, status: 205 }).includes('Content-Length: 0\r\n'));
});

test('localAnswer() lets no field split the answer or change its framing', () => {
  const got = text({
    ...base,
    fields: { 'X-A': 'b\r\nX-Evil: 1', 'bad name': 'x', 'Content-Length': '9', 'X-U': '€' },
  });
  assert.ok(got.includes('X-A: b  X-Evil: 1\r\n') && got.includes('X-U: ?\r\n'));
  assert.ok(!got.includes('bad name') && !got.includes('Content-Length: 9'));
});

test('localAnswer() names Upgrade in Connection', () => {
  const got = text({ ...base, status: 426, closes: true, fields: { Upgrade: 'websocket' } });
  assert.ok(got.includes('Upgrade: websocket\r\nConnection: close, Upgrade\r\n'));
});
