import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeShared } from './fake-plane.ts';
import { FakeRun, get, ok } from './fake-run.ts';

/** One exchange on a link that its server closes `idleMs` later; false when we had closed it before. */
function closesAfter(run: FakeRun, idleMs: number): boolean {
  run.client(get);
  const link = run.server(run.dials - 1);
  link.receive(ok);
  run.advance(idleMs);
  const wasOpen = link.isOpen;
  link.receiveEnd();
  return wasOpen;
}

const told = (run: FakeRun) => run.fake.messages.filter(({ type }) => type === 'idle-limit');

test('a server that closes idle links after 2 s is found out, its links are then kept for 1 s', () => {
  const run = new FakeRun(1);
  assert.deepEqual([closesAfter(run, 2_000), closesAfter(run, 2_010)], [true, true]);
  assert.deepEqual(told(run), [{ type: 'idle-limit', slot: 0, limitMs: 2_000, isSaid: false }]);
  assert.equal(closesAfter(run, 2_000), false);
  run.client(get);
  const link = run.server(run.dials - 1);
  link.receive(ok);
  run.advance(900);
  assert.equal(link.isOpen, true);
  run.advance(200);
  assert.equal(link.isOpen, false);
});

test('a server that stops closes links of all ages: nothing is learned', () => {
  const run = new FakeRun(1);
  const clients = Array.from({ length: 5 }, () => run.client(get));
  for (let i = 0; i < 5; i++) {
    run.server(i).receive(ok);
    run.advance(300);
  }
  for (let i = 0; i < 5; i++) run.server(i).receiveEnd();
  assert.equal(clients.length, 5);
  assert.deepEqual(told(run), []);
});

test('a lost race tells the limit too', () => {
  const run = new FakeRun(1);
  for (const _ of [0, 1]) {
    const client = run.client(get);
    run.server(run.dials - 1).receive(ok);
    run.advance(1_500);
    client.receive(get);
    run.server(run.dials - 1).receiveEnd();
    run.server(run.dials - 1).receive(ok);
    assert.equal(client.text.match(/200 OK/g)?.length, 2);
    run.server(run.dials - 1).receiveEnd();
  }
  assert.equal(told(run).length, 1);
  assert.equal(run.fake.words.idleLimit[0], 1_500);
});

test('what one worker learns holds for the others', () => {
  const shared = fakeShared(2);
  const [a, b] = [0, 1].map((worker) => new FakeRun(1, {}, { shared, worker }));
  closesAfter(a!, 2_000);
  closesAfter(b!, 2_000);
  assert.equal(closesAfter(a!, 2_000), false);
  assert.equal(closesAfter(b!, 2_000), false);
});

test('a hint below what links are kept for is told once', () => {
  const run = new FakeRun(1);
  const client = run.client(get);
  const answer = ok.replace('Content', 'Keep-Alive: timeout=1\r\nContent');
  for (let i = 0; i < 3; i++) {
    run.server(0).receive(answer);
    client.receive(get);
  }
  assert.deepEqual(told(run), [{ type: 'idle-limit', slot: 0, limitMs: 1_000, isSaid: true }]);
});
