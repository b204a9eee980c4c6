import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../base/prng.ts';
import type { Route, RouteMatch } from '../model/snapshot.ts';
import { Method } from '../wire/http1/head.ts';
import { compileRoutes, type RouteMatcher } from './routes.ts';

const encoder = new TextEncoder();

const routeOf = (match: Partial<RouteMatch>, listeners: readonly string[] = []): Route => ({
  slot: 0,
  name: 'r',
  listeners,
  match: { hosts: [], paths: [], methods: [], conditions: [], ...match },
  pool: 'web',
  respond: null,
  actions: null,
  allowEncodedSeparators: false,
  retry: null,
});

/** Asks with spans inside longer buffers, so that reading outside of them shows. */
function ask(
  matcher: RouteMatcher,
  host: string,
  path: string,
  method = 'GET',
  listener = 0,
): number {
  const hostBytes = encoder.encode(`x.${host}/y`);
  const pathBytes = encoder.encode(`/a${path}/b`);
  const methodBytes = encoder.encode(`${method} `);
  const code = (Method as Record<string, number>)[method] ?? Method.OTHER;
  const hostEnd = hostBytes.length - 2;
  const pathEnd = pathBytes.length - 2;
  return matcher.match(
    listener,
    hostBytes,
    2,
    hostEnd,
    pathBytes,
    2,
    pathEnd,
    code,
    methodBytes,
    0,
    methodBytes.length - 1,
    null,
  );
}

test('match() finds the first route in written order, whatever kind it is', () => {
  const matcher = compileRoutes(
    [
      routeOf({ paths: ['/admin/*'] }),
      routeOf({ hosts: ['api.example.com'], paths: ['/v1/*', '/health'] }),
      routeOf({ hosts: ['*.example.com'], methods: ['POST', 'PURGE'] }),
      routeOf({ hosts: ['api.example.com'] }),
      routeOf({}),
      routeOf({ paths: ['/never'] }),
    ],
    ['web'],
  );
  assert.equal(ask(matcher, 'api.example.com', '/admin/x'), 0);
  assert.equal(ask(matcher, 'api.example.com', '/v1/x'), 1);
  assert.equal(ask(matcher, 'api.example.com', '/health'), 1);
  assert.equal(ask(matcher, 'api.example.com', '/health/x', 'POST'), 2);
  assert.equal(ask(matcher, 'api.example.com', '/health/x', 'PURGE'), 2);
  assert.equal(ask(matcher, 'api.example.com', '/health/x', 'PURGED'), 3);
  assert.equal(ask(matcher, 'other.example.com', '/', 'GET'), 4);
  assert.equal(ask(matcher, '', '/never'), 4);
});

test('match() takes prefixes at segment boundaries and respects case', () => {
  const matcher = compileRoutes(
    [
      routeOf({ paths: ['/prefix/*'] }),
      routeOf({ paths: ['/exact', '/'] }),
      routeOf({ paths: ['/a//*'] }),
    ],
    ['web'],
  );
  for (const path of ['/prefix', '/prefix/', '/prefix/a/b'])
    assert.equal(ask(matcher, 'h', path), 0, path);
  for (const path of ['/prefixx', '/pre', '/Prefix/', '/x/prefix/', '*', '/exact/', '/exac', '']) {
    assert.equal(ask(matcher, 'h', path), -1, path);
  }
  assert.equal(ask(matcher, 'h', '/exact'), 1);
  assert.equal(ask(matcher, 'h', '/'), 1);
  assert.equal(ask(matcher, 'h', '/a//b'), 2);
  assert.equal(ask(matcher, 'h', '/a/b'), -1);
});

test('match() takes one or more labels for a wildcard, not the name itself', () => {
  const matcher = compileRoutes(
    [routeOf({ hosts: ['*.example.com'] }), routeOf({ hosts: ['example.com'] })],
    ['web'],
  );
  assert.equal(ask(matcher, 'a.example.com', '/'), 0);
  assert.equal(ask(matcher, 'a.b.example.com', '/'), 0);
  assert.equal(ask(matcher, 'example.com', '/'), 1);
  for (const host of ['.example.com', 'aexample.com', 'example.com.a', 'com', '']) {
    assert.equal(ask(matcher, host, '/'), -1, host);
  }
});

test('match() knows the routes of each listener only, `/*` takes OPTIONS * too', () => {
  const routes = [
    routeOf({ paths: ['/*'], methods: ['OPTIONS'] }, ['b']),
    routeOf({}, ['a']),
    routeOf({ paths: ['/x'] }),
  ];
  const matcher = compileRoutes(routes, ['a', 'b', 'c']);
  assert.equal(ask(matcher, 'h', '*', 'OPTIONS', 0), 1);
  assert.equal(ask(matcher, 'h', '*', 'OPTIONS', 1), 0);
  assert.equal(ask(matcher, 'h', '/x', 'GET', 1), 2);
  assert.equal(ask(matcher, 'h', '/y', 'GET', 2), -1);
  assert.equal(ask(compileRoutes([], ['a']), 'h', '/'), -1);
});

/** The rules of matching as plainly as they can be said. */
function naive(routes: readonly Route[], host: string, path: string, method: string): number {
  return routes.findIndex(({ match }) => {
    const isHost = match.hosts.some((pattern) =>
      pattern.startsWith('*.')
        ? host.endsWith(pattern.slice(1)) && host.length >= pattern.length
        : host === pattern,
    );
    const isPath = match.paths.some((pattern) => {
      if (pattern === '/*') return true;
      if (!pattern.endsWith('/*')) return path === pattern;
      return path === pattern.slice(0, -2) || path.startsWith(pattern.slice(0, -1));
    });
    return (
      (match.hosts.length === 0 || isHost) &&
      (match.paths.length === 0 || isPath) &&
      (match.methods.length === 0 || match.methods.includes(method))
    );
  });
}

test('match() agrees with the plain rules on random routes and requests', () => {
  const random = createRandom(31);
  const below = (count: number) => Math.floor(random() * count);
  const some = <Item>(make: () => Item) => Array.from({ length: below(3) }, make);
  const host = () => Array.from({ length: 1 + below(3) }, () => 'ab'[below(2)]).join('.');
  const path = () =>
    Array.from({ length: 1 + below(4) }, () => `/${['', 'a', 'b', 'ab'][below(4)]}`).join('');
  const method = () => ['GET', 'POST', 'PURGE', 'MKCOL'][below(4)]!;
  for (let round = 0; round < 300; round++) {
    const routes = Array.from({ length: 1 + below(30) }, () =>
      routeOf({
        hosts: some(() => (below(2) === 0 ? `*.${host()}` : host())),
        paths: some(() => (below(2) === 0 ? `${path()}/*` : path())),
        methods: some(method),
      }),
    );
    // Without a route for everything in most rounds, else little is asked of the rest.
    const asked =
      below(4) === 0
        ? routes
        : routes.filter(({ match }) => match.hosts.length + match.paths.length > 0);
    const matcher = compileRoutes(asked, ['web']);
    for (let request = 0; request < 60; request++) {
      const [where, what, how] = [host(), path(), method()];
      const expected = naive(asked, where, what, how);
      assert.equal(
        ask(matcher, where, what, how),
        expected,
        `round ${round}: ${how} ${where} ${what}`,
      );
    }
  }
});

test('match() of a thousand routes looks at few of them', () => {
  const routes = Array.from({ length: 1000 }, (_, at) =>
    routeOf({ hosts: [`h${at % 100}.example.com`], paths: [`/service-${at}/*`], methods: ['GET'] }),
  );
  const matcher = compileRoutes(routes, ['web']);
  for (const at of [0, 99, 100, 555, 999]) {
    assert.equal(ask(matcher, `h${at % 100}.example.com`, `/service-${at}/x`), at);
    assert.equal(ask(matcher, `h${(at + 1) % 100}.example.com`, `/service-${at}/x`), -1);
  }
});
