import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { AdminRequest, AdminResponse } from '../../platform/admin-listener.ts';
import { AdminApi } from './api.ts';
import { FakeControl } from './fake-control.ts';
import { adminRoutes } from './routes.ts';

const loopback = { remoteAddress: '127.0.0.1', localAddress: '127.0.0.1' };

function start(areFaultsArmed = false): {
  control: FakeControl;
  audit: string[];
  ask: (method: string, target: string, more?: Partial<AdminRequest>) => Promise<AdminResponse>;
} {
  const control = new FakeControl();
  const audit: string[] = [];
  const api = new AdminApi({
    control,
    guard: { host: '192.0.2.10', token: 'secret-token' },
    version: '0.1.0',
    areFaultsArmed,
    wallMs: () => 0,
    audit: (line) => audit.push(line),
  });
  const ask = (method: string, target: string, more: Partial<AdminRequest> = {}) =>
    api.answer({
      method,
      target,
      host: 'localhost:9900',
      origin: null,
      authorization: null,
      accept: null,
      acceptEncoding: null,
      body: '',
      peer: null,
      ...more,
    });
  return { control, audit, ask };
}

const errorCode = (response: AdminResponse): unknown =>
  (JSON.parse(response.body) as { error?: { code?: string } }).error?.code;

test('every route of the table is in the OpenAPI document and in the reference, and the other way round', async () => {
  const { ask } = start(true);
  const document = JSON.parse((await ask('GET', '/openapi.json')).body) as {
    paths: Record<string, Record<string, unknown>>;
  };
  const described = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const rows = adminRoutes.map((route) => `${route.method} ${route.path}`);
  assert.deepEqual(described.sort(), rows.sort());
  const reference = await readFile(
    new URL('../../../docs/reference/admin-api.md', import.meta.url),
    'utf8',
  );
  const documented = [...reference.matchAll(/^\| `(GET|POST|PATCH|DELETE) ([^`]+)`/gm)];
  assert.deepEqual(documented.map((match) => `${match[1]} ${match[2]}`).sort(), rows.sort());
});

test('the test-only trigger is there only when armed', async () => {
  const target = '/v1/test/workers/0/fail';
  const body = '{"kind":"invariant"}';
  assert.equal((await start(false).ask('POST', target, { body })).status, 404);
  const { ask, control } = start(true);
  assert.equal((await ask('POST', target, { body })).status, 200);
  assert.deepEqual(control.calls, ['injectFault 0 invariant']);
  assert.equal((await ask('POST', target, { body: '{"kind":"other"}' })).status, 400);
});

test('servers are drained, weighed, added and removed by pool and address', async () => {
  const { ask, control } = start();
  const path = '/v1/pools/web/servers/10.0.0.1%3A3000';
  assert.equal((await ask('PATCH', path, { body: '{"draining":true}' })).status, 200);
  assert.equal((await ask('PATCH', path, { body: '{"weight":3,"draining":false}' })).status, 200);
  assert.equal((await ask('DELETE', path)).status, 200);
  const added = await ask('POST', '/v1/pools/web/servers', {
    body: '{"address":"unix:/run/a.sock"}',
  });
  assert.equal(added.status, 201);
  assert.equal(added.headers['location'], '/v1/pools/web/servers/unix%3A%2Frun%2Fa.sock');
  assert.deepEqual(control.calls, [
    'drain web 10.0.0.1:3000',
    'set web 10.0.0.1:3000 3, ready web 10.0.0.1:3000',
    'remove web 10.0.0.1:3000',
    'add web {"address":"unix:/run/a.sock"}',
  ]);
  assert.equal((await ask('GET', path)).status, 200);
  assert.equal(errorCode(await ask('GET', '/v1/pools/web/servers/10.0.0.9%3A1')), 'unknown-server');
  assert.equal(errorCode(await ask('GET', '/v1/pools/none/servers')), 'unknown-pool');
});

test('a weight alone leaves a drain as it is', async () => {
  const { ask, control } = start();
  await ask('PATCH', '/v1/pools/web/servers/10.0.0.1%3A3000', { body: '{"weight":0}' });
  assert.deepEqual(control.calls, ['set web 10.0.0.1:3000 0']);
});

test('wrong bodies are refused with path, requirement and what was found, and change nothing', async () => {
  const { ask, control } = start();
  const path = '/v1/pools/web/servers/10.0.0.1%3A3000';
  for (const body of [
    '',
    '[]',
    '{}',
    '{"weight":-1}',
    '{"weight":1.5}',
    '{"wieght":1}',
    '{"weight":1001}',
  ]) {
    const response = await ask('PATCH', path, { body });
    assert.deepEqual([body, response.status, errorCode(response)], [body, 400, 'invalid-body']);
  }
  for (const body of [
    '{"weight":1}',
    '{"address":""}',
    '{"address":"a:1","__proto__":1}',
    '{"address":"a:1","labels":{"a":1}}',
  ]) {
    assert.equal((await ask('POST', '/v1/pools/web/servers', { body })).status, 400, body);
  }
  assert.deepEqual(control.calls, []);
});

test('a refused operation has the status of its reason; a refused reload lists its problems', async () => {
  const { ask, control } = start();
  control.problem = 'server-exists';
  const refused = await ask('POST', '/v1/pools/web/servers', { body: '{"address":"a:1"}' });
  assert.deepEqual([refused.status, errorCode(refused)], [409, 'server-exists']);
  control.reloadProblems = ['a.yaml:1:1: pools: x is required, y was found'];
  const reload = await ask('POST', '/v1/reload');
  assert.equal(reload.status, 422);
  assert.match(reload.body, /a\.yaml:1:1/);
});

test('methods and paths: 405 with Allow, 404, HEAD as GET, invalid escapes are not found', async () => {
  const { ask } = start();
  const wrong = await ask('DELETE', '/v1/status');
  assert.deepEqual([wrong.status, wrong.headers['allow']], [405, 'GET, HEAD']);
  assert.equal((await ask('GET', '/v1/nothing')).status, 404);
  assert.equal((await ask('GET', '/v1/pools/%zz/servers')).status, 404);
  assert.equal((await ask('HEAD', '/healthz?x=1')).status, 200);
});

test('readyz follows the balancer', async () => {
  const { ask, control } = start();
  assert.equal((await ask('GET', '/readyz')).status, 200);
  control.isTakingTraffic = false;
  assert.equal((await ask('GET', '/readyz')).status, 503);
});

test('over TCP reads are open on loopback only and changes need the token', async () => {
  const { ask, control } = start();
  const far = { remoteAddress: '192.0.2.99', localAddress: '192.0.2.10' };
  const authorization = 'Bearer secret-token';
  assert.equal((await ask('GET', '/v1/status', { peer: loopback })).status, 200);
  assert.equal(
    (await ask('GET', '/v1/status', { peer: far, host: '192.0.2.10:9900' })).status,
    401,
  );
  assert.equal(
    (await ask('GET', '/v1/status', { peer: far, host: '192.0.2.10:9900', authorization })).status,
    200,
  );
  assert.equal((await ask('POST', '/v1/reload', { peer: loopback })).status, 401);
  for (const wrong of [
    'Bearer secret-tokem',
    'Bearer secret-token2',
    'Basic secret-token',
    'Bearer ',
    '',
  ]) {
    assert.equal(
      (await ask('POST', '/v1/reload', { peer: loopback, authorization: wrong })).status,
      401,
    );
  }
  assert.deepEqual(control.calls, []);
  assert.equal((await ask('POST', '/v1/reload', { peer: loopback, authorization })).status, 200);
  assert.deepEqual(control.calls, ['reload']);
});

test('no web page gets in: foreign Host and Origin are refused, also on the Unix socket', async () => {
  const { ask } = start();
  for (const host of [
    'evil.example',
    '127.0.0.1.evil.example',
    'localhost@evil',
    '10.0.0.1:9900',
    '',
  ]) {
    assert.equal((await ask('GET', '/v1/status', { peer: loopback, host })).status, 403, host);
  }
  for (const host of [
    'localhost',
    '127.0.0.1:9900',
    '[::1]:9900',
    '192.0.2.10:9900',
    'LOCALHOST:1',
  ]) {
    assert.equal((await ask('GET', '/v1/status', { peer: loopback, host })).status, 200, host);
  }
  for (const origin of [
    'http://evil.example',
    'null',
    'https://localhost:9900',
    'http://localhost:8080',
  ]) {
    assert.equal((await ask('GET', '/v1/status', { peer: loopback, origin })).status, 403, origin);
  }
  const own = { peer: loopback, origin: 'http://localhost:9900' };
  assert.equal((await ask('GET', '/v1/status', own)).status, 200);
  assert.equal((await ask('GET', '/v1/status', { origin: 'http://localhost:9900' })).status, 403);
});

test('every change, refused ones too, is in the audit log with who, what and outcome; reads are not', async () => {
  const { ask, audit } = start();
  await ask('GET', '/v1/status');
  await ask('PATCH', '/v1/pools/web/servers/10.0.0.1%3A3000', { body: '{"weight":2}' });
  await ask('POST', '/v1/reload', { peer: loopback });
  const lines = audit.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(lines, [
    {
      time: '1970-01-01T00:00:00.000Z',
      who: 'unix socket',
      method: 'PATCH',
      path: '/v1/pools/web/servers/10.0.0.1%3A3000',
      body: '{"weight":2}',
      status: 200,
      outcome: 'done',
    },
    {
      time: '1970-01-01T00:00:00.000Z',
      who: 'refused 127.0.0.1',
      method: 'POST',
      path: '/v1/reload',
      body: '',
      status: 401,
      outcome: 'token-required',
    },
  ]);
  assert.ok(!audit.join('').includes('secret-token'));
});

test('a transaction is read whole: every change has its fields, and no others', async () => {
  const { ask, control } = start();
  const send = (changes: unknown) =>
    ask('POST', '/v1/transactions', { body: JSON.stringify({ changes }) });
  const server = { pool: 'web', address: '10.0.0.1:3000' };
  const good = await send([
    { op: 'add', pool: 'web', server: { address: '10.0.0.9:3000', weight: 2 } },
    { op: 'drain', ...server, for: '5m' },
    { op: 'drain', ...server },
    { op: 'set', ...server, weight: 0 },
    { op: 'ready', ...server },
    { op: 'remove', ...server },
  ]);
  assert.equal(good.status, 200, good.body);
  assert.deepEqual(control.calls, [
    [
      'add web {"address":"10.0.0.9:3000","weight":2}',
      'drain web 10.0.0.1:3000 300000',
      'drain web 10.0.0.1:3000',
      'set web 10.0.0.1:3000 0',
      'ready web 10.0.0.1:3000',
      'remove web 10.0.0.1:3000',
    ].join(', '),
  ]);
  const faults: [unknown, string][] = [
    [[], 'changes'],
    [[null], 'changes[0].op'],
    [[{ op: 'stop', ...server }], 'changes[0].op'],
    [
      [
        { op: 'ready', ...server },
        { op: 'set', ...server },
      ],
      'changes[1].weight',
    ],
    [[{ op: 'set', ...server, weight: 1, for: '5m' }], 'changes[0].for'],
    [[{ op: 'drain', ...server, for: '5 minutes' }], 'changes[0].for'],
    [[{ op: 'add', pool: 'web', server: { weight: 1 } }], 'changes[0].server.address'],
    [[{ op: 'remove', pool: 'web' }], 'changes[0].address'],
  ];
  for (const [changes, path] of faults) {
    const response = await send(changes);
    const { error } = JSON.parse(response.body) as { error: { path: string } };
    assert.deepEqual([response.status, error.path], [400, path]);
  }
  assert.equal(control.calls.length, 1);
});

test('a drain may have a time, and only a drain', async () => {
  const { ask, control } = start();
  const path = '/v1/pools/web/servers/10.0.0.1%3A3000';
  assert.equal((await ask('PATCH', path, { body: '{"draining":true,"for":"2s"}' })).status, 200);
  assert.deepEqual(control.calls, ['drain web 10.0.0.1:3000 2000']);
  assert.equal((await ask('PATCH', path, { body: '{"weight":1,"for":"2s"}' })).status, 400);
});

test('streams are begun by live and tail, with a filter that can be read; events come after an id', async () => {
  const { ask, control } = start();
  const sent: string[] = [];
  const open = (response: AdminResponse): (() => void) | undefined =>
    response.stream?.({ write: (text) => void sent.push(text), end: () => {} });
  const live = await ask('GET', '/v1/live');
  assert.equal(live.headers['content-type'], 'text/event-stream');
  const stop = open(live);
  assert.deepEqual([sent.pop(), control.watchers], ['event: tick\ndata: {}\n\n', 1]);
  stop?.();
  assert.equal(control.watchers, 0);
  open(await ask('GET', '/v1/tail?status=5xx&failed=true&slow=200ms&pool=web&text=%2Fa%20b'))?.();
  const data = sent.pop()?.split('data: ')[1] ?? '';
  assert.deepEqual(JSON.parse(data), {
    statusMin: 500,
    statusMax: 599,
    isFailedOnly: true,
    pool: 'web',
    route: null,
    server: null,
    slowMs: 200,
    text: '/a b',
  });
  for (const bad of ['status=6xx', 'status=500-400', 'failed=yes', 'slow=fast', 'colour=red']) {
    const response = await ask('GET', `/v1/tail?${bad}`);
    assert.deepEqual([bad, response.status, errorCode(response)], [bad, 400, 'invalid-query']);
  }
  const events = await ask('GET', '/v1/events?after=1');
  assert.deepEqual(
    (JSON.parse(events.body) as { events: { id: number }[] }).events.map(({ id }) => id),
    [2],
  );
  assert.equal((await ask('GET', '/v1/events?after=x')).status, 400);
});

test('the page needs no token from another machine, but its own Host; what it reads does', async () => {
  const { ask } = start();
  const far = { remoteAddress: '192.0.2.99', localAddress: '192.0.2.10' };
  const from = { peer: far, host: '192.0.2.10:9900' };
  assert.ok([200, 404].includes((await ask('GET', '/', from)).status));
  assert.equal((await ask('GET', '/assets/none.js', from)).status, 404);
  assert.equal((await ask('GET', '/v1/live', from)).status, 401);
  assert.equal((await ask('GET', '/', { peer: far, host: 'evil.example' })).status, 403);
});

test('/metrics is OpenMetrics for those who name it, else Prometheus text', async () => {
  const { ask } = start(false);
  const open = await ask('GET', '/metrics', {
    accept: 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5',
  });
  assert.equal(
    open.headers['content-type'],
    'application/openmetrics-text; version=1.0.0; charset=utf-8',
  );
  assert.match(String(open.body), /# EOF\n$/);
  const plain = await ask('GET', '/metrics', { accept: '*/*' });
  assert.equal(plain.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
});
