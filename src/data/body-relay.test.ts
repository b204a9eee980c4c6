import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlainBuffers } from '../platform/plain-buffers.ts';
import { Framing } from '../wire/http1/head.ts';
import { BodyRelay } from './body-relay.ts';

/** A relay that is fed pieces, each in a buffer of its own, and what came out of it. */
class Fed {
  readonly pool: PlainBuffers = new PlainBuffers(8);
  readonly relay: BodyRelay = new BodyRelay(this.pool);
  out = '';
  spans = 0;
  readonly sink = {
    span: (id: number, offset: number, length: number) => {
      this.out += Buffer.from(this.pool.bytes.subarray(offset, offset + length)).toString('latin1');
      this.spans++;
      this.pool.release(id);
    },
    copy: (bytes: Uint8Array, start: number, end: number) => {
      this.out += Buffer.from(bytes.subarray(start, end)).toString('latin1');
    },
  };

  constructor(inFraming: number, outFraming: number, length = 0) {
    this.relay.start(inFraming, length, outFraming);
  }

  /** Returns how many bytes belonged to the body. */
  feed(text: string): number {
    const id = this.pool.acquire();
    const at = this.pool.startOf(id) + this.pool.headroomBytes;
    this.pool.bytes.set(Buffer.from(text, 'latin1'), at);
    const end = this.relay.feed(id, at, at + text.length, this.sink);
    this.pool.release(id);
    return end - at;
  }
}

test('feed() takes exactly Content-Length bytes, in any pieces', () => {
  const fed = new Fed(Framing.LENGTH, Framing.LENGTH, 5);
  assert.equal(fed.feed('ab'), 2);
  assert.equal(fed.relay.remaining, 3);
  assert.equal(fed.relay.isComplete, false);
  assert.equal(fed.feed('cdeGET /'), 3);
  assert.equal(fed.relay.isComplete, true);
  assert.equal(fed.out, 'abcde');
});

test('a body of no bytes is complete from its start', () => {
  assert.equal(new Fed(Framing.LENGTH, Framing.LENGTH, 0).relay.isComplete, true);
  assert.equal(new Fed(Framing.NONE, Framing.NONE).relay.isComplete, true);
  assert.equal(new Fed(Framing.CHUNKED, Framing.CHUNKED).relay.isComplete, false);
});

test('plain chunks pass in one span; what stands behind them stays', () => {
  const fed = new Fed(Framing.CHUNKED, Framing.CHUNKED);
  const body = '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n';
  assert.equal(fed.feed(`${body}HTTP/1.1`), body.length);
  assert.equal(fed.out, body);
  assert.equal(fed.spans, 1);
  assert.equal(fed.relay.isComplete, true);
});

test('extensions, padded sizes and trailers are not passed on, at any split', () => {
  const body = '0003;a="b\\"c"\r\nabc\r\n02 ; d\r\nde\r\n000;x\r\nX-A: 1\r\n\r\n';
  for (let at = 1; at < body.length; at++) {
    const fed = new Fed(Framing.CHUNKED, Framing.CHUNKED);
    fed.feed(body.slice(0, at));
    fed.feed(body.slice(at));
    assert.equal(fed.relay.failure, null);
    assert.equal(fed.relay.isComplete, true, `split ${at}`);
    assert.doesNotMatch(fed.out, /[;"xX]/);
    assert.match(fed.out, /\r\n0\r\n\r\n$/);
    // each chunk line says what follows it
    const content = fed.out.replace(
      /([0-9a-f]+)\r\n([^\r]*)\r\n/g,
      (_, size: string, data: string) => {
        assert.equal(Number.parseInt(size, 16), data.length);
        return data;
      },
    );
    assert.equal(content, 'abcde');
  }
});

test('chunks become plain bytes for a peer of HTTP/1.0', () => {
  const fed = new Fed(Framing.CHUNKED, Framing.CLOSE);
  fed.feed('3\r\nabc\r\n');
  fed.feed('2\r\nde\r\n0\r\n\r\n');
  assert.equal(fed.out, 'abcde');
});

test('a close-delimited body becomes chunks, ended by the FIN', () => {
  const fed = new Fed(Framing.CLOSE, Framing.CHUNKED);
  fed.feed('x'.repeat(26));
  fed.feed('y');
  assert.equal(fed.relay.isComplete, false);
  assert.equal(fed.relay.linkEnded(fed.sink), true);
  assert.equal(fed.out, `1a\r\n${'x'.repeat(26)}\r\n1\r\ny\r\n0\r\n\r\n`);
});

test('a FIN completes no other body', () => {
  const counted = new Fed(Framing.LENGTH, Framing.LENGTH, 5);
  counted.feed('abcd');
  assert.equal(counted.relay.linkEnded(counted.sink), false);
  const chunked = new Fed(Framing.CHUNKED, Framing.CHUNKED);
  chunked.feed('3\r\nabc\r\n');
  assert.equal(chunked.relay.linkEnded(chunked.sink), false);
  assert.doesNotMatch(chunked.out, /0\r\n\r\n/);
});

for (const body of [
  'zz\r\n',
  '3\r\nabcd\r\n',
  '3\nabc\n',
  '-1\r\n',
  '0x3\r\nabc\r\n',
  'fffffffffffffffff\r\n',
]) {
  test(`the chunk ${JSON.stringify(body)} fails, and nothing behind it passes`, () => {
    const fed = new Fed(Framing.CHUNKED, Framing.CHUNKED);
    fed.feed('1\r\na\r\n');
    fed.feed(`${body}0\r\n\r\n`);
    assert.equal(fed.relay.failure, 'chunk-invalid');
    assert.equal(fed.relay.isComplete, false);
    assert.doesNotMatch(fed.out, /0\r\n\r\n$/);
  });
}

test('every buffer is given back', () => {
  for (const [from, to] of [
    [Framing.CHUNKED, Framing.CHUNKED],
    [Framing.CHUNKED, Framing.CLOSE],
    [Framing.CLOSE, Framing.CHUNKED],
  ] as const) {
    const fed = new Fed(from, to);
    for (const piece of ['3;a\r\nab', 'c\r\n2\r\nde\r\n', '0\r\n\r\n']) fed.feed(piece);
    assert.equal(fed.pool.inUse, 0);
  }
});
