import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editedRequestBytes, editRequestHead, editResponseHead } from './edit-head.ts';
import { Head, Method } from './head.ts';
import { parseRequestHead } from './request-parser.ts';
import { parseResponseHead } from './response-parser.ts';
import { RequestForwarding } from './write-request.ts';
import { ResponseForwarding } from './write-response.ts';

const limits = { headBytesMax: 32_768, headFieldsMax: 100 };
const head = new Head();
const roomBytes = 2_048;

/** The edited request, or null when it has to be written anew. */
function edit(lines: readonly string[]): string[] | null {
  const text = [...lines, '', ''].join('\r\n');
  const bytes = new Uint8Array(roomBytes + text.length);
  bytes.set(Buffer.from(text, 'latin1'), roomBytes);
  const length = parseRequestHead(head, bytes, roomBytes, bytes.length, limits);
  assert.equal(length, text.length, `${head.failure}`);
  const link = { clientAddress: '192.0.2.1', isTrustedPeer: false, scheme: 'http', viaName: 'ek' };
  const forwarding = new RequestForwarding(link);
  const size = editedRequestBytes(head, forwarding);
  if (size < 0) return null;
  const at = bytes.length - size;
  assert.equal(editRequestHead(head, forwarding, at), bytes.length);
  const edited = Buffer.from(bytes.subarray(at)).toString('latin1');
  assert.ok(edited.endsWith('\r\n\r\n'));
  return edited.slice(0, -4).split('\r\n');
}

test('editRequestHead() names the received authority although it moves the bytes', () => {
  // 23 short lines: after the move other bytes stand where Host was received
  const many = Array.from({ length: 23 }, (_, i) => `X${i}: a`);
  assert.deepEqual(
    edit(['GET /v HTTP/1.1', 'Host: lb.test', 'Connection: x-hop', 'X-Hop: 1', ...many]),
    [
      'GET /v HTTP/1.1',
      'Host: lb.test',
      ...many,
      'Via: 1.1 ek',
      'X-Forwarded-For: 192.0.2.1',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: lb.test',
      'Forwarded: for=192.0.2.1;host="lb.test";proto=http',
    ],
  );
});

test('editedRequestBytes() leaves to the writer what is not canonical as received', () => {
  const post = ['POST /v HTTP/1.1', 'Host: lb.test'];
  assert.notEqual(edit([...post, 'Content-Length: 5']), null);
  assert.notEqual(edit([...post, 'Transfer-Encoding: chunked']), null);
  for (const line of [
    'Content-Length: 05',
    'Content-Length:5',
    'Content-Length:  5',
    'Content-Length:\t5',
    'Content-Length: 5 ',
    'Transfer-Encoding: Chunked',
    'Transfer-Encoding: chunked\t',
    'Expect: 100-continue',
  ])
    assert.equal(edit([...post, line]), null);
  assert.equal(edit(['GET /a/../b HTTP/1.1', 'Host: h']), null);
  assert.equal(edit(['GET / HTTP/1.1', 'Host: H']), null);
  assert.equal(edit(['GET http://h/ HTTP/1.1', 'Host: h']), null);
  assert.equal(edit(['GET / HTTP/1.2', 'Host: h']), null);
});

test('editResponseHead() closes up dropped lines and leaves odd heads to the writer', () => {
  const answer = (...lines: readonly string[]) => {
    const bytes = new Uint8Array(Buffer.from([...lines, '', ''].join('\r\n'), 'latin1'));
    const length = parseResponseHead(head, bytes, 0, bytes.length, limits, Method.GET);
    const forwarding = new ResponseForwarding();
    forwarding.framing = head.framing;
    forwarding.contentLength = head.contentLength;
    const start = editResponseHead(head, forwarding);
    return start < 0 ? null : Buffer.from(bytes.subarray(start, length)).toString('latin1');
  };
  const rest = ['Connection: keep-alive', 'A: 1', 'Keep-Alive: x', 'Proxy-Authenticate: a', 'B: 2'];
  assert.equal(
    answer('HTTP/1.1 200 OK', ...rest, 'Date: x', 'Content-Length: 3'),
    'HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nDate: x\r\nContent-Length: 3\r\n\r\n',
  );
  assert.equal(answer('HTTP/1.1 200', 'Date: x', 'Content-Length: 3'), null, 'no SP behind 200');
  assert.equal(answer('HTTP/1.1 200 OK', 'Content-Length: 3'), null, 'no date');
  assert.equal(answer('HTTP/1.1 200 OK', 'Date: x', 'A : 1', 'Content-Length: 3'), null);
});
