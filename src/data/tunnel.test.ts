import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../model/limits.ts';
import type { FakeLink } from './fake-driver.ts';
import { FakeRun } from './fake-run.ts';

const offer = 'GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const accepted =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

/** Two links that agreed to switch. */
function upgraded(
  behindOffer = '',
  behindAnswer = '',
): { run: FakeRun; near: FakeLink; far: FakeLink } {
  const run = new FakeRun(1, { accessLog: true });
  const near = run.client(offer + behindOffer);
  const far = run.server(0);
  far.receive(accepted + behindAnswer);
  return { run, near, far };
}

/** What stands behind the heads. */
const raw = (link: FakeLink) => link.text.slice(link.text.indexOf('\r\n\r\n') + 4);

test('both directions pass, with what had already come behind the heads', () => {
  const { near, far } = upgraded('early', 'hello');
  assert.match(far.text, /^GET \/chat HTTP\/1\.1\r\n[\s\S]*Upgrade: websocket\r\n/);
  assert.match(near.text, /^HTTP\/1\.1 101 /);
  near.receive(' up');
  far.receive(' down');
  assert.equal(raw(far), 'early up');
  assert.equal(raw(near), 'hello down');
});

test('each half ends by itself; the tunnel ends with the second', () => {
  const { run, near, far } = upgraded();
  near.receiveEnd();
  assert.equal(far.hasEnded, true);
  far.receive('last words');
  assert.equal(raw(near), 'last words');
  assert.equal(run.inFlight, 1, 'a tunnel holds its place');
  far.receiveEnd();
  run.advance(50);
  assert.deepEqual([near.isOpen, far.isOpen, run.inFlight], [false, false, 0]);
  assert.deepEqual([near.wasAborted, far.wasAborted], [false, false]);
});

test('a reset of one side resets the other', () => {
  for (const side of ['near', 'far'] as const) {
    const both = upgraded();
    both[side].die(104);
    assert.equal(both[side === 'near' ? 'far' : 'near'].wasAborted, true);
    assert.equal(both.run.inFlight, 0);
  }
});

test('a side that takes nothing pauses the other above the mark, and lets it go on', () => {
  const { near, far } = upgraded();
  near.isHeld = true;
  let pieces = 0;
  for (; !far.isPaused; pieces++) far.receive('x'.repeat(16_000));
  // 131,072 / 16,000, the head of the answer included in nothing: the ninth is above
  assert.equal(pieces, 9);
  near.release();
  assert.equal(far.isPaused, false);
});

test('a tunnel without progress for `tunnel` ends; each byte is progress', () => {
  const { run, near, far } = upgraded();
  run.advance(3_000_000);
  near.receive('x');
  run.advance(3_000_000);
  assert.equal(far.isOpen, true);
  run.advance(601_000);
  assert.deepEqual([near.wasAborted, far.wasAborted, run.inFlight], [true, true, 0]);
});

test('a tunnel is one exchange in the books: 101, its bytes, its reason', () => {
  const { run, near, far } = upgraded();
  near.receive('four');
  far.receive('sixsix');
  far.receiveEnd();
  near.receiveEnd();
  const [line] = run.log();
  assert.equal(line?.['status'], 101);
  assert.equal(line?.['reason'], 'ok');
  assert.equal(run.count('listener', 'requests'), 1);
  assert.equal(run.count('listener', 's1xx'), 1);
  assert.equal(Number(line?.['bytes']), near.text.length);
  assert.equal(Number(line?.['bytesIn']), far.text.length);
});

test('an upgrade that the server declines is a plain answer, and the link goes on', () => {
  const run = new FakeRun(1);
  const near = run.client(offer);
  run.server(0).receive('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno');
  assert.match(near.text, /200 OK[\s\S]*no$/);
  near.receive('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
  assert.equal(run.server(0).text.match(/GET /g)?.length, 2);
});

test('a drain leaves a tunnel until its deadline', () => {
  const { run, near } = upgraded();
  run.fake.plane.drain(10_000);
  run.advance(limits.leaveGraceMs + 8_000);
  assert.equal(near.isOpen, true);
  run.advance(1_500);
  assert.equal(near.wasAborted, true);
  assert.equal(run.fake.plane.isDrained, true);
});
