import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition, TextTest } from '../model/conditions.ts';
import type { RouteMatch } from '../model/snapshot.ts';
import { type RouteFinding, type RouteLike, routeFindings } from './overlap.ts';

let count = 0;
const routeOf = (match: Partial<RouteMatch>, listeners: readonly string[] = []): RouteLike => ({
  name: `r${count++}`,
  listeners,
  match: { hosts: [], paths: [], methods: [], conditions: [], ...match },
  // Different destinations, so that it matters which one takes a request.
  pool: `p${count}`,
  respond: null,
  actions: null,
  retry: null,
  allowEncodedSeparators: false,
});
const header = (name: string, of: TextTest): Condition => ({ kind: 'header', name, test: of });
const is = (...texts: string[]): TextTest => ({ kind: 'any-of', texts });
const present: TextTest = { kind: 'present', isPresent: true };

/** What is found of a first and a second route: kinds only. */
function kinds(first: Partial<RouteMatch>, second: Partial<RouteMatch>): string {
  const findings = routeFindings([routeOf(first), routeOf(second)]);
  return findings.map(({ kind, route }) => `${kind} ${route}`).join();
}

test('routeFindings() names a route that an earlier one covers', () => {
  const rows: [Partial<RouteMatch>, Partial<RouteMatch>, boolean][] = [
    [{}, { paths: ['/a'] }, true],
    [{ paths: ['/*'] }, {}, true],
    [{ paths: ['/a/*'] }, { paths: ['/a', '/a/b', '/a/b/*'] }, true],
    [{ paths: ['/a/*'] }, { paths: ['/a', '/ab'] }, false],
    [{ paths: ['/a'] }, { paths: ['/a/*'] }, false],
    [{ paths: ['/a'] }, {}, false],
    [{ hosts: ['*.x.org'] }, { hosts: ['a.x.org', '*.b.x.org'] }, true],
    [{ hosts: ['*.x.org'] }, { hosts: ['x.org'] }, false],
    [{ hosts: ['*.x.org'] }, { hosts: ['ax.org'] }, false],
    [{ hosts: ['a.x.org'] }, {}, false],
    [{ methods: ['GET', 'PUT'] }, { methods: ['GET'] }, true],
    [{ methods: ['GET'] }, { methods: ['GET', 'PUT'] }, false],
    [{ methods: ['GET'] }, {}, false],
    [{ conditions: [header('a', is('1'))] }, {}, false],
    [{ conditions: [header('a', is('1'))] }, { conditions: [header('a', is('1'))] }, true],
    [{ conditions: [header('a', is('1', '2'))] }, { conditions: [header('a', is('1'))] }, true],
    [{ conditions: [header('a', is('1'))] }, { conditions: [header('a', is('1', '2'))] }, false],
    [{ conditions: [header('a', present)] }, { conditions: [header('a', is(''))] }, true],
    [{ conditions: [header('a', present)] }, { conditions: [header('b', is(''))] }, false],
    [
      { conditions: [{ kind: 'country', texts: ['DE', 'AT'] }] },
      { conditions: [{ kind: 'country', texts: ['DE'] }, header('a', is('1'))] },
      true,
    ],
    [
      { conditions: [{ kind: 'share', ratio: 0.5 }] },
      { conditions: [{ kind: 'share', ratio: 0.5 }] },
      false,
    ],
    [
      { conditions: [{ kind: 'size', minBytes: 0, maxBytes: 9 }] },
      { conditions: [{ kind: 'size', minBytes: 1, maxBytes: 9 }] },
      true,
    ],
  ];
  for (const [first, second, expected] of rows) {
    const told = `${JSON.stringify(first)} before ${JSON.stringify(second)}`;
    assert.equal(kinds(first, second).startsWith('unreachable 1'), expected, told);
  }
});

test('routeFindings() sees that several routes together cover one', () => {
  const routes = [
    routeOf({ paths: ['/a/*'], methods: ['GET'] }),
    routeOf({ paths: ['/a/*'], methods: ['POST'] }),
    routeOf({ paths: ['/a/b'], methods: ['POST', 'GET'] }),
  ];
  const expected: RouteFinding[] = [{ kind: 'unreachable', route: 2, by: [1, 0] }];
  assert.deepEqual(routeFindings(routes), expected);
});

test('routeFindings() respects listeners', () => {
  const of = (first: string[], second: string[]): number =>
    routeFindings([routeOf({}, first), routeOf({ paths: ['/a'] }, second)]).length;
  assert.equal(of(['a'], ['a']), 1);
  assert.equal(of([], ['a']), 1);
  assert.equal(of(['a', 'b'], ['b']), 1);
  assert.equal(of(['a'], []), 0);
  assert.equal(of(['a'], ['b']), 0);
});

test('routeFindings() names conditions that exclude each other', () => {
  const not = (of: Condition): Condition => ({ kind: 'not', of });
  const impossible: Condition[][] = [
    [{ kind: 'share', ratio: 0 }],
    [header('a', is('1')), not(header('a', is('1')))],
    [header('a', is('1')), header('a', { kind: 'present', isPresent: false })],
    [header('a', is('1')), header('a', { kind: 'not', of: is('1', '2') })],
    [{ kind: 'all', of: [header('a', is('1')), not(header('a', present))] }],
    [
      {
        kind: 'any',
        of: [
          { kind: 'share', ratio: 0 },
          { kind: 'share', ratio: 0 },
        ],
      },
    ],
  ];
  for (const conditions of impossible) {
    const findings = routeFindings([routeOf({ conditions })]);
    assert.deepEqual(findings, [{ kind: 'impossible', route: 0 }], JSON.stringify(conditions));
  }
  const possible: Condition[][] = [
    [header('a', is('1')), not(header('a', is('2')))],
    [header('a', is('1', '2')), header('a', { kind: 'not', of: is('1') })],
    [header('a', is('1')), header('b', { kind: 'present', isPresent: false })],
  ];
  for (const conditions of possible) {
    assert.deepEqual(routeFindings([routeOf({ conditions })]), [], JSON.stringify(conditions));
  }
});

test('routeFindings() names routes of which each is the narrower one in one respect', () => {
  const crossing = 'crossing 1';
  const rows: [Partial<RouteMatch>, Partial<RouteMatch>, string][] = [
    [{ hosts: ['a.org'] }, { paths: ['/admin/*'] }, crossing],
    [{ paths: ['/admin/*'] }, { hosts: ['a.org'] }, crossing],
    [{ hosts: ['*.a.org'], paths: ['/x/y'] }, { hosts: ['b.a.org'], paths: ['/x/*'] }, crossing],
    [{ hosts: ['a.org'] }, { hosts: ['b.org'], paths: ['/x'] }, ''],
    [{ hosts: ['a.org'], methods: ['GET'] }, { paths: ['/x'], methods: ['PUT'] }, ''],
    [{ hosts: ['a.org'], paths: ['/x'] }, { paths: ['/x/*'] }, ''],
    [{ hosts: ['a.org'] }, { paths: ['/x'], conditions: [header('a', present)] }, ''],
  ];
  for (const [first, second, expected] of rows) {
    const told = `${JSON.stringify(first)} before ${JSON.stringify(second)}`;
    assert.equal(kinds(first, second), expected, told);
  }
  // Who wrote what happens to both has thought of it.
  const both = routeOf({ hosts: ['a.org'], paths: ['/admin/*'] });
  const found = routeFindings([
    both,
    routeOf({ hosts: ['a.org'] }),
    routeOf({ paths: ['/admin/*'] }),
  ]);
  assert.deepEqual(found, []);
  const target = routeFindings([
    routeOf({ hosts: ['a.org'] }),
    routeOf({ paths: ['/admin/*'] }),
  ])[0];
  assert.equal(target?.kind === 'crossing' && target.target, 'a.org/admin/*');
});
