import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RetryRule, standardRetry } from '../model/retry.ts';
import { fakeSnapshot } from './fake-plane.ts';
import { brief, FakeRun, get, ok } from './fake-run.ts';

const ECONNRESET = 104;
const hedge = { afterMs: 50, max: 1 };
const post = 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi';

function runWith(servers: number, rule: Partial<RetryRule> = {}): FakeRun {
  const pools = fakeSnapshot(servers).pools.map((pool) => ({
    ...pool,
    retry: { ...standardRetry, backoffBaseMs: 0, hedge, ...rule },
  }));
  return new FakeRun(servers, { pools });
}

test('a second server is asked after the delay; its answer wins, the first try is cancelled', () => {
  const run = runWith(3);
  const client = run.client(get);
  run.server(0);
  run.advance(45);
  assert.equal(run.dials, 1);
  run.advance(20);
  assert.equal(run.dials, 2);
  assert.equal(run.inFlight, 2);
  run.server(1).receive(ok);
  assert.equal(brief(client.text), '200 OK|ok');
  assert.equal(run.server(0, false).wasAborted, true);
  assert.deepEqual(
    [run.inFlight, run.count('pool', 'hedges'), run.count('pool', 'hedgesWon')],
    [0, 1, 1],
  );
  assert.equal(run.count('server', 'requests', 1), 1);
  // 200 for the request, 1,000 out
  assert.equal(run.fake.words.retryTokens[0], -800);
});

test('the first try may still win; the second one is cancelled', () => {
  const run = runWith(3);
  const client = run.client(get);
  run.server(0);
  run.advance(60);
  run.server(1);
  run.server(0).receive(ok);
  assert.equal(brief(client.text), '200 OK|ok');
  assert.equal(run.server(1, false).wasAborted, true);
  assert.equal(run.server(0).isOpen, true, 'the winner is kept for reuse');
  assert.deepEqual([run.inFlight, run.count('pool', 'hedgesWon')], [0, 0]);
  assert.equal(run.count('server', 'requests', 0), 1);
  client.receive(get);
  run.advance(300);
  assert.equal(run.inFlight, 2, 'the next request is hedged anew');
});

test('a bad answer or a death leaves the race to the other try', () => {
  for (const bad of ['first', 'second'] as const) {
    for (const how of ['status', 'reset'] as const) {
      const run = runWith(3);
      const client = run.client(get);
      run.server(0);
      run.advance(60);
      run.server(1);
      const [loser, winner] = bad === 'first' ? [0, 1] : [1, 0];
      if (how === 'status')
        run.server(loser!).receive('HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n');
      else run.server(loser!).die(ECONNRESET);
      assert.equal(client.text, '', `${bad} ${how}`);
      assert.equal(run.inFlight, 1);
      run.server(winner!).receive(ok);
      assert.equal(brief(client.text), '200 OK|ok');
      assert.equal(run.inFlight, 0);
      assert.equal(run.dials, 2);
    }
  }
});

test('when both die the usual rules hold', () => {
  const run = runWith(3);
  const client = run.client(get);
  run.server(0);
  run.advance(60);
  run.server(1).die(ECONNRESET);
  run.server(0).die(ECONNRESET);
  assert.equal(run.dials, 3, 'one retry, on the third server');
  run.server(2).receive(ok);
  assert.equal(brief(client.text), '200 OK|ok');
});

test('not hedged: POST, a request that still comes, no other server, no budget, an answer that has begun', () => {
  const cases: [string, FakeRun, string][] = [
    ['POST', runWith(3), post],
    ['coming', runWith(3), post.replace('POST', 'PUT').replace(': 2', ': 3')],
    ['alone', runWith(1), get],
  ];
  for (const [name, run, request] of cases) {
    run.client(request);
    run.server(0);
    run.advance(500);
    assert.equal(run.dials, 1, name);
    assert.ok(run.fake.words.retryTokens[0]! >= 0, name);
  }
  const poor = runWith(3);
  poor.fake.words.retryTokens[0] = -10_000;
  poor.client(get);
  poor.server(0);
  poor.advance(500);
  assert.equal(poor.dials, 1);
  const begun = runWith(3);
  begun.client(get);
  begun.server(0).receive('HTTP/1.1 200');
  begun.advance(500);
  assert.equal(begun.dials, 1);
});

test('a client that goes away ends both tries; a time for all ends both', () => {
  const gone = runWith(3);
  const client = gone.client(get);
  gone.server(0);
  gone.advance(60);
  client.die(ECONNRESET);
  assert.deepEqual(
    [0, 1].map((at) => gone.server(at, false).wasAborted),
    [true, true],
  );
  assert.equal(gone.inFlight, 0);
  const late = runWith(3, { totalMs: 200 });
  const waiting = late.client(get);
  late.server(0);
  late.advance(220);
  assert.match(brief(waiting.text), /^504 .*\|total-timeout/);
  assert.deepEqual(
    [0, 1].map((at) => late.server(at, false).wasAborted),
    [true, true],
  );
  assert.equal(late.inFlight, 0);
});
