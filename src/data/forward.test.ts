import assert from 'node:assert/strict';
import { test } from 'node:test';
import { standardRetry } from '../model/retry.ts';
import { Verdict } from '../model/shared-memory.ts';
import { fakeSnapshot } from './fake-plane.ts';
import { brief, FakeRun, get, ok } from './fake-run.ts';

const post = 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi';
const ECONNREFUSED = 111;
const ECONNRESET = 104;

/** The pool of `fakeSnapshot`, changed. */
function poolWith(servers: number, change: Record<string, unknown>) {
  return { pools: fakeSnapshot(servers).pools.map((pool) => ({ ...pool, ...change })) };
}

test('a refused dial goes to every other server once and costs no budget', () => {
  const run = new FakeRun(3);
  const client = run.client(post);
  for (let i = 0; i < 3; i++) run.server(i, false).die(ECONNREFUSED);
  assert.equal(run.dials, 3);
  assert.match(brief(client.text), /^502 Bad Gateway\|connect-refused/);
  // 0.2 of a retry was paid in, nothing was taken out
  assert.equal(run.fake.words.retryTokens[0], 200);
  // the third failure found no server to move to
  assert.equal(run.count('pool', 'failovers'), 2);
  assert.equal(run.inFlight, 0);
});

test('a request that no server takes goes to a backup before their verdicts say that they are down', () => {
  const [pool] = fakeSnapshot(3).pools;
  const servers = pool!.servers.map((server, at) => ({ ...server, isBackup: at === 2 }));
  const run = new FakeRun(3, { pools: [{ ...pool!, servers }] });
  const client = run.client(post);
  run.server(0, false).die(ECONNREFUSED);
  run.server(1, false).die(ECONNREFUSED);
  run.server(2).receive(ok);
  assert.equal(brief(client.text), '200 OK|ok');
  assert.equal(run.inFlight, 0);
});

test('a reused link that dies does not send its request to a backup', () => {
  const [pool] = fakeSnapshot(2).pools;
  const servers = pool!.servers.map((server, at) => ({ ...server, isBackup: at === 1 }));
  const run = new FakeRun(2, { pools: [{ ...pool!, servers }] });
  const client = run.client(get);
  run.server(0).receive(ok);
  client.receive(get);
  run.server(0).die(ECONNRESET);
  assert.equal(run.dials, 2);
  assert.deepEqual(run.server(1).target, run.server(0).target);
});

test('a refused dial is repaired unseen, bodies included', () => {
  const run = new FakeRun(2);
  const client = run.client(post);
  run.server(0, false).die(ECONNREFUSED);
  assert.match(run.server(1).text, /^POST \/ HTTP\/1\.1\r\n.*\r\n\r\nhi$/s);
  run.server(1).receive(ok);
  assert.equal(brief(client.text), '200 OK|ok');
});

test('a dial without an answer is given up after `connect`, then the next server is tried', () => {
  const run = new FakeRun(2);
  const client = run.client(get);
  run.advance(1_900);
  assert.equal(run.dials, 1);
  run.advance(200);
  assert.equal(run.dials, 2);
  run.advance(2_100);
  assert.match(brief(client.text), /^504 Gateway Timeout\|connect-timeout/);
});

test('GET whose link died without a byte is repeated once elsewhere at the cost of one retry', () => {
  const run = new FakeRun(3);
  const client = run.client(get);
  run.server(0).die(ECONNRESET);
  assert.equal(run.dials, 2);
  // +200 for the request, −1,000 for the retry
  assert.equal(run.fake.words.retryTokens[0], -800);
  run.server(1).receiveEnd();
  assert.equal(run.dials, 2, 'attempts: 1');
  assert.match(brief(client.text), /^502 Bad Gateway\|upstream-closed-before-headers/);
  assert.equal(run.count('pool', 'retries'), 1);
  assert.equal(run.count('pool', 'retriesDenied'), 1);
});

test('GET is not repeated when the budget is used up', () => {
  const run = new FakeRun(3);
  // the reserve of ten retries is gone
  run.fake.words.retryTokens[0] = -10_000;
  const client = run.client(get);
  run.server(0).die(ECONNRESET);
  assert.equal(run.dials, 1);
  assert.match(brief(client.text), /^502/);
});

for (const [name, request, dials] of [
  ['POST', post, 1],
  ['PATCH', post.replace('POST', 'PATCH'), 1],
  ['POST with Idempotency-Key', post.replace('Host', 'Idempotency-Key: a\r\nHost'), 2],
  ['PUT', post.replace('POST', 'PUT'), 2],
] as const) {
  test(`${name} whose link died without a byte is sent to ${dials} server(s)`, () => {
    const run = new FakeRun(3);
    run.client(request);
    run.server(0).die(ECONNRESET);
    assert.equal(run.dials, dials);
  });
}

test('nothing is repeated once a byte of an answer was seen', () => {
  for (const death of ['end', 'reset'] as const) {
    const run = new FakeRun(3);
    const client = run.client(get);
    run.server(0).receive('H');
    if (death === 'end') run.server(0).receiveEnd();
    else run.server(0).die(ECONNRESET);
    assert.equal(run.dials, 1);
    assert.match(brief(client.text), /^502 Bad Gateway\|upstream-response-invalid/);
  }
});

test('a time-out of the answer is not repeated', () => {
  const run = new FakeRun(3);
  const client = run.client(get);
  run.server(0);
  run.advance(29_000);
  assert.equal(client.text, '');
  run.advance(1_100);
  assert.equal(run.dials, 1);
  assert.match(brief(client.text), /^504 Gateway Timeout\|upstream-timeout/);
});

test('a reused link that died is absorbed: a fresh one to the same server when there is no other', () => {
  const run = new FakeRun(1, poolWith(1, { retry: { ...standardRetry, attempts: 0 } }));
  const client = run.client(get);
  run.server(0).receive(ok);
  client.receive(get);
  assert.equal(run.dials, 1);
  run.server(0).receiveEnd();
  assert.equal(run.dials, 2);
  run.server(1).receive(ok);
  assert.equal(client.text.match(/200 OK/g)?.length, 2);
  // says nothing about the server's health
  assert.equal(run.fake.words.failureStreak[0], 0);
});

test('a reused link that died is not absorbed for POST', () => {
  const run = new FakeRun(1);
  const client = run.client(get);
  run.server(0).receive(ok);
  client.receive(post);
  run.server(0).receiveEnd();
  assert.equal(run.dials, 1);
  assert.match(client.text, /502 Bad Gateway/);
});

test('without a healthy server the answer is 503 at once, with Retry-After', () => {
  const run = new FakeRun(2);
  const { words } = run.fake;
  for (const slot of [0, 1]) words.verdict[slot] = Verdict.PROBE_DOWN;
  Atomics.add(words.epoch, 0, 1);
  const client = run.client(get);
  assert.equal(run.dials, 0);
  assert.match(client.text, /^HTTP\/1\.1 503 .*\r\nRetry-After: \d+\r\n.*no-server-available/s);
  assert.equal(run.count('pool', 'noServer'), 1);
});

test('maxConnections holds exchanges, and a finished one makes room', () => {
  const servers = fakeSnapshot(1).pools[0]!.servers.map((server) => ({
    ...server,
    connectionsMax: 1,
  }));
  const run = new FakeRun(1, poolWith(1, { servers }));
  run.client(get);
  const late = run.client(get);
  assert.match(brief(late.text), /^503 .*\|server-limit-reached/);
  run.server(0).receive(ok);
  late.receive(get);
  run.server(0).receive(ok);
  assert.match(late.text, /200 OK/);
});

test('a client that goes away frees its place and ends its link to the server', () => {
  const run = new FakeRun(1);
  const client = run.client(get);
  const server = run.server(0);
  assert.equal(run.inFlight, 1);
  client.die(ECONNRESET);
  assert.equal(run.inFlight, 0);
  assert.equal(server.wasAborted, true);
  assert.equal(run.count('listener', 'aborted'), 1);
});

test('502, 503 and 504 of a server lengthen its streak, other answers end it', () => {
  const run = new FakeRun(1);
  const client = run.client(get);
  const answer = (status: number) => {
    run.server(0).receive(`HTTP/1.1 ${status} x\r\nContent-Length: 0\r\n\r\n`);
    client.receive(get);
    return run.fake.words.failureStreak[0];
  };
  assert.deepEqual([503, 502, 504, 500].map(answer), [1, 2, 3, 0]);
});

test('counters add up: requests = ends by status = ends by server', () => {
  const run = new FakeRun(2);
  for (const status of [200, 204, 302, 404, 500]) {
    run.client(get);
    run.server(run.dials - 1).receive(`HTTP/1.1 ${status} x\r\nContent-Length: 0\r\n\r\n`);
    run.server(run.dials - 1).receiveEnd();
  }
  run.client(get).die(ECONNRESET);
  const ends = ['s2xx', 's3xx', 's4xx', 's5xx', 'aborted'];
  for (const owner of ['listener', 'route', 'pool'] as const) {
    assert.equal(run.count(owner, 'requests'), 6, owner);
    assert.deepEqual(
      ends.map((name) => run.count(owner, name)),
      [2, 1, 1, 1, 1],
      owner,
    );
  }
  const served = [0, 1].map((slot) => run.count('server', 'requests', slot));
  assert.deepEqual(served, [3, 3]);
});
