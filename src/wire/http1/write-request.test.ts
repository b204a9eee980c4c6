import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Head } from './head.ts';
import { parseRequestHead } from './request-parser.ts';
import { RequestForwarding, writeRequestHead } from './write-request.ts';

const head = new Head();
const limits = { headBytesMax: 32_768, headFieldsMax: 100 };

interface Given {
  readonly isTrustedPeer?: boolean;
  readonly clientAddress?: string;
  readonly closes?: boolean;
}

/** What the server gets for these request lines, as lines. */
function forward(lines: readonly string[], given: Given = {}): string[] {
  const bytes = new Uint8Array(Buffer.from([...lines, '', ''].join('\r\n'), 'latin1'));
  const length = parseRequestHead(head, bytes, 0, bytes.length, limits);
  assert.equal(length, bytes.length, `${head.failure}`);
  const forwarding = new RequestForwarding({
    clientAddress: given.clientAddress ?? '192.0.2.1',
    isTrustedPeer: given.isTrustedPeer ?? false,
    scheme: 'http',
    viaName: 'ek',
  });
  forwarding.defaultHost = new Uint8Array(Buffer.from('10.0.0.1:80'));
  forwarding.keepsUpgrade = head.hasUpgrade;
  forwarding.closes = given.closes ?? false;
  const out = new Uint8Array(65_536);
  const end = writeRequestHead(out, 7, head, forwarding);
  const text = Buffer.from(out.subarray(7, end)).toString('latin1');
  assert.ok(text.endsWith('\r\n\r\n'));
  return text.slice(0, -4).split('\r\n');
}

const ours = (host: string) => [
  'Via: 1.1 ek',
  'X-Forwarded-For: 192.0.2.1',
  'X-Forwarded-Proto: http',
  `X-Forwarded-Host: ${host}`,
  `Forwarded: for=192.0.2.1;host="${host}";proto=http`,
];

test('writeRequestHead() keeps unknown fields in their order and spelling', () => {
  assert.deepEqual(
    forward(['GET /a?b HTTP/1.1', 'X-b:  1', 'Host: LB.test', 'x-A:2 ', 'X-b: 3', 'Accept: */*']),
    [
      'GET /a?b HTTP/1.1',
      'Host: lb.test',
      'X-b:  1',
      'x-A:2 ',
      'X-b: 3',
      'Accept: */*',
      ...ours('lb.test'),
    ],
  );
});

test('writeRequestHead() removes hop-by-hop fields and what Connection names, but nothing of ours', () => {
  const got = forward([
    'POST /v HTTP/1.1',
    'Host: h',
    'Connection: close, X-Hop, X-Forwarded-For, Host, Transfer-Encoding, Via',
    'X-Hop: 1',
    'x-hop: 2',
    'Keep-Alive: timeout=5',
    'Proxy-Connection: keep-alive',
    'TE: trailers',
    'Trailer: X-T',
    'Upgrade: h2c',
    'HTTP2-Settings: AA',
    'Proxy: evil',
    'Transfer-Encoding: chunked',
    'X-Kept: 1',
  ]);
  assert.deepEqual(got, [
    'POST /v HTTP/1.1',
    'Host: h',
    'X-Kept: 1',
    'Transfer-Encoding: chunked',
    ...ours('h'),
  ]);
});

test('writeRequestHead() replaces the forwarding family of an untrusted peer, aliases included', () => {
  const got = forward([
    'GET / HTTP/1.1',
    'X-Forwarded-For: 6.6.6.6',
    'X_Forwarded_For: 6.6.6.6',
    'X.Forwarded.Host: evil',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: evil',
    'X-Forwarded-Prefix: /x',
    'X-Forwarded-Anything: /x',
    'X-Real-IP: 6.6.6.6',
    'True-Client-IP: 6.6.6.6',
    'X-Original-URL: /admin',
    'Forwarded: for=6.6.6.6',
    'Host: h',
  ]);
  assert.deepEqual(got, ['GET / HTTP/1.1', 'Host: h', ...ours('h')]);
});

test('writeRequestHead() appends to the forwarding family of a trusted peer', () => {
  const got = forward(
    [
      'GET / HTTP/1.1',
      'Host: h',
      'X-Forwarded-For: 1.1.1.1',
      'X-Forwarded-For: 2.2.2.2, 3.3.3.3',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Port: 443',
      'Forwarded: for=1.1.1.1',
      'X_Forwarded_For: 6.6.6.6',
    ],
    { isTrustedPeer: true, clientAddress: '2001:db8::1' },
  );
  assert.deepEqual(got, [
    'GET / HTTP/1.1',
    'Host: h',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Port: 443',
    'Via: 1.1 ek',
    'X-Forwarded-For: 1.1.1.1, 2.2.2.2, 3.3.3.3, 2001:db8::1',
    'X-Forwarded-Host: h',
    'Forwarded: for=1.1.1.1, for="[2001:db8::1]";host="h";proto=http',
  ]);
});

test('writeRequestHead() writes one framing of its own', () => {
  const framing = (...lines: readonly string[]) =>
    forward(['POST / HTTP/1.1', 'Host: h', ...lines]).filter((line) =>
      /^(content-length|transfer-encoding)/i.test(line),
    );
  assert.deepEqual(framing('content-length:  0042 '), ['Content-Length: 42']);
  assert.deepEqual(framing('Content-Length: 0'), ['Content-Length: 0']);
  assert.deepEqual(framing('Content-Length: 9007199254740991'), [
    'Content-Length: 9007199254740991',
  ]);
  assert.deepEqual(framing('transfer-encoding:CHUNKED'), ['Transfer-Encoding: chunked']);
  assert.deepEqual(framing(), []);
});

test('writeRequestHead() keeps Expect only where a body is to come on 1.1', () => {
  const expectOf = (lines: readonly string[]) =>
    forward(lines).filter((line) => /^expect/i.test(line));
  const post = ['POST / HTTP/1.1', 'Host: h', 'Expect: 100-Continue'];
  assert.deepEqual(expectOf([...post, 'Content-Length: 5']), ['Expect: 100-Continue']);
  assert.deepEqual(expectOf(post), []);
  assert.deepEqual(expectOf(['POST / HTTP/1.0', ...post.slice(1), 'Content-Length: 5']), []);
});

test('writeRequestHead() sends the judged target, in origin-form', () => {
  const first = (line: string) => forward([line, 'Host: evil.test']).slice(0, 2);
  assert.deepEqual(first('GET http://LB.test:81/a/../b?c HTTP/1.1'), [
    'GET /b?c HTTP/1.1',
    'Host: lb.test:81',
  ]);
  assert.deepEqual(first('GET http://lb.test?q HTTP/1.1'), ['GET /?q HTTP/1.1', 'Host: lb.test']);
  assert.deepEqual(first('OPTIONS http://lb.test HTTP/1.1'), [
    'OPTIONS * HTTP/1.1',
    'Host: lb.test',
  ]);
  assert.deepEqual(first('OPTIONS http://lb.test/ HTTP/1.1')[0], 'OPTIONS / HTTP/1.1');
  assert.deepEqual(first('GET /x%2fy/%7e HTTP/1.1')[0], 'GET /x%2Fy/~ HTTP/1.1');
  assert.deepEqual(first('GET /x?%2f%7e/../ HTTP/1.1')[0], 'GET /x?%2f%7e/../ HTTP/1.1');
});

test('writeRequestHead() speaks 1.1 for a 1.0 client and says so in Via', () => {
  assert.deepEqual(forward(['GET / HTTP/1.0']).slice(0, 3), [
    'GET / HTTP/1.1',
    'Host: 10.0.0.1:80',
    'Via: 1.0 ek',
  ]);
});

test('writeRequestHead() adds its Via behind those of others', () => {
  const via = forward(['GET / HTTP/1.1', 'Host: h', 'Via: 1.0 a, 1.1 b', 'X: y']).filter((line) =>
    line.startsWith('Via'),
  );
  assert.deepEqual(via, ['Via: 1.0 a, 1.1 b', 'Via: 1.1 ek']);
});

test('writeRequestHead() counts Max-Forwards down for OPTIONS and TRACE only', () => {
  const left = (method: string, value: string) =>
    forward([`${method} / HTTP/1.1`, 'Host: h', `Max-Forwards: ${value}`]).filter((line) =>
      /^max/i.test(line),
    );
  assert.deepEqual(left('OPTIONS', '3'), ['Max-Forwards: 2']);
  assert.deepEqual(left('TRACE', '1'), ['Max-Forwards: 0']);
  assert.deepEqual(left('GET', '3'), ['Max-Forwards: 3']);
});

test('writeRequestHead() passes an upgrade on with its Connection option, never h2c', () => {
  const lines = (upgrade: string) => [
    'GET / HTTP/1.1',
    'Host: h',
    'Connection: keep-alive, Upgrade',
    `Upgrade: ${upgrade}`,
    'Sec-WebSocket-Key: x',
  ];
  assert.deepEqual(forward(lines('websocket')).slice(2, 5), [
    'Sec-WebSocket-Key: x',
    'Connection: Upgrade',
    'Upgrade: websocket',
  ]);
  assert.ok(!forward(lines('websocket, h2c')).some((line) => /upgrade/i.test(line)));
  assert.ok(forward(['GET / HTTP/1.1', 'Host: h'], { closes: true }).includes('Connection: close'));
});
