import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Verdict } from '../model/shared-memory.ts';
import type { Pool } from '../model/snapshot.ts';
import { fakeShared, fakeSnapshot } from './fake-plane.ts';
import { brief, FakeRun, get, ok } from './fake-run.ts';

const ECONNRESET = 104;
const ECONNREFUSED = 111;
const queue = { size: 10, timeoutMs: 1_000, classes: null };

/** A pool of `servers` with one place each. */
function poolsWith(servers: number, change: Partial<Pool> = {}): { pools: readonly Pool[] } {
  const pools = fakeSnapshot(servers).pools.map((pool) => ({
    ...pool,
    queue,
    servers: pool.servers.map((server) => ({ ...server, connectionsMax: 1 })),
    ...change,
  }));
  return { pools };
}

const runWith = (servers: number, change: Partial<Pool> = {}) =>
  new FakeRun(servers, poolsWith(servers, change));
const ask = (path: string, fields = '') => `GET /${path} HTTP/1.1\r\nHost: h\r\n${fields}\r\n`;
/** Paths that a server was asked for, in order. */
const asked = (text: string) => [...text.matchAll(/GET \/(\w*) /g)].map((match) => match[1]);
const queued = (run: FakeRun) => run.fake.words.poolQueued[0];

test('who finds no place waits, and gets one in order of arrival', () => {
  const run = runWith(1);
  const clients = ['a', 'b', 'c'].map((path) => run.client(ask(path)));
  assert.equal(run.dials, 1);
  assert.equal(queued(run), 2);
  const server = run.server(0);
  for (let i = 0; i < 3; i++) server.receive(ok);
  assert.deepEqual(asked(server.text), ['a', 'b', 'c']);
  assert.deepEqual(
    clients.map(({ text }) => brief(text)),
    ['200 OK|ok', '200 OK|ok', '200 OK|ok'],
  );
  assert.deepEqual([queued(run), run.inFlight, run.count('pool', 'queued')], [0, 0, 2]);
});

test('a newcomer goes behind those who wait, though a place is free for him', () => {
  const run = runWith(1);
  run.client(ask('a'));
  run.client(ask('b'));
  // the place is taken away from under the queue, as if by another worker, and given back unheard
  run.server(0).receive(ok);
  run.client(ask('c'));
  run.server(0).receive(ok);
  run.server(0).receive(ok);
  assert.deepEqual(asked(run.server(0).text), ['a', 'b', 'c']);
});

test('a full queue is answered 503 queue-full at once', () => {
  const run = runWith(1, { queue: { ...queue, size: 2 } });
  for (const path of ['a', 'b', 'c']) run.client(ask(path));
  const late = run.client(ask('d'));
  assert.match(brief(late.text), /^503 .*\|queue-full/);
  assert.equal(queued(run), 2);
});

test('the deadline is kept to within 10 %, and the place is not taken', () => {
  for (const timeoutMs of [100, 1_000, 5_000]) {
    const run = runWith(1, { queue: { ...queue, timeoutMs } });
    run.client(ask('a'));
    run.server(0);
    const late = run.client(ask('b'));
    run.advance(timeoutMs * 0.99);
    assert.equal(late.text, '');
    run.advance(timeoutMs * 0.1);
    assert.match(brief(late.text), /^503 .*\|queue-timeout/);
    assert.equal(queued(run), 0);
    run.server(0).receive(ok);
    assert.deepEqual(asked(run.server(0).text), ['a']);
    late.receive(get);
    run.server(0).receive(ok);
    assert.match(late.text, /200 OK/);
  }
});

test('a client that goes away leaves the queue', () => {
  const run = runWith(1);
  run.client(ask('a'));
  const gone = run.client(ask('b'));
  run.client(ask('c'));
  gone.die(ECONNRESET);
  assert.equal(queued(run), 1);
  run.server(0).receive(ok);
  assert.deepEqual(asked(run.server(0).text), ['a', 'c']);
});

test('who waits is answered when the circuit breaker has opened meanwhile', () => {
  const breaker = { errorsRatio: 0.5, volumeMin: 20, windowMs: 10_000, openMs: 7_000, trials: 2 };
  const run = runWith(1, { breaker });
  const [first, second] = ['a', 'b'].map((path) => run.client(ask(path)));
  run.fake.words.breaker[0] = -1;
  run.server(0).receive(ok);
  assert.equal(brief(first!.text), '200 OK|ok');
  assert.match(second!.text, /^HTTP\/1\.1 503 [\s\S]*circuit-open: /);
  assert.deepEqual(asked(run.server(0).text), ['a']);
  assert.deepEqual([queued(run), run.inFlight], [0, 0]);
});

test('a half-open breaker lets only trials out of the queue, and each waiter takes one', () => {
  const breaker = { errorsRatio: 0.5, volumeMin: 20, windowMs: 10_000, openMs: 7_000, trials: 2 };
  const run = runWith(1, { breaker });
  const clients = ['a', 'b', 'c', 'd'].map((path) => run.client(ask(path)));
  // two trials are left: b and c were let in before, and take them
  run.fake.words.breaker[0] = 3;
  run.server(0).receive(ok);
  run.server(0).receive(ok);
  run.server(0).receive(ok);
  assert.deepEqual(asked(run.server(0).text), ['a', 'b', 'c']);
  assert.match(clients[3]!.text, /^HTTP\/1\.1 503 [\s\S]*circuit-open: /);
  assert.equal(run.fake.words.breaker[0], 1);
  assert.deepEqual([queued(run), run.inFlight], [0, 0]);
});

test('a trial that has to wait takes no second one, and is refused when the breaker opens again', () => {
  const breaker = { errorsRatio: 0.5, volumeMin: 20, windowMs: 10_000, openMs: 7_000, trials: 2 };
  const run = runWith(1, { breaker });
  run.fake.words.breaker[0] = 4;
  const clients = ['a', 'b', 'c'].map((path) => run.client(ask(path)));
  assert.equal(run.fake.words.breaker[0], 1);
  run.advance(60);
  run.server(0).receive(ok);
  assert.deepEqual(asked(run.server(0).text), ['a', 'b']);
  run.fake.words.breaker[0] = -1;
  run.server(0).receive(ok);
  assert.equal(brief(clients[1]!.text), '200 OK|ok');
  assert.match(clients[2]!.text, /^HTTP\/1\.1 503 [\s\S]*circuit-open: /);
  assert.equal(run.inFlight, 0);
});

test('classes: the high one goes first, in a class who came first', () => {
  const classes = { header: 'x-priority', values: { high: 0, low: 2 }, otherwise: 1 };
  const run = runWith(1, { queue: { ...queue, classes } });
  run.client(ask('first'));
  for (const [path, fields] of [
    ['low1', 'X-Priority: low\r\n'],
    ['plain1', ''],
    ['high1', 'x-priority: HIGH\r\n'],
    ['plain2', 'X-Priority: urgent\r\n'],
    ['high2', 'X-Priority: high\r\n'],
    ['low2', 'X-Priority: low\r\n'],
  ] as const) {
    run.client(ask(path, fields));
  }
  for (let i = 0; i < 7; i++) run.server(0).receive(ok);
  const order = ['first', 'high1', 'high2', 'plain1', 'plain2', 'low1', 'low2'];
  assert.deepEqual(asked(run.server(0).text), order);
});

test('a body that comes while its request waits is not lost and not taken for a request', () => {
  const run = runWith(1);
  run.client(ask('a'));
  const client = run.client('PUT /b HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc');
  client.receive('def');
  run.server(0).receive(ok);
  assert.match(run.server(0).text, /PUT \/b .*\r\n\r\nabcdef$/s);
});

test('who waits gets a server that comes back, and an answer when none is left', () => {
  const run = runWith(2);
  const { verdict, epoch } = run.fake.words;
  verdict[1] = Verdict.PROBE_DOWN;
  Atomics.add(epoch, 0, 1);
  run.client(ask('a'));
  run.client(ask('b'));
  const last = run.client(ask('c'));
  assert.equal(run.dials, 1);
  verdict[1] = 0;
  Atomics.add(epoch, 0, 1);
  run.advance(50);
  assert.equal(run.dials, 2);
  verdict.fill(Verdict.PROBE_DOWN, 0, 2);
  Atomics.add(epoch, 0, 1);
  run.advance(50);
  assert.match(brief(last.text), /^503 .*\|no-server-available/);
});

test('a request whose dial was refused waits for a place instead of failing', () => {
  const run = runWith(2);
  run.client(ask('a'));
  const second = run.client(ask('b'));
  // both servers are taken; the second one turns out dead, its request waits for the first
  run.server(1, false).die(ECONNREFUSED);
  assert.equal(second.text, '');
  run.server(0).receive(ok);
  run.server(0).receive(ok);
  assert.equal(brief(second.text), '200 OK|ok');
});

test('a failed request waits for another server that is full, where there is a queue', () => {
  const rule = { ...fakeSnapshot(2).pools[0]!.retry, statuses: [[503, 503]] as const };
  const run = runWith(2, { retry: rule });
  const first = run.client(ask('a'));
  run.client(ask('b'));
  run.server(0).receive('HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n');
  assert.equal(first.text, '');
  assert.equal(queued(run), 1);
  run.server(1).receive(ok);
  run.server(1).receive(ok);
  assert.deepEqual(asked(run.server(1).text), ['b', 'a']);
  assert.equal(brief(first.text), '200 OK|ok');
});

test('who has tried a server does not hold up those who could use it', () => {
  const run = runWith(2);
  run.client(ask('a'));
  const second = run.client(ask('b'));
  const third = run.client(ask('c'));
  // c takes the place that b gave back, b waits for the other server
  run.server(1, false).die(ECONNREFUSED);
  assert.equal(run.dials, 3);
  run.server(2).receive(ok);
  assert.equal(brief(third.text), '200 OK|ok');
  assert.equal(second.text, '');
  run.server(0).receive(ok);
  run.server(0).receive(ok);
  assert.equal(brief(second.text), '200 OK|ok');
});

test('maxConnections of a pool holds over all its servers, with and without a queue', () => {
  const plain = fakeSnapshot(3).pools.map((pool) => ({ ...pool, connectionsMax: 2 }));
  const refusing = new FakeRun(3, { pools: plain });
  const clients = ['a', 'b', 'c'].map((path) => refusing.client(ask(path)));
  assert.match(brief(clients[2]!.text), /^503 .*\|pool-limit-reached/);
  refusing.server(0).receive(ok);
  clients[2]!.receive(ask('d'));
  assert.equal(refusing.dials, 3);
  const waiting = new FakeRun(3, { pools: plain.map((pool) => ({ ...pool, queue })) });
  for (const path of ['a', 'b', 'c']) waiting.client(ask(path));
  assert.deepEqual([waiting.dials, queued(waiting)], [2, 1]);
  waiting.server(0).receive(ok);
  assert.deepEqual([waiting.dials, queued(waiting)], [3, 0]);
  assert.equal(waiting.fake.words.poolInFlight[0], 2);
  waiting.server(1).receive(ok);
  waiting.server(2).receive(ok);
  assert.equal(waiting.fake.words.poolInFlight[0], 0);
});

test('a reload keeps those who wait, with new limits and new servers', () => {
  const run = runWith(1);
  run.client(ask('a'));
  run.client(ask('b'));
  run.client(ask('c'));
  const next = { ...fakeSnapshot(2, poolsWith(2)), version: 2 };
  run.fake.plane.apply(next, {});
  run.advance(50);
  assert.deepEqual([run.dials, queued(run)], [2, 1]);
  // the queue and the limits are gone: nobody has to wait any more
  run.fake.plane.apply({ ...fakeSnapshot(2), version: 3 }, {});
  run.advance(50);
  assert.deepEqual([run.dials, queued(run)], [3, 0]);
});

test('workers share one queue: order of arrival, and a place freed on one wakes the other', () => {
  const shared = fakeShared(2);
  const change = poolsWith(1);
  const [a, b] = [0, 1].map((worker) => new FakeRun(1, change, { shared, worker }));
  const settle = () => {
    for (const run of [a!, b!, a!, b!]) run.fake.driver.settle();
  };
  a!.client(ask('a1'));
  b!.client(ask('b2'));
  a!.client(ask('a3'));
  b!.client(ask('b4'));
  assert.equal(b!.dials, 0);
  a!.server(0).receive(ok);
  // the first link of worker a stays idle: the place went to worker b
  assert.deepEqual(asked(a!.server(0).text), ['a1']);
  settle();
  assert.equal(b!.dials, 1);
  b!.server(0).receive(ok);
  settle();
  assert.deepEqual(asked(a!.server(0).text), ['a1', 'a3']);
  a!.server(0).receive(ok);
  settle();
  assert.deepEqual(asked(b!.server(0).text), ['b2', 'b4']);
  b!.server(0).receive(ok);
  assert.deepEqual([queued(a!), a!.inFlight], [0, 0]);
});
