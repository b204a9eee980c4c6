import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RouteActions } from '../model/actions.ts';
import { fakeSnapshot } from './fake-plane.ts';
import { brief, FakeRun, get, ok } from './fake-run.ts';

const actions: RouteActions = {
  split: null,
  fallback: 'other',
  mirror: null,
  redirect: null,
  rewrite: null,
  requestHeaders: null,
  responseHeaders: null,
  errors: [],
};
const post = 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi';
const ECONNREFUSED = 111;
const ECONNRESET = 104;

/** Pool `p` with this many servers falls back to pool `other` with one. */
function runWith(servers: number, others = 1): FakeRun {
  const [all] = fakeSnapshot(1).routes;
  const [pool] = fakeSnapshot(4).pools;
  return new FakeRun(1, {
    accessLog: true,
    routes: [{ ...all!, actions }],
    pools: [
      { ...pool!, servers: pool!.servers.slice(0, servers) },
      { ...pool!, slot: 1, name: 'other', servers: pool!.servers.slice(3, 3 + others) },
    ],
  });
}

test('a pool without servers: the fallback takes the request', () => {
  const run = runWith(0);
  const client = run.client(get);
  assert.match(run.server(0).text, /^GET \/ HTTP\/1\.1\r\n/);
  run.server(0).receive(ok);
  assert.equal(brief(client.text), '200 OK|ok');
  const [line] = run.log();
  assert.deepEqual(
    [line?.['pool'], line?.['actions'], line?.['reason']],
    ['other', ['fallback'], 'ok'],
  );
  assert.equal(run.count('route', 'fallbacks'), 1);
  assert.equal(run.count('pool', 'noServer'), 1);
  assert.equal(run.count('pool', 'requests', 1), 1);
  assert.equal(run.count('pool', 'requests', 0), 0);
});

test('all servers refused: the fallback takes even a POST, whole', () => {
  const run = runWith(2);
  const client = run.client(post);
  run.server(0, false).die(ECONNREFUSED);
  run.server(1, false).die(ECONNREFUSED);
  assert.match(run.server(2).text, /^POST \/ .*\r\n\r\nhi$/s);
  run.server(2).receive(ok);
  assert.equal(brief(client.text), '200 OK|ok');
  assert.equal(run.inFlight, 0);
});

test('a GET that died at every try goes to the fallback, a POST that a server had does not', () => {
  const run = runWith(1);
  const client = run.client(get);
  run.server(0).die(ECONNRESET);
  run.server(1).receive(ok);
  assert.equal(brief(client.text), '200 OK|ok');

  const other = runWith(1);
  const poster = other.client(post);
  other.server(0).die(ECONNRESET);
  assert.equal(other.dials, 1);
  assert.match(brief(poster.text), /^502 Bad Gateway\|upstream-reset-before-headers/);
  assert.equal(other.count('route', 'fallbacks'), 0);
});

test('an answer that had begun is never followed by the fallback', () => {
  const run = runWith(1);
  const client = run.client(get);
  run.server(0).receive('HTTP/1.1 200 OK\r\nContent-');
  run.server(0).die(ECONNRESET);
  assert.equal(run.dials, 1);
  assert.match(brief(client.text), /^502/);
});

test('a fallback that fails too answers for both, once', () => {
  const run = runWith(1);
  const client = run.client(get);
  run.server(0, false).die(ECONNREFUSED);
  run.server(1, false).die(ECONNREFUSED);
  assert.equal(run.dials, 2);
  assert.match(brief(client.text), /^502 Bad Gateway\|connect-refused/);
  assert.equal(run.count('route', 'fallbacks'), 1);
});

test('a fallback without servers: counted there, without a server', () => {
  const run = runWith(1, 0);
  const client = run.client(get);
  run.server(0, false).die(ECONNREFUSED);
  assert.match(brief(client.text), /^502 Bad Gateway\|connect-refused/);
  assert.equal(run.count('pool', 'requests', 1), 1);
  assert.equal(run.count('pool', 'withoutServer', 1), 1);
});
