import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../base/prng.ts';
import type { Condition, TextTest } from '../model/conditions.ts';
import type { Route } from '../model/snapshot.ts';
import { Head } from '../wire/http1/head.ts';
import { parseRequestHead } from '../wire/http1/request-parser.ts';
import { Clients } from './client.ts';
import { RequestFacts } from './facts.ts';
import { compileRoutes, type RouteMatcher } from './routes.ts';

const encoder = new TextEncoder();
const limits = { headBytesMax: 65_536, headFieldsMax: 100 };

const routeOf = (conditions: readonly Condition[], paths: readonly string[] = []): Route => ({
  slot: 0,
  name: 'r',
  listeners: [],
  match: { hosts: [], paths, methods: [], conditions },
  pool: 'web',
  respond: null,
  actions: null,
  retry: null,
  allowEncodedSeparators: false,
});

/** A world with a clock, a client and a few places. */
class World {
  nowMs = 0;
  address = '192.0.2.7';
  isTrusted = false;
  readonly facts = new RequestFacts({
    clients: new Clients({
      country: (address) => ({ country: address.startsWith('192') ? 'DE' : null, continent: null }),
      asn: (address) => (address.startsWith('192') ? 64496 : null),
    }),
    wallClock: () => this.nowMs,
    random: createRandom(7),
  });

  /** The number of the first route that takes a request. */
  ask(matcher: RouteMatcher, target: string, lines: readonly string[] = [], minor = 1): number {
    const words = target.includes(' ') ? target : `GET ${target}`;
    const text = `${words} HTTP/1.${minor}\r\nHost: h\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
    const head = new Head();
    // Not from its start, so that a wrong offset shows.
    const bytes = encoder.encode(`????${text}`);
    assert.ok(
      parseRequestHead(head, bytes, 4, bytes.length, limits) > 0,
      `${head.failure}: ${text}`,
    );
    this.facts.take(head, this.address, this.isTrusted);
    return matcher.match(
      0,
      head.hostBytes,
      head.hostStart,
      head.hostEnd,
      head.pathBytes,
      head.pathStart,
      head.pathEnd,
      head.method,
      head.bytes,
      head.methodStart,
      head.methodEnd,
      this.facts,
    );
  }

  /** Does one condition hold? */
  holds(condition: Condition, target: string, lines: readonly string[] = [], minor = 1): boolean {
    const matcher = compileRoutes([routeOf([condition])], ['web']);
    assert.ok(matcher.hasConditions(0));
    return this.ask(matcher, target, lines, minor) === 0;
  }
}

const is = (...texts: string[]): TextTest => ({ kind: 'any-of', texts });
const header = (name: string, of: TextTest): Condition => ({ kind: 'header', name, test: of });
const query = (name: string, of: TextTest): Condition => ({ kind: 'query', name, test: of });
const cookie = (name: string, of: TextTest): Condition => ({ kind: 'cookie', name, test: of });
const present = (isPresent: boolean): TextTest => ({ kind: 'present', isPresent });

test('header: names of either case, whole values, any line, fields that are forwarded only', () => {
  const world = new World();
  const rows: [Condition, string[], boolean][] = [
    [header('x-a', is('1')), ['X-A: 1'], true],
    [header('x-a', is('1')), ['x-a:   1  '], true],
    [header('x-a', is('1')), ['X-A: 11'], false],
    [header('x-a', is('1')), ['X-A: 1, 2'], false],
    [header('x-a', is('1', '2')), ['X-A: 3', 'X-A: 2'], true],
    [header('x-a', is('')), ['X-A:'], true],
    [header('x-a', is('Ü')), ['X-A: Ü'], true],
    [header('x_a', is('1')), ['X_A: 1'], true],
    [header('x-a', present(true)), ['X-A:'], true],
    [header('x-a', present(true)), ['X-AB: 1'], false],
    [header('x-a', present(false)), [], true],
    [header('x-a', present(false)), ['X-A:'], false],
    [header('x-a', { kind: 'prefix', text: 'ab' }), ['X-A: abc'], true],
    [header('x-a', { kind: 'prefix', text: 'ab' }), ['X-A: a'], false],
    [header('x-a', { kind: 'pattern', pattern: 'b+c$' }), ['X-A: abbc'], true],
    [header('x-a', { kind: 'pattern', pattern: '^b+c$' }), ['X-A: abbc'], false],
    [header('x-a', { kind: 'not', of: is('1') }), ['X-A: 2'], true],
    [header('x-a', { kind: 'not', of: is('1') }), [], true],
    [header('x-a', { kind: 'not', of: is('1') }), ['X-A: 2', 'X-A: 1'], false],
    [header('x-a', { kind: 'not', of: { kind: 'not', of: is('1') } }), ['X-A: 1'], true],
    // What Connection names does not reach a server.
    [header('x-a', is('1')), ['Connection: x-a', 'X-A: 1'], false],
    // From nobody whom we trust.
    [header('x-forwarded-proto', is('https')), ['X-Forwarded-Proto: https'], false],
    [header('x-real-ip', present(true)), ['X-Real-IP: 1.2.3.4'], false],
  ];
  for (const [condition, lines, expected] of rows) {
    const told = `${JSON.stringify(condition)} of ${lines.join('; ')}`;
    assert.equal(world.holds(condition, '/', lines), expected, told);
  }
  world.isTrusted = true;
  const proto = header('x-forwarded-proto', is('https'));
  assert.equal(world.holds(proto, '/', ['X-Forwarded-Proto: https']), true);
});

test('query: decoded names and values, `+` is a space, any of the name', () => {
  const world = new World();
  const rows: [Condition, string, boolean][] = [
    [query('a', is('1')), '/?a=1', true],
    [query('a', is('1')), '/?b=2&a=1', true],
    [query('a', is('1')), '/?a=2&a=1', true],
    [query('a', is('1')), '/?ab=1', false],
    [query('a', is('1')), '/?A=1', false],
    [query('a', is('')), '/?a', true],
    [query('a', is('')), '/?a=', true],
    [query('a', is('=')), '/?a==', true],
    [query('a', present(true)), '/?=1&&b', false],
    [query('a b', is('c d')), '/?a+b=c%20d', true],
    [query('a b', is('c+d')), '/?a%20b=c%2Bd', true],
    [query('a', is('ü')), '/?%61=%C3%BC', true],
    [query('a', is('%')), '/?a=%', true],
    [query('a', is('%zz')), '/?a=%zz', true],
    [query('a', is('%2')), '/?a=%2', true],
    [query('a', present(false)), '/', true],
    [query('a', present(false)), '/?', true],
    [query('q', { kind: 'pattern', pattern: '^ü+$' }), '/?q=%C3%BC%c3%bc', true],
    [query('q', is('x'.repeat(3000))), `/?a=${'y'.repeat(400)}&q=1&q=${'x'.repeat(3000)}`, true],
  ];
  for (const [condition, target, expected] of rows) {
    assert.equal(
      world.holds(condition, target),
      expected,
      `${JSON.stringify(condition)} ${target}`,
    );
  }
});

test('cookie: pairs of all lines, white space and quotes dropped, nothing decoded', () => {
  const world = new World();
  const rows: [Condition, string[], boolean][] = [
    [cookie('a', is('1')), ['Cookie: a=1'], true],
    [cookie('a', is('1')), ['Cookie: b=2; a=1'], true],
    [cookie('a', is('1')), ['Cookie: b=2;a = 1 ;c=3'], true],
    [cookie('a', is('1')), ['Cookie: b=2', 'cookie: a=1'], true],
    [cookie('a', is('1')), ['Cookie: a="1"'], true],
    [cookie('a', is('"')), ['Cookie: a="'], true],
    [cookie('a', is('')), ['Cookie: a=""'], true],
    [cookie('a', is('b=c')), ['Cookie: a=b=c'], true],
    [cookie('a', is('%31')), ['Cookie: a=%31'], true],
    [cookie('a', is('1')), ['Cookie: A=1'], false],
    [cookie('a', present(true)), ['Cookie: a; ; =1'], false],
    [cookie('a', present(false)), [], true],
  ];
  for (const [condition, lines, expected] of rows) {
    const told = `${JSON.stringify(condition)} of ${lines.join('; ')}`;
    assert.equal(world.holds(condition, '/', lines), expected, told);
  }
});

test('content type, size and protocol', () => {
  const world = new World();
  const type = (...types: string[]): Condition => ({ kind: 'content-type', types });
  const size = (minBytes: number, maxBytes: number | null): Condition => {
    return { kind: 'size', minBytes, maxBytes };
  };
  const json = ['Content-Type: Application/JSON; charset=utf-8', 'Content-Length: 9'];
  const rows: [Condition, string[], boolean][] = [
    [type('application/json'), json, true],
    [type('text/*', 'application/*'), json, true],
    [type('text/*'), json, false],
    [type('text/*'), ['Content-Type: text'], false],
    [type('text/*'), [], false],
    // Nobody knows which one the server believes.
    [type('text/*'), ['Content-Type: text/a', 'Content-Type: text/a'], false],
    [size(9, 9), json, true],
    [size(10, null), json, false],
    [size(0, 8), json, false],
    [size(0, 0), [], true],
    [size(0, null), ['Transfer-Encoding: chunked'], false],
    [{ kind: 'protocol', texts: ['http/1.1'] }, [], true],
    [{ kind: 'protocol', texts: ['http/1.0'] }, [], false],
  ];
  for (const [condition, lines, expected] of rows) {
    const told = `${JSON.stringify(condition)} of ${lines.join('; ')}`;
    assert.equal(world.holds(condition, 'POST /', lines), expected, told);
  }
  assert.ok(world.holds({ kind: 'protocol', texts: ['http/1.0'] }, '/', [], 0));
});

test('client address and its place', () => {
  const world = new World();
  const client = (...ranges: string[]): Condition => ({ kind: 'client', ranges, files: [] });
  const rows: [Condition, string, boolean][] = [
    [client('192.0.2.0/24'), '192.0.2.255', true],
    [client('192.0.2.0/24', '192.0.0.0/16'), '192.0.9.9', true],
    [client('192.0.2.0/24'), '192.0.3.0', false],
    [client('0.0.0.0/0'), '2001:db8::1', false],
    [client('2001:db8::/32'), '2001:db8:ffff::1', true],
    [client('2001:db8::/32'), '2001:db9::', false],
    [client('10.0.0.1/32', '10.0.0.3/32'), '10.0.0.2', false],
    [client('10.0.0.1/32', '10.0.0.3/32'), '10.0.0.3', true],
    [client('10.0.0.0/8'), '::ffff:10.1.1.1', true],
    [client('0.0.0.0/0', '::/0'), '', false],
    [{ kind: 'country', texts: ['AT', 'DE'] }, '192.0.2.1', true],
    [{ kind: 'country', texts: ['DE'] }, '10.0.0.1', false],
    [{ kind: 'continent', texts: ['EU'] }, '192.0.2.1', true],
    [{ kind: 'asn', texts: ['64496'] }, '192.0.2.1', true],
    [{ kind: 'asn', texts: ['64497'] }, '192.0.2.1', false],
  ];
  for (const [condition, address, expected] of rows) {
    world.address = address;
    assert.equal(world.holds(condition, '/'), expected, `${JSON.stringify(condition)} ${address}`);
  }
});

test('time: a window of the zone, across midnight on the day on which it begins', () => {
  const world = new World();
  const at = (time: string, days: number[], fromMinute: number, toMinute: number): boolean => {
    world.nowMs = Date.parse(time);
    const window = { days, fromMinute, toMinute, zone: 'Europe/Berlin' };
    return world.holds({ kind: 'time', window }, '/');
  };
  // 2026-07-03 is a Friday; Berlin is at UTC+2 then.
  assert.ok(at('2026-07-03T06:00:00Z', [5], 480, 1080));
  assert.ok(!at('2026-07-03T05:59:59Z', [5], 480, 1080));
  assert.ok(!at('2026-07-03T16:00:00Z', [5], 480, 1080));
  assert.ok(!at('2026-07-03T06:00:00Z', [1, 2], 480, 1080));
  // 22:00–06:00 of Friday ends on Saturday.
  assert.ok(at('2026-07-03T20:00:00Z', [5], 1320, 360));
  assert.ok(at('2026-07-04T03:59:00Z', [5], 1320, 360));
  assert.ok(!at('2026-07-04T04:00:00Z', [5], 1320, 360));
  assert.ok(!at('2026-07-03T03:00:00Z', [5], 1320, 360));
  assert.ok(at('2026-07-05T03:00:00Z', [], 0, 1440));
  // In winter at UTC+1.
  assert.ok(!at('2026-01-02T06:59:00Z', [], 480, 1080));
  assert.ok(at('2026-01-02T07:00:00Z', [], 480, 1080));
});

test('share: one draw a request, in all its share', () => {
  const world = new World();
  const share: Condition = { kind: 'share', ratio: 0.25 };
  // Three ways to the same route: one draw for all of them.
  const matcher = compileRoutes([{ ...routeOf([share], ['/*', '/a/*', '/a']) }], ['web']);
  let taken = 0;
  for (let request = 0; request < 20_000; request++)
    taken += world.ask(matcher, '/a') === 0 ? 1 : 0;
  // 5,000 ± 4 standard deviations of sqrt(20000 · ¼ · ¾) = 61.
  assert.ok(Math.abs(taken - 5_000) < 245, String(taken));
});

test('all, any, not and host, path, method within them', () => {
  const world = new World();
  const a = header('a', is('1'));
  const b = header('b', is('1'));
  const target = (hosts: string[], paths: string[], methods: string[]): Condition => {
    return { kind: 'target', hosts, paths, methods };
  };
  const rows: [Condition, string, string[], boolean][] = [
    [{ kind: 'all', of: [a, b] }, '/', ['a: 1', 'b: 1'], true],
    [{ kind: 'all', of: [a, b] }, '/', ['a: 1'], false],
    [{ kind: 'any', of: [a, b] }, '/', ['b: 1'], true],
    [{ kind: 'any', of: [a, b] }, '/', [], false],
    [{ kind: 'not', of: a }, '/', [], true],
    [{ kind: 'not', of: { kind: 'any', of: [a, b] } }, '/', ['b: 1'], false],
    [target(['h'], ['/x/*'], ['GET']), '/x/y', [], true],
    [target(['g', '*.h'], [], []), '/x/y', [], false],
    [target([], ['/y', '/z/*'], []), '/x/y', [], false],
    [{ kind: 'not', of: target([], [], ['GET', 'HEAD']) }, 'POST /', [], true],
    [{ kind: 'path-pattern', patterns: ['^/a', '/v[0-9]+$'] }, '/x/v12', [], true],
    [{ kind: 'path-pattern', patterns: ['^/a', '/v[0-9]+$'] }, '/x/v12/', [], false],
    // The canonical path is judged.
    [{ kind: 'path-pattern', patterns: ['^/b$'] }, '/a/../%62', [], true],
  ];
  for (const [condition, request, lines, expected] of rows) {
    const told = `${JSON.stringify(condition)} of ${request} ${lines.join('; ')}`;
    assert.equal(world.holds(condition, request, lines), expected, told);
  }
});

test('a pattern that ruins other engines costs linear time', () => {
  const world = new World();
  for (const pattern of ['^/(a+)+$', '(x+x+)+y', '^/(.*)*(.*)*$z', '(a|aa)+$']) {
    const matcher = compileRoutes(
      [routeOf([{ kind: 'path-pattern', patterns: [pattern] }])],
      ['web'],
    );
    // 4,000 letters are 2^4000 ways for an engine that goes back; it would never come to an end.
    assert.equal(world.ask(matcher, `/${'a'.repeat(4_000)}!`), -1, pattern);
  }
});

test('match() looks routes up by exact values and keeps the written order', () => {
  const world = new World();
  const routes = [
    routeOf([header('x-tenant', is('t1')), header('x-beta', present(true))]),
    ...Array.from({ length: 40 }, (_, at) => routeOf([header('x-tenant', is(`t${at}`, 'all'))])),
    routeOf([cookie('tenant', is('t7'))]),
    routeOf([header('x-tenant', { kind: 'prefix', text: 't' })]),
    routeOf([]),
  ];
  const matcher = compileRoutes(routes, ['web']);
  assert.equal(world.ask(matcher, '/', ['X-Tenant: t1']), 2);
  assert.equal(world.ask(matcher, '/', ['X-Tenant: t1', 'X-Beta: 0']), 0);
  assert.equal(world.ask(matcher, '/', ['X-Tenant: t39']), 40);
  assert.equal(world.ask(matcher, '/', ['X-Tenant: t30', 'X-Tenant: t20']), 21);
  assert.equal(world.ask(matcher, '/', ['X-Tenant: all']), 1);
  assert.equal(world.ask(matcher, '/', ['X-Tenant: t99', 'Cookie: tenant=t7']), 41);
  assert.equal(world.ask(matcher, '/', ['X-Tenant: t99']), 42);
  assert.equal(world.ask(matcher, '/', ['X-Tenant: none']), 43);
});

test('match() agrees with asking route by route on random conditions', () => {
  const world = new World();
  const random = createRandom(77);
  const below = (count: number): number => Math.floor(random() * count);
  const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)]!;
  const text = (): TextTest => pick([is('1'), is('2', '3'), present(true), present(false)]);
  const condition = (depth: number): Condition => {
    if (depth > 0 && below(3) === 0) {
      const of = [condition(depth - 1), condition(depth - 1)];
      return pick<Condition>([
        { kind: 'all', of },
        { kind: 'any', of },
        { kind: 'not', of: of[0]! },
      ]);
    }
    const kind = pick(['header', 'query', 'cookie'] as const);
    return { kind, name: pick(['a', 'b']), test: text() };
  };
  for (let round = 0; round < 150; round++) {
    const routes = Array.from({ length: 1 + below(12) }, () =>
      routeOf(
        Array.from({ length: below(3) }, () => condition(2)),
        pick([[], ['/x'], ['/x', '/y/*']]),
      ),
    );
    const matcher = compileRoutes(routes, ['web']);
    const single = routes.map((route) => compileRoutes([route], ['web']));
    for (let request = 0; request < 20; request++) {
      const value = (): string => pick(['1', '2', '4', '']);
      const target = `${pick(['/x', '/y/z', '/z'])}?${pick(['', `a=${value()}`, `b=${value()}`])}`;
      const lines = [
        ...pick([[], [`a: ${value()}`], [`b: ${value()}`, `a: ${value()}`]]),
        ...pick([[], [`Cookie: a=${value()}; b=${value()}`]]),
      ];
      const expected = single.findIndex((one) => world.ask(one, target, lines) === 0);
      assert.equal(
        world.ask(matcher, target, lines),
        expected,
        `round ${round} ${target} ${lines}`,
      );
    }
  }
});
