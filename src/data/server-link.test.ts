import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeSnapshot } from './fake-plane.ts';
import { brief, FakeRun, get, ok } from './fake-run.ts';

/** A run whose pool keeps links by `reuse`, changed. */
function runReusing(change: Record<string, number>): FakeRun {
  const { pools } = fakeSnapshot(1);
  return new FakeRun(1, {
    pools: pools.map((pool) => ({ ...pool, reuse: { ...pool.reuse, ...change } })),
  });
}

/** Sends a second request behind an answered first one; true when it came on the first one's link. */
function isReusedAfter(answer: string, run = new FakeRun(1)): boolean {
  const client = run.client(get);
  run.server(0).receive(answer);
  if (!client.isOpen) run.client(get);
  else client.receive(get);
  return run.dials === 1;
}

test('a link is used again after a whole answer', () => {
  assert.equal(isReusedAfter(ok), true);
  assert.equal(isReusedAfter('HTTP/1.1 204 No\r\n\r\n'), true);
  assert.equal(
    isReusedAfter('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'),
    true,
  );
});

test('a link is not used again when the answer says or needs its end', () => {
  assert.equal(isReusedAfter(ok.replace('Content', 'Connection: close\r\nContent')), false);
  assert.equal(isReusedAfter(ok.replace('1.1', '1.0')), false);
});

test('a link is not used again when bytes stand behind its answer', () => {
  const run = new FakeRun(1);
  assert.equal(isReusedAfter(`${ok}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`, run), false);
  assert.equal(run.server(0).isOpen, false);
});

test('a byte on an idle link ends it, and nothing of it reaches a client', () => {
  const run = new FakeRun(1);
  const client = run.client(get);
  run.server(0).receive(ok);
  run.server(0).receive('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
  assert.equal(run.server(0).wasAborted, true);
  client.receive(get);
  run.server(1).receive(ok);
  assert.doesNotMatch(client.text, /evil/);
});

test('an idle link is closed after 4 s, below the usual 5 s of servers', () => {
  const run = new FakeRun(1);
  run.client(get);
  run.server(0).receive(ok);
  run.advance(3_900);
  assert.equal(run.server(0).isOpen, true);
  run.advance(200);
  assert.equal(run.server(0).isOpen, false);
  assert.equal(run.server(0).wasAborted, false);
});

for (const [hint, closedAfterMs] of [
  // a second before the server; half of a hint below two seconds
  ['timeout=10', 9_000],
  ['timeout=1', 500],
  ['timeout=5, max=100', 4_000],
] as const) {
  test(`an idle link of \`Keep-Alive: ${hint}\` is closed after ${closedAfterMs} ms`, () => {
    const run = new FakeRun(1);
    run.client(get);
    run.server(0).receive(ok.replace('Content', `Keep-Alive: ${hint}\r\nContent`));
    run.advance(closedAfterMs - 100);
    assert.equal(run.server(0).isOpen, true);
    run.advance(200);
    assert.equal(run.server(0).isOpen, false);
  });
}

test('a link carries `requests` exchanges and no more', () => {
  const run = runReusing({ requestsMax: 2 });
  const client = run.client(get);
  run.server(0).receive(ok);
  client.receive(get);
  run.server(0).receive(ok);
  client.receive(get);
  assert.equal(run.dials, 2);
});

test('a link older than `age` is not kept', () => {
  const run = runReusing({ ageMs: 1_000 });
  const client = run.client(get);
  run.server(0);
  run.advance(1_100);
  run.server(0).receive(ok);
  client.receive(get);
  assert.equal(run.dials, 2);
});

test('at most `perWorker` idle links are kept', () => {
  const run = runReusing({ perWorkerMax: 1 });
  for (let i = 0; i < 3; i++) run.client(get);
  for (let i = 0; i < 3; i++) run.server(i).receive(ok);
  assert.deepEqual(
    [0, 1, 2].map((i) => run.server(i).isOpen),
    [true, false, false],
  );
});

test('an answer that stalls in its body is cut after `idle`', () => {
  const run = new FakeRun(1);
  const client = run.client(get);
  run.server(0).receive('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab');
  run.advance(40_000);
  run.server(0).receive('c');
  run.advance(59_000);
  assert.equal(client.isOpen, true, 'each byte is progress');
  run.advance(1_200);
  assert.equal(client.isOpen, false);
  assert.equal(run.count('listener', 'aborted'), 1);
});

test('heads in pieces, interim answers and the final one are told apart at every split', () => {
  const text = `HTTP/1.1 103 Early\r\nLink: a\r\n\r\n${ok}`;
  for (let at = 1; at < text.length; at++) {
    const run = new FakeRun(1);
    const client = run.client(get);
    run.server(0).receive(text.slice(0, at));
    run.server(0).receive(text.slice(at));
    assert.match(
      client.text,
      /^HTTP\/1\.1 103 Early\r\nLink: a\r\n\r\nHTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nok$/,
      `split ${at}`,
    );
  }
});

test('more interim answers than the limit are no answer', () => {
  const run = new FakeRun(1);
  const client = run.client(get);
  // limits.interimResponses: 32
  run.server(0).receive('HTTP/1.1 103 E\r\n\r\n'.repeat(33));
  assert.match(client.text, /502 Bad Gateway/);
});

test('101 that nobody asked for is 502', () => {
  const run = new FakeRun(1);
  const client = run.client(get);
  run.server(0).receive('HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
  assert.match(brief(client.text), /^502 .*\|upstream-upgrade-unasked/);
});

for (const [name, answer, reason] of [
  [
    'two lengths',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    'upstream-response-invalid',
  ],
  [
    'both framings',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'upstream-response-invalid',
  ],
  ['no HTTP', '220 smtp ready\r\n\r\n', 'upstream-response-invalid'],
  [
    'a head above the limit',
    `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(8_000)}\r\n`.repeat(1).padEnd(16_000, 'x'),
    '',
  ],
] as const) {
  test(`an answer with ${name} never reaches the client`, () => {
    const run = new FakeRun(1);
    const client = run.client(get);
    run.server(0).receive(answer);
    for (let i = 0; i < 3 && run.server(0).isOpen; i++) run.server(0).receive('y'.repeat(16_000));
    assert.match(client.text, /^HTTP\/1\.1 502 /);
    assert.match(client.text, new RegExp(reason === '' ? 'upstream-header-too-large' : reason));
    assert.equal(run.server(0).isOpen, false);
  });
}

test('a link that a server closes while idle is not used again', () => {
  const run = new FakeRun(1);
  const client = run.client(get);
  run.server(0).receive(ok);
  run.server(0).receiveEnd();
  assert.equal(run.count('server', 'idleClosedByPeer'), 1);
  client.receive(get);
  assert.equal(run.dials, 2);
});

test('no buffer for the head: the client is dropped, and nothing is sent to it afterwards', () => {
  const run = new FakeRun(1);
  const client = run.client(get);
  const before = run.fake.driver.buffers.inUse;
  client.sendCopy = () => false;
  // a body to its end becomes chunked: its head needs a place of its own
  run.server(0).receive('HTTP/1.1 200 OK\r\n\r\nuntil the end');
  assert.equal(client.wasAborted, true);
  assert.equal(client.lateSends, 0);
  assert.ok(run.fake.driver.buffers.inUse < before);
  assert.equal(run.inFlight, 0);
});
