import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Mirror, RouteActions } from '../model/actions.ts';
import { fakeSnapshot } from './fake-plane.ts';
import { brief, FakeRun, get, ok } from './fake-run.ts';

/** One server behind the route, one behind the mirror: links to them come in this order. */
function runWith(change: Partial<Mirror> = {}, actions: Partial<RouteActions> = {}): FakeRun {
  const [all] = fakeSnapshot(1).routes;
  const [pool] = fakeSnapshot(2).pools;
  const mirror: Mirror = {
    pool: 'shadow',
    share: 1,
    bodyBytesMax: 64,
    timeoutMs: 5_000,
    pendingMax: 3,
    ...change,
  };
  const all8: RouteActions = {
    split: null,
    fallback: null,
    mirror,
    redirect: null,
    rewrite: null,
    requestHeaders: null,
    responseHeaders: null,
    errors: [],
    ...actions,
  };
  return new FakeRun(1, {
    accessLog: true,
    routes: [{ ...all!, actions: all8 }],
    pools: [
      { ...pool!, servers: pool!.servers.slice(0, 1) },
      { ...pool!, slot: 1, name: 'shadow', servers: pool!.servers.slice(1) },
    ],
  });
}

const post = (body: string): string =>
  `POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const counts = (run: FakeRun): number[] =>
  ['mirrors', 'mirrorsDropped', 'mirrorsFailed'].map((name) => run.count('route', name));

test('a copy has the head and the body of what the server gets; its answer goes nowhere', () => {
  const requestHeaders = { remove: [], set: [{ name: 'X-A', value: '${path}' }], add: [] };
  const rewrite = { host: null, path: '/b', stripPrefix: null, addPrefix: null, pattern: null };
  const run = runWith({}, { requestHeaders, rewrite });
  const client = run.client(post('hello'));
  assert.match(run.server(0).text, /^POST \/b HTTP\/1\.1\r\n.*X-A: \/a\r\n.*\r\n\r\nhello$/s);
  assert.equal(run.server(1).text, run.server(0).text);
  run.server(1).receive('HTTP/1.1 500 Broken\r\nContent-Length: 6\r\n\r\nbroken');
  assert.equal(client.text, '');
  run.server(0).receive(ok);
  assert.equal(brief(client.text), '200 OK|ok');
  assert.deepEqual(counts(run), [1, 0, 0]);
  const lines = run.log();
  assert.equal(lines.length, 1, 'a copy has no line of its own');
  assert.deepEqual([lines[0]?.['actions'], lines[0]?.['pool']], [['mirror'], 'p']);
  assert.equal(run.count('listener', 'requests'), 1);
  assert.equal(run.count('route', 'requests'), 1);
  assert.equal(run.count('pool', 's5xx', 1), 1);
  assert.equal(run.count('server', 's5xx', 1), 1);
  assert.equal(run.inFlight, 0);
});

test('the link to the mirror is used again', () => {
  const run = runWith();
  const client = run.client(get);
  run.server(0).receive(ok);
  run
    .server(1)
    .receive('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n');
  client.receive(get);
  assert.equal(run.dials, 2);
  assert.equal(run.server(1).text.match(/GET/g)?.length, 2);
});

test('a body that comes in pieces, or in chunks, is copied when it is whole', () => {
  const run = runWith();
  const client = run.client(
    'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
  );
  assert.equal(run.dials, 1);
  client.receive('3\r\ndef\r\n');
  client.receive('0\r\n\r\n');
  assert.equal(run.dials, 2);
  assert.equal(run.server(1).text, run.server(0).text);
  assert.match(run.server(1).text, /abc.*def.*0\r\n\r\n$/s);
});

for (const [why, request] of [
  ['by its length', post('x'.repeat(65))],
  [
    'as it comes',
    `POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n50\r\n${'x'.repeat(80)}\r\n0\r\n\r\n`,
  ],
] as const) {
  test(`a body that is too long ${why} is not copied, and counted`, () => {
    const run = runWith();
    const client = run.client(request);
    assert.equal(run.dials, 1);
    run.server(0).receive(ok);
    assert.equal(brief(client.text), '200 OK|ok');
    assert.deepEqual(counts(run), [0, 1, 0]);
    assert.deepEqual(run.log()[0]?.['actions'], ['mirror-dropped']);
  });
}

test('a mirror that hangs: clients are served, copies are bounded and end in time', () => {
  const run = runWith();
  const client = run.client();
  for (let i = 0; i < 5; i++) {
    client.text = '';
    client.receive(get);
    run.server(0).receive(ok);
    assert.equal(brief(client.text), '200 OK|ok');
  }
  // one link to the server, three copies that hang
  assert.equal(run.dials, 4);
  assert.deepEqual(counts(run), [3, 2, 0]);
  assert.equal(run.inFlight, 3);
  run.server(1);
  run.advance(2_200);
  run.advance(3_200);
  assert.equal(run.inFlight, 0);
  assert.deepEqual(counts(run), [3, 2, 3]);
  client.receive(get);
  assert.deepEqual(counts(run), [4, 2, 3]);
});

test('a mirror that refuses, dies or answers nonsense changes nothing, and is tried once', () => {
  for (const end of ['refuse', 'reset', 'nonsense'] as const) {
    const run = runWith();
    const client = run.client(get);
    const mirror = run.server(1, end !== 'refuse');
    if (end === 'refuse') mirror.die(111);
    else if (end === 'reset') mirror.die(104);
    else mirror.receive('bang\r\n\r\n');
    run.server(0).receive(ok);
    assert.equal(brief(client.text), '200 OK|ok', end);
    assert.equal(run.dials, 2, end);
    assert.deepEqual(counts(run), [1, 0, 1], end);
    assert.equal(run.inFlight, 0, end);
    // every exchange has one reason: the copy's failure is nobody's answer
    assert.equal(run.log()[0]?.['reason'], 'ok', end);
  }
});

test('a server that dies while its mirror lives is repeated as ever', () => {
  const run = runWith();
  const client = run.client(get);
  run.server(0, false).die(111);
  assert.match(brief(client.text), /^502 Bad Gateway\|connect-refused/);
  run.server(1).receive(ok);
  assert.deepEqual(counts(run), [1, 0, 0]);
});

test('a client that leaves before its body is whole leaves no copy behind', () => {
  const run = runWith();
  const client = run.client('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc');
  client.die(104);
  assert.equal(run.dials, 1);
  assert.deepEqual(counts(run), [0, 1, 0]);
  for (let i = 0; i < 3; i++) run.client(get);
  assert.deepEqual(counts(run), [3, 1, 0], 'its place was given back');
});

test('upgrades are not mirrored; a share of them all is', () => {
  const run = runWith();
  run.client('GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  assert.equal(run.dials, 1);
  assert.deepEqual(counts(run), [0, 0, 0]);
  const some = runWith({ share: 0.5, pendingMax: 1_000 });
  for (let i = 0; i < 200; i++) some.client(get);
  // 100 ± 4 standard deviations of 7
  const [mirrors] = counts(some);
  assert.ok(mirrors! > 72 && mirrors! < 128, `${mirrors}`);
});
