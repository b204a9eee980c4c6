import assert from 'node:assert/strict';
import { test } from 'node:test';
import { standardRetry } from '../model/retry.ts';
import type { Pool, Snapshot } from '../model/snapshot.ts';
import { fakeShared, fakeSnapshot } from './fake-plane.ts';
import { brief, FakeRun, get, ok } from './fake-run.ts';

const ECONNRESET = 104;
const ECONNREFUSED = 111;
const queue = { size: 10, timeoutMs: 1_000, classes: null };
const quick = { ...standardRetry, backoffBaseMs: 0 };

/** Servers that may each owe one answer. */
function poolsWith(servers: number, change: Partial<Pool> = {}): Partial<Snapshot> {
  const pools = fakeSnapshot(servers).pools.map((pool) => ({
    ...pool,
    servers: pool.servers.map((server) => ({ ...server, pendingMax: 1 })),
    ...change,
  }));
  return { pools };
}

const runWith = (servers: number, change: Partial<Pool> = {}) =>
  new FakeRun(servers, poolsWith(servers, change));
const pending = (run: FakeRun) => [...run.fake.words.pending.slice(0, 3)];

for (const policy of ['round-robin', 'p2c', 'least-connections', 'first', 'hash'] as const) {
  test(`a server that owes as many answers as it may is passed over: ${policy}`, () => {
    const run = runWith(3, { policy });
    for (let i = 0; i < 3; i++) run.client(get);
    assert.deepEqual(pending(run), [1, 1, 1]);
    const refused = run.client(get);
    assert.match(brief(refused.text), /^503 .*\|pending-limit-reached: every server has as many/);
    // The head of an answer is enough, also of one that goes on.
    run.server(1).receive('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nst');
    assert.deepEqual([pending(run).filter((count) => count === 1).length, run.inFlight], [2, 3]);
    refused.receive(get);
    assert.deepEqual([pending(run), run.inFlight], [[1, 1, 1], 4]);
  });
}

test('every end of a try ends its wait: refused, reset, tried again, client gone, late', () => {
  const run = runWith(2, { retry: { ...quick, totalMs: 5_000, statuses: [[503, 503]] } });
  const client = run.client(get);
  run.server(0, false).die(ECONNREFUSED);
  assert.deepEqual(pending(run), [0, 1, 0]);
  run.server(1).die(ECONNRESET);
  assert.match(brief(client.text), /^502 /);
  assert.deepEqual(pending(run), [0, 0, 0]);
  client.receive(get);
  run.server(2).receive('HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n');
  run.server(3);
  assert.equal(run.fake.words.pending[0]! + run.fake.words.pending[1]!, 1);
  client.die(ECONNRESET);
  assert.deepEqual([pending(run), run.inFlight], [[0, 0, 0], 0]);
  const late = run.client(get);
  run.advance(5_100);
  assert.match(brief(late.text), /^504 /);
  assert.deepEqual([pending(run), run.inFlight], [[0, 0, 0], 0]);
});

test('where there is a queue they wait, and go on when an answer begins, on any worker', () => {
  const shared = fakeShared(2);
  const change = poolsWith(1, { queue });
  const [a, b] = [0, 1].map((worker) => new FakeRun(1, change, { shared, worker }));
  const settle = () => {
    for (const run of [a!, b!, a!, b!]) run.fake.driver.settle();
  };
  a!.client(get);
  const second = a!.client(get);
  const third = b!.client(get);
  assert.deepEqual([a!.dials, b!.dials, a!.fake.words.poolQueued[0]], [1, 0, 2]);
  const streaming = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nst';
  a!.server(0).receive(streaming);
  settle();
  assert.equal(a!.dials, 2, 'the first answer still streams on its link');
  a!.server(1).receive(streaming);
  settle();
  assert.equal(b!.dials, 1);
  b!.server(0).receive(ok);
  assert.equal(brief(third.text), '200 OK|ok');
  a!.server(1).receive('ill');
  assert.equal(brief(second.text), '200 OK|still');
  a!.server(0).receive('ill');
  assert.deepEqual([pending(a!), a!.inFlight, a!.fake.words.poolQueued[0]], [[0, 0, 0], 0, 0]);
});

test('both tries of a race count at their servers, and neither does when it is over', () => {
  const run = runWith(3, { retry: { ...quick, hedge: { afterMs: 50, max: 1 } } });
  const client = run.client(get);
  run.server(0);
  run.advance(60);
  assert.deepEqual(pending(run), [1, 1, 0]);
  run.server(0).receive(ok);
  assert.equal(brief(client.text), '200 OK|ok');
  assert.deepEqual([pending(run), run.inFlight], [[0, 0, 0], 0]);
  client.receive(get);
  run.advance(60);
  assert.equal(run.inFlight, 2);
  run.server(run.dials - 1).die(ECONNRESET);
  assert.equal(pending(run).filter((count) => count === 1).length, 1);
  client.die(ECONNRESET);
  assert.deepEqual([pending(run), run.inFlight], [[0, 0, 0], 0]);
});

test('an upgraded link counts no longer; a tcp link counts until it is connected', () => {
  const run = runWith(1);
  const upgrade = 'GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
  run.client(upgrade);
  assert.deepEqual(pending(run), [1, 0, 0]);
  run.server(0).receive('HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
  assert.deepEqual([pending(run), run.inFlight], [[0, 0, 0], 1]);
  const tcp = new FakeRun(1, {
    ...poolsWith(1),
    routes: [],
    listeners: [{ slot: 0, name: 'web', address: ':80', protocol: 'tcp', pool: 'p' }],
  });
  tcp.client();
  assert.deepEqual(pending(tcp), [1, 0, 0]);
  tcp.server(0);
  assert.deepEqual([pending(tcp), tcp.inFlight], [[0, 0, 0], 1]);
});
