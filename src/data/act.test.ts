import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RouteActions } from '../model/actions.ts';
import type { Route, Snapshot } from '../model/snapshot.ts';
import { fakeSnapshot } from './fake-plane.ts';
import { brief, FakeRun, ok } from './fake-run.ts';

const nothing: RouteActions = {
  split: null,
  fallback: null,
  mirror: null,
  redirect: null,
  rewrite: null,
  requestHeaders: null,
  responseHeaders: null,
  errors: [],
};
const plainRewrite = { host: null, path: null, stripPrefix: null, addPrefix: null, pattern: null };
const noRules = { remove: [], set: [], add: [] };

/** One route with these actions in front of one server. */
function runWith(
  actions: Partial<RouteActions>,
  route: Partial<Route> = {},
  change: Partial<Snapshot> = {},
): FakeRun {
  const [all] = fakeSnapshot(1).routes;
  const routes = [{ ...all!, ...route, actions: { ...nothing, ...actions } }];
  return new FakeRun(1, { routes, ...change });
}

const request = (target: string, fields = ''): string =>
  `GET ${target} HTTP/1.1\r\nHost: Shop.example:8080\r\n${fields}\r\n`;

/** Request line and fields as the server gets them. */
function sent(run: FakeRun, text: string): string[] {
  run.client(text);
  return run.server(run.dials - 1).text.split('\r\n');
}

for (const [rewrite, target, expected] of [
  [{ stripPrefix: '/api' }, '/api/users?a=1', '/users?a=1'],
  [{ stripPrefix: '/api' }, '/api', '/'],
  [{ stripPrefix: '/api' }, '/apis/users', '/apis/users'],
  [{ addPrefix: '/v1' }, '/users', '/v1/users'],
  [{ stripPrefix: '/api', addPrefix: '/v1' }, '/api', '/v1'],
  [{ stripPrefix: '/api', addPrefix: '/v1' }, '/api/x/?q', '/v1/x/?q'],
  [{ path: '/all${path}' }, '/x', '/all/x'],
  [{ path: '/fixed' }, '/x?keep=1', '/fixed?keep=1'],
  [{ path: '/t/${header.x-tenant}/a' }, '/x', '/t/blue/a'],
  [
    { pattern: { match: '^/u/(\\w+)/(\\d+)$', replace: '/users/$2-$1$$' } },
    '/u/ann/7?x',
    '/users/7-ann$?x',
  ],
  [{ pattern: { match: '/v[12]/', replace: '/' } }, '/api/v1/v2/x', '/api/v2/x'],
  [{ pattern: { match: '^/none', replace: '/x' } }, '/other', '/other'],
] as const) {
  test(`rewrite ${JSON.stringify(rewrite)} makes ${expected} of ${target}`, () => {
    const run = runWith({ rewrite: { ...plainRewrite, ...rewrite } });
    const lines = sent(run, request(target, 'X-Tenant: blue\r\n'));
    assert.equal(lines[0], `GET ${expected} HTTP/1.1`);
    assert.ok(
      lines.includes('Host: Shop.example:8080') || lines.includes('Host: shop.example:8080'),
    );
  });
}

for (const [why, rewrite, target, fields] of [
  ['dot segments', { path: '/t/${header.x-tenant}/a' }, '/x', 'X-Tenant: ..\r\n'],
  ['a query', { path: '/t/${header.x-tenant}' }, '/x', 'X-Tenant: a?b\r\n'],
  ['a space', { path: '/t/${header.x-tenant}' }, '/x', 'X-Tenant: a HTTP/1.1\r\n'],
  ['an encoded separator', { path: '/t/${header.x-tenant}' }, '/x', 'X-Tenant: a%2fb\r\n'],
  ['dot segments by a pattern', { pattern: { match: '^/x', replace: '/' } }, '/x../admin', ''],
  ['two slashes at its front', { stripPrefix: '/api' }, '/api//evil.example/', ''],
] as const) {
  test(`rewrite refuses a path with ${why} that only it would make`, () => {
    const run = runWith({ rewrite: { ...plainRewrite, ...rewrite } });
    const client = run.client(request(target, fields));
    assert.match(brief(client.text), /^400 Bad Request\|rewrite-invalid/);
    assert.equal(run.dials, 0);
  });
}

test('rewrite.host is what the server gets; the forwarding fields keep what the client asked for', () => {
  const rewrite = { ...plainRewrite, host: '${pool}.internal:81' };
  const lines = sent(runWith({ rewrite }), request('/'));
  assert.equal(lines[1], 'Host: p.internal:81');
  assert.ok(lines.includes('X-Forwarded-Host: shop.example:8080'), lines.join('\n'));
});

test('rewrite leaves OPTIONS * as it is', () => {
  const run = runWith({ rewrite: { ...plainRewrite, addPrefix: '/v1' } });
  const lines = sent(run, 'OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n');
  assert.equal(lines[0], 'OPTIONS * HTTP/1.1');
});

test('headers.request: remove, set, add, in this order, with the facts of the request', () => {
  const run = runWith({
    requestHeaders: {
      remove: ['X-Secret'],
      set: [
        { name: 'X-User', value: '${header.x-login}' },
        { name: 'X-All', value: '${method} ${scheme}://${host}${uri} ${client} ${route} ${pool}' },
        { name: 'X-Path', value: '${path}|${query}|$${path}' },
      ],
      add: [
        { name: 'X-Many', value: 'ours' },
        { name: 'X-Empty', value: '${header.x-nothing}' },
      ],
    },
  });
  const lines = sent(
    run,
    request(
      '/a%7Eb?c=1',
      'x_user: forged\r\nX-USER: forged\r\nX-Login: ann\r\nx.secret: 1\r\nX-Many: theirs\r\n',
    ),
  );
  const ours = lines.filter((line) => /^x[-_.](?!forwarded)/i.test(line));
  assert.deepEqual(ours, [
    'X-Login: ann',
    'X-Many: theirs',
    'X-User: ann',
    'X-All: GET http://shop.example/a~b?c=1 127.0.0.1 all p',
    'X-Path: /a~b|c=1|${path}',
    'X-Many: ours',
  ]);
});

test('headers.request: a request without the lines goes on as before', () => {
  const run = runWith({ requestHeaders: { ...noRules, set: [{ name: 'X-Stage', value: 'a b' }] } });
  const lines = sent(run, request('/', 'Connection: keep-alive, X-Stage\r\nAccept: */*\r\n'));
  assert.equal(lines[0], 'GET / HTTP/1.1');
  assert.ok(lines.includes('X-Stage: a b'), 'Connection does not name ours away');
  assert.ok(lines.includes('Accept: */*'));
  assert.ok(!lines.some((line) => line.startsWith('Connection')));
});

test('headers.request: more than the limit is refused', () => {
  const value = '${header.x-long}'.repeat(8);
  const run = runWith({ requestHeaders: { ...noRules, set: [{ name: 'X-Copy', value }] } });
  const client = run.client(request('/', `X-Long: ${'a'.repeat(5_000)}\r\n`));
  assert.match(brief(client.text), /^431/);
  assert.equal(run.dials, 0);
});

test('headers.response: on what servers answer, with the server that did', () => {
  const run = runWith({
    responseHeaders: {
      remove: ['Server', 'x-powered-by'],
      set: [{ name: 'X-Served-By', value: '${server} for ${path}' }],
      add: [{ name: 'Set-Cookie', value: 'seen=${requestId}' }],
    },
  });
  const client = run.client(request('/shop'));
  run
    .server(0)
    .receive(
      'HTTP/1.1 200 OK\r\nServer: x\r\nX-Powered-By: y\r\nSet-Cookie: a=1\r\nX-Served-By: me\r\nContent-Length: 2\r\n\r\nok',
    );
  const lines = client.text.split('\r\n');
  assert.deepEqual(
    lines.filter((line) => /^(server|x-|set)/i.test(line)),
    [
      'Set-Cookie: a=1',
      'X-Served-By: 10.0.0.1:80 for /shop',
      lines.find((line) => /^Set-Cookie: seen=[0-9a-f]{16}$/.test(line)),
    ],
  );
  assert.equal(lines.at(-1), 'ok');
});

test('headers.response: constant rules, on interim answers not', () => {
  const rules = { ...noRules, set: [{ name: 'Strict-Transport-Security', value: 'max-age=9' }] };
  const run = runWith({ responseHeaders: rules });
  const client = run.client(request('/'));
  run.server(0).receive(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok}`);
  const [hint, final] = client.text.split('HTTP/1.1 200');
  assert.doesNotMatch(hint!, /Strict/);
  assert.match(final!, /\r\nStrict-Transport-Security: max-age=9\r\n/);
});

test('headers.response: on answers of our own too', () => {
  const rules = {
    remove: ['Retry-After'],
    set: [
      { name: 'X-Asked', value: '${uri}' },
      { name: 'Content-Length', value: '1' },
    ],
    add: [],
  };
  const run = runWith({ responseHeaders: rules }, {}, { pools: fakeSnapshot(0).pools });
  const client = run.client(request('/x?y'));
  assert.match(brief(client.text), /^503 Service Unavailable\|no-servers/);
  assert.match(client.text, /\r\nX-Asked: \/x\?y\r\n/);
  assert.equal(client.text.match(/Content-Length/g)?.length, 1);
});

for (const [to, target, location] of [
  ['https://${host}${uri}', '/a?b=c', 'https://shop.example/a?b=c'],
  ['/moved${path}?from=${method}', '/a?b', '/moved/a?from=GET'],
  ['${uri}', '//evil.example/a', '/evil.example/a'],
  ['https://new.example/${header.x-to}', '/', 'https://new.example/a%20%22b%22%E9'],
] as const) {
  test(`redirect to ${to} sends ${target} to ${location}`, () => {
    const run = runWith({ redirect: { to, status: 308 } }, { pool: null });
    const client = run.client(request(target, 'X-To: a "b"\xe9\r\n'));
    assert.match(client.text, /^HTTP\/1\.1 308 Permanent Redirect\r\n/);
    assert.match(client.text, /\r\nContent-Length: 0\r\n/);
    assert.equal(/\r\nLocation: (.*)\r\n/.exec(client.text)?.[1], location);
    assert.equal(run.dials, 0);
  });
}

test('redirect with the host of a request that names none is refused', () => {
  const run = runWith({ redirect: { to: 'https://${host}/', status: 301 } }, { pool: null });
  const client = run.client('GET / HTTP/1.0\r\n\r\n');
  assert.match(brief(client.text), /^400 Bad Request\|host-invalid/);
});

test('respond fills in variables, escaped for its content type', () => {
  const answers = [
    ['text/html', '<p>${header.x-a}</p>', '<p>&lt;b&gt;&quot;</p>'],
    ['application/json', '{"a":"${header.x-a}"}', '{"a":"<b>\\""}'],
    ['text/plain', '${header.x-a} $${host}', '<b>" ${host}'],
  ] as const;
  for (const [contentType, body, expected] of answers) {
    const respond = {
      status: 200,
      body,
      file: null,
      contentType,
      headers: { 'X-Path': '${path}' },
    };
    const [all] = fakeSnapshot(1).routes;
    const run = new FakeRun(1, { routes: [{ ...all!, pool: null, respond }] });
    const client = run.client(request('/p', 'X-A: <b>"\r\n'));
    assert.equal(brief(client.text), `200 OK|${expected}`);
    assert.match(client.text, /\r\nX-Path: \/p\r\n/);
  }
});

/** Two pools of one server each: slots 0 and 1. */
function twoPools(): Snapshot['pools'] {
  const [web] = fakeSnapshot(1).pools;
  const server = { ...fakeSnapshot(2).pools[0]!.servers[1]! };
  return [web!, { ...web!, slot: 1, name: 'canary', servers: [server] }];
}

const halves = [
  { pool: 'p', weight: 1 },
  { pool: 'canary', weight: 1 },
];

test('split by cookie keeps a user on its side; without the cookie the client decides', () => {
  const split = { by: { kind: 'cookie', name: 'id' } as const, shares: halves };
  const run = runWith({ split }, { pool: null }, { pools: twoPools(), accessLog: true });
  for (let user = 0; user < 40; user++) {
    for (const fields of [`Cookie: a=1; id=u${user}\r\n`, `Cookie: id=u${user};b=2\r\n`, '']) {
      const client = run.client(request('/', `${fields}Connection: close\r\n`));
      run
        .server(run.dials - 1)
        .receive(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      assert.match(client.text, /^HTTP\/1\.1 200/);
    }
  }
  const pools = run.log().map(({ pool }) => pool);
  const sides = new Set<unknown>();
  const strangers = new Set<unknown>();
  for (let user = 0; user < 40; user++) {
    assert.equal(pools[user * 3], pools[user * 3 + 1], `user ${user}`);
    sides.add(pools[user * 3]);
    strangers.add(pools[user * 3 + 2]);
  }
  assert.deepEqual([...sides].sort(), ['canary', 'p']);
  assert.equal(strangers.size, 1);
});

test('split by request draws anew each time', () => {
  const split = { by: { kind: 'request' } as const, shares: halves };
  const run = runWith({ split }, { pool: null }, { pools: twoPools(), accessLog: true });
  for (let i = 0; i < 40; i++) {
    run.client(request('/', 'Connection: close\r\n'));
    run
      .server(run.dials - 1)
      .receive('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  }
  const pools = run.log().map(({ pool }) => pool);
  const canary = pools.filter((pool) => pool === 'canary').length;
  // 20 ± 4 standard deviations of 3.2
  assert.ok(canary >= 8 && canary <= 32, `${canary}`);
});

test('a pool that hashes the path hashes it as the client sent it', () => {
  const rewrite = { ...plainRewrite, path: '/one' };
  const pools = fakeSnapshot(4).pools.map((pool) => ({
    ...pool,
    policy: 'hash' as const,
    balancing: { ...pool.balancing, key: { from: 'path' as const, name: '' } },
  }));
  const [all] = fakeSnapshot(1).routes;
  const routes = [{ ...all!, actions: { ...nothing, rewrite } }];
  const run = new FakeRun(4, { routes, pools, accessLog: true });
  for (let i = 0; i < 12; i++) {
    run.client(request(`/${i}`, 'Connection: close\r\n'));
    run.server(run.dials - 1).receive('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  }
  // All twelve would go to one server by the path that they are given.
  assert.ok(new Set(run.log().map(({ server }) => server)).size > 1);
});
