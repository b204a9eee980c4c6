import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RetryRule, standardRetry } from '../model/retry.ts';
import { fakeSnapshot } from './fake-plane.ts';
import { brief, FakeRun, get, ok } from './fake-run.ts';

const post = 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi';
const ECONNRESET = 104;
const ECONNREFUSED = 111;
const quick = { backoffBaseMs: 0 };
const answer = (status: number, fields = '', body = '') =>
  `HTTP/1.1 ${status} x\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;

/** A pool with this rule; `route`: what its route says on top. */
function runWith(
  servers: number,
  rule: Partial<RetryRule>,
  route: Partial<RetryRule> | null = null,
): FakeRun {
  const plain = fakeSnapshot(servers);
  return new FakeRun(servers, {
    pools: plain.pools.map((pool) => ({ ...pool, retry: { ...standardRetry, ...rule } })),
    routes: plain.routes.map((one) => ({ ...one, retry: route })),
  });
}

/** The tokens that a retry and a request move: 1,000 out, 200 in. */
const tokens = (run: FakeRun) => run.fake.words.retryTokens[0];

test('an answer of a listed status is discarded and the request goes to another server', () => {
  const run = runWith(3, { ...quick, statuses: [[503, 503]] });
  const client = run.client(get);
  run.server(0).receive(answer(503, '', 'sorry'));
  assert.equal(client.text, '');
  run.server(1).receive(ok);
  assert.equal(brief(client.text), '200 OK|ok');
  assert.equal(run.count('pool', 'retries'), 1);
  assert.equal(run.count('server', 'dials', 0) + run.count('server', 'reuses', 0), 1);
  assert.equal(run.fake.words.failureStreak[0], 1, 'the discarded 503 speaks against its server');
  assert.equal(run.inFlight, 0);
});

test('the link of a discarded answer is used again, also when the rest comes late', () => {
  const run = runWith(2, { ...quick, statuses: [[500, 599]] });
  const client = run.client(get);
  run.server(0).receive('HTTP/1.1 500 x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
  run.server(1).receive(ok);
  run.server(0).receive('2\r\nde\r\n0\r\n\r\n');
  assert.equal(run.server(0).isOpen, true);
  client.receive(get);
  assert.equal(run.dials, 2, 'the round-robin turn is the first server again, by its kept link');
  run.server(0).receive(ok);
  assert.equal(client.text.match(/200 OK/g)?.length, 2);
});

test('a discarded answer that does not end costs its link', () => {
  const endless = runWith(2, { ...quick, statuses: [[503, 503]] });
  endless.client(get);
  endless.server(0).receive('HTTP/1.1 503 x\r\nContent-Length: 1000000\r\n\r\n');
  for (let i = 0; i < 5; i++) endless.server(0).receive('x'.repeat(16_000));
  assert.equal(endless.server(0, false).wasAborted, true);
  const slow = runWith(2, { ...quick, statuses: [[503, 503]] });
  slow.client(get);
  slow.server(0).receive('HTTP/1.1 503 x\r\nContent-Length: 10\r\n\r\n');
  slow.advance(2_100);
  assert.equal(slow.server(0, false).wasAborted, true);
});

test('the question whether another server is left uses up no turn of round robin', () => {
  const run = runWith(3, { ...quick, statuses: [[503, 503]] });
  run.client(get);
  run.server(0).receive(answer(503));
  run.server(1).receive(ok);
  assert.equal(run.fake.words.cursor[0], 2, 'one turn for each attempt');
});

test('the last answer goes to the client: attempts used up, no other server, no budget', () => {
  const attempts = runWith(3, { ...quick, statuses: [[503, 503]] });
  const client = attempts.client(get);
  attempts.server(0).receive(answer(503));
  attempts.server(1).receive(answer(503, '', 'mine'));
  assert.match(brief(client.text), /^503 x\|mine/);

  const alone = runWith(1, { ...quick, statuses: [[503, 503]], attempts: 5 });
  const lonely = alone.client(get);
  alone.server(0).receive(answer(503, '', 'mine'));
  assert.match(brief(lonely.text), /^503 x\|mine/);
  assert.equal(tokens(alone), 200, 'nothing was spent where no other server is left');

  const poor = runWith(3, { ...quick, statuses: [[503, 503]] });
  poor.fake.words.retryTokens[0] = -10_000;
  const late = poor.client(get);
  poor.server(0).receive(answer(503, '', 'mine'));
  assert.match(brief(late.text), /^503 x\|mine/);
  assert.equal(poor.count('pool', 'retriesDenied'), 1);
});

test('never the same server twice: three attempts on two servers are two', () => {
  const run = runWith(2, { ...quick, statuses: [[500, 599]], attempts: 3 });
  const client = run.client(get);
  run.server(0).receive(answer(500));
  run.server(1).receive(answer(502, '', 'last'));
  assert.equal(run.dials, 2);
  assert.match(brief(client.text), /^502 x\|last/);
});

test('a reset with no other server left spends no budget', () => {
  const run = runWith(1, quick);
  const client = run.client(get);
  run.server(0).die(ECONNRESET);
  assert.match(brief(client.text), /^502 .*upstream-reset-before-headers/);
  assert.equal(tokens(run), 200);
});

test('POST is not repeated for a status or a time-out, with Idempotency-Key or by rule it is', () => {
  const rule = { ...quick, statuses: [[500, 599]] as const, isOnTimeout: true, perTryMs: 200 };
  const plain = runWith(3, rule);
  plain.client(post);
  plain.server(0);
  plain.advance(1_000);
  assert.equal(plain.dials, 1, 'a try that no other may follow goes on');
  plain.server(0).receive(answer(503));
  assert.equal(plain.dials, 1);
  const keyed = runWith(3, rule);
  keyed.client(post.replace('Host', 'Idempotency-Key: a\r\nHost'));
  keyed.server(0).receive(answer(503));
  assert.match(keyed.server(1).text, /\r\n\r\nhi$/);
  const unsafe = runWith(3, { ...rule, repeatsUnsafe: true });
  unsafe.client(post);
  unsafe.server(0).receive(answer(503));
  assert.equal(unsafe.dials, 2);
});

test('the pause before a retry is random below the base, doubled with each', () => {
  const run = runWith(4, { backoffBaseMs: 100, backoffMaxMs: 150, attempts: 3 });
  const client = run.client(get);
  const pauses: number[] = [];
  for (let i = 0; i < 3; i++) {
    run.server(i).die(ECONNRESET);
    assert.equal(run.inFlight, 0, 'a paused request holds no place');
    let ms = 0;
    for (; run.dials === i + 1 && ms < 400; ms++) run.advance(1);
    pauses.push(ms);
  }
  run.server(3).receive(ok);
  assert.equal(brief(client.text), '200 OK|ok');
  // bounds 100, 150 (capped 200), 150; two ticks of 5 ms later at most
  assert.ok(pauses[0]! <= 111 && pauses[1]! <= 161 && pauses[2]! <= 161, pauses.join());
  assert.ok(new Set(pauses).size > 1, pauses.join());
});

test('a client that goes away in the pause gets its retry back into the budget', () => {
  const run = runWith(2, { backoffBaseMs: 100 });
  const client = run.client(get);
  run.server(0).die(ECONNRESET);
  assert.equal(tokens(run), -800);
  client.die(ECONNRESET);
  assert.equal(tokens(run), 200);
  run.advance(500);
  assert.equal(run.dials, 1);
  assert.equal(run.count('pool', 'retries'), 0);
});

test('Retry-After is waited for in seconds and as a date, and not when it is long', () => {
  // the fake wall clock stands at 2026-01-01T00:00:00Z
  const cases: [string, number][] = [
    ['Retry-After: 2\r\n', 2_000],
    ['Retry-After: Thu, 01 Jan 2026 00:00:03 GMT\r\n', 3_000],
    ['Retry-After: Thursday, 01-Jan-26 00:00:03 GMT\r\n', 3_000],
    // asctime's form names no zone: GMT, whatever the zone of this process
    ['Retry-After: Thu Jan  1 00:00:03 2026\r\n', 3_000],
    ['Retry-After: soon\r\n', 0],
    ['Retry-After: Wed, 31 Dec 2025 00:00:00 GMT\r\n', 0],
  ];
  for (const [field, ms] of cases) {
    const run = runWith(2, { ...quick, statuses: [[429, 429]] });
    run.client(get);
    run.server(0).receive(answer(429, field));
    if (ms > 0) {
      run.advance(ms - 50);
      assert.equal(run.dials, 1, field);
      run.advance(100);
    }
    assert.equal(run.dials, 2, field);
  }
  const long = runWith(2, { ...quick, statuses: [[429, 429]] });
  const client = long.client(get);
  long.server(0).receive(answer(429, 'Retry-After: 3600\r\n'));
  assert.match(client.text, /^HTTP\/1\.1 429 x\r\nRetry-After: 3600\r\n/);
  assert.equal(tokens(long), 200);
});

test('perTry: a slow try is left for another server, counts against its server, and is not waited for', () => {
  const run = runWith(2, { ...quick, perTryMs: 200, isOnTimeout: true });
  const client = run.client(get);
  run.server(0);
  run.advance(190);
  assert.equal(run.dials, 1);
  run.advance(30);
  assert.equal(run.dials, 2);
  assert.equal(run.server(0, false).wasAborted, true);
  assert.equal(run.count('server', 'timeouts'), 1);
  // the second one is the last: it may take longer
  run.server(1);
  run.advance(1_000);
  run.server(1).receive(ok);
  assert.equal(brief(client.text), '200 OK|ok');
});

test('total: 504 when all tries together take longer, also between tries', () => {
  const run = runWith(2, { totalMs: 300 });
  const client = run.client(get);
  run.server(0);
  run.advance(290);
  assert.equal(client.text, '');
  run.advance(30);
  assert.match(brief(client.text), /^504 Gateway Timeout\|total-timeout/);
  assert.equal(run.server(0, false).wasAborted, true);
  assert.equal(run.inFlight, 0);
  assert.equal(run.count('server', 'timeouts'), 1);
  // the next exchange of the same object has no deadline of the last one
  const next = run.client(get);
  run.advance(100);
  run.server(1).receive(ok);
  assert.equal(brief(next.text), '200 OK|ok');
});

test('what a route says wins over its pool, the rest is the pool’s', () => {
  const run = runWith(3, { ...quick, statuses: [[503, 503]], attempts: 0 }, { attempts: 2 });
  run.client(get);
  run.server(0).receive(answer(503));
  run.server(1).receive(answer(503));
  assert.equal(run.dials, 3);
});

test('a reset is not repeated where `on` leaves it out; a refused dial still is', () => {
  const run = runWith(3, { ...quick, isOnReset: false });
  run.client(get);
  run.server(0).die(ECONNRESET);
  assert.equal(run.dials, 1);
  run.client(get);
  run.server(1, false).die(ECONNREFUSED);
  assert.equal(run.dials, 3);
});

test('a body that is still coming goes on to the next server', () => {
  const run = runWith(2, { ...quick, statuses: [[503, 503]] });
  const client = run.client('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc');
  run.server(0).receive(answer(503));
  client.receive('def');
  assert.match(run.server(1).text, /\r\n\r\nabcdef$/);
  run.server(1).receive(ok);
  assert.equal(brief(client.text), '200 OK|ok');
});

test('a body that comes in the pause waits for the next server', () => {
  const run = runWith(2, { statuses: [[503, 503]], backoffBaseMs: 100 });
  const client = run.client('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc');
  run.server(0).receive(answer(503));
  client.receive('def');
  run.advance(120);
  assert.match(run.server(1).text, /\r\n\r\nabcdef$/);
});
