import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Framing, Head, Method } from './head.ts';
import { parseResponseHead } from './response-parser.ts';
import { ResponseForwarding, writeResponseHead } from './write-response.ts';

const head = new Head();
const limits = { headBytesMax: 32_768, headFieldsMax: 100 };

/**
 * What the client gets for these lines of a server, as lines; `change` decides as the data plane
 * would.
 */
function forward(
  lines: readonly string[],
  method: number = Method.GET,
  change: (forwarding: ResponseForwarding) => void = () => {},
): string[] {
  const bytes = new Uint8Array(Buffer.from([...lines, '', ''].join('\r\n'), 'latin1'));
  const length = parseResponseHead(head, bytes, 0, bytes.length, limits, method);
  assert.equal(length, bytes.length, `${head.failure}`);
  const forwarding = new ResponseForwarding();
  forwarding.framing = head.framing;
  forwarding.contentLength = head.contentLength;
  forwarding.dateLine = new Uint8Array(Buffer.from('Date: now\r\n'));
  change(forwarding);
  const out = new Uint8Array(65_536);
  const end = writeResponseHead(out, 3, head, forwarding);
  const text = Buffer.from(out.subarray(3, end)).toString('latin1');
  assert.ok(text.endsWith('\r\n\r\n'));
  return text.slice(0, -4).split('\r\n');
}

test('writeResponseHead() keeps fields in order, frames anew and drops what is hop-by-hop', () => {
  assert.deepEqual(
    forward([
      'HTTP/1.1 200 Fine',
      'Set-Cookie: a',
      'Connection: keep-alive, X-Hop',
      'Keep-Alive: timeout=5, max=9',
      'x-hop: 1',
      'content-length: 007',
      'Date: then',
      'Set-Cookie: b',
      'Upgrade: h2c',
      'Trailer: X',
    ]),
    ['HTTP/1.1 200 Fine', 'Set-Cookie: a', 'Date: then', 'Set-Cookie: b', 'Content-Length: 7'],
  );
  assert.equal(head.keepAliveHintMs, 5_000);
});

test('writeResponseHead() copies a head without managed fields whole and adds a date', () => {
  assert.deepEqual(
    forward(['HTTP/1.0 404 ', 'A: 1', 'B:2'], Method.GET, (f) => {
      f.closes = true;
    }),
    ['HTTP/1.1 404 ', 'A: 1', 'B:2', 'Date: now', 'Connection: close'],
  );
  assert.equal(head.framing, Framing.CLOSE);
});

test('writeResponseHead() writes a space behind a status without reason', () => {
  assert.equal(forward(['HTTP/1.1 204'])[0], 'HTTP/1.1 204 ');
});

test('writeResponseHead() re-frames as it is told', () => {
  const chunked = ['HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', 'Date: x'];
  assert.deepEqual(forward(chunked).at(-1), 'Transfer-Encoding: chunked');
  const closed = forward(chunked, Method.GET, (f) => {
    f.framing = Framing.CLOSE;
    f.closes = true;
  });
  assert.deepEqual(closed, ['HTTP/1.1 200 OK', 'Date: x', 'Connection: close']);
});

test('writeResponseHead() frames no content for HEAD, 1xx, 204, 205 and 304', () => {
  const lengthOf = (status: string, method: number) => {
    const got = forward([`HTTP/1.1 ${status} x`, 'Content-Length: 5', 'Date: x'], method);
    assert.equal(head.framing, Framing.NONE);
    return got.filter((line) => line.startsWith('Content-Length'));
  };
  assert.deepEqual(lengthOf('200', Method.HEAD), ['Content-Length: 5']);
  assert.deepEqual(lengthOf('304', Method.GET), ['Content-Length: 5']);
  assert.equal(head.wantsClose, false);
  assert.deepEqual(lengthOf('204', Method.GET), []);
  assert.equal(head.wantsClose, true, 'what follows could be taken for an answer');
  assert.deepEqual(lengthOf('205', Method.GET), ['Content-Length: 0']);
  assert.equal(head.wantsClose, true);
  assert.deepEqual(lengthOf('103', Method.GET), []);
  assert.deepEqual(forward(['HTTP/1.1 204 x', 'Transfer-Encoding: chunked', 'Date: x']), [
    'HTTP/1.1 204 x',
    'Date: x',
  ]);
  assert.deepEqual(
    forward(['HTTP/1.1 200 x', 'Transfer-Encoding: chunked', 'Date: x'], Method.HEAD),
    ['HTTP/1.1 200 x', 'Date: x'],
  );
});

test('writeResponseHead() removes white space before colons', () => {
  assert.deepEqual(
    forward(['HTTP/1.1 200 x', 'A : 1', 'Content-Length\t: 2', 'B:\t3 ', 'Date: x']),
    ['HTTP/1.1 200 x', 'A: 1', 'B: 3', 'Date: x', 'Content-Length: 2'],
  );
});

test('writeResponseHead() keeps Upgrade for 101 and 426', () => {
  const upgrade = ['Connection: Upgrade', 'Upgrade: websocket'];
  assert.deepEqual(forward(['HTTP/1.1 101 x', ...upgrade]), ['HTTP/1.1 101 x', ...upgrade]);
  assert.equal(head.hasUpgrade, true);
  assert.deepEqual(
    forward(['HTTP/1.1 426 x', ...upgrade, 'Content-Length: 0', 'Date: x']).slice(-2),
    upgrade,
  );
  forward(['HTTP/1.1 101 x', 'Upgrade: websocket']);
  assert.equal(head.hasUpgrade, false);
});

test('parseResponseHead() reads who closes', () => {
  const closes = (...lines: readonly string[]) => {
    forward([...lines, 'Content-Length: 0']);
    return head.wantsClose;
  };
  assert.equal(closes('HTTP/1.1 200 x'), false);
  assert.equal(closes('HTTP/1.1 200 x', 'Connection: a, CLOSE'), true);
  assert.equal(closes('HTTP/1.1 200 x', 'Connection: (bad)'), true);
  assert.equal(closes('HTTP/1.0 200 x', 'Connection: keep-alive'), true);
});
