import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../config/config.ts';
import { configFromPlain } from '../config/load.ts';
import { impactOf, type LiveTraffic } from './impact.ts';

function config(plain: Record<string, unknown>): Config {
  const result = configFromPlain('x', plain, () => ({ line: 1, column: 1 }));
  assert.ok(result.ok, JSON.stringify(result));
  return result.config;
}

const listeners = [
  { name: 'web', address: ':80' },
  { name: 'old', address: ':81' },
];
const live = {
  listeners: [
    { name: 'web', links: 7 },
    { name: 'old', links: 3 },
  ],
  pools: [
    {
      name: 'web',
      servers: [
        { address: '10.0.0.1:80', inFlight: 2 },
        { address: '10.0.0.2:80', inFlight: 5 },
      ],
    },
    { name: 'gone', servers: [{ address: '10.0.0.9:80', inFlight: 4 }] },
  ],
} as unknown as LiveTraffic;

const before = config({
  listeners,
  routes: [
    { name: 'a', match: '/a/*', pool: 'gone' },
    { name: 'b', pool: 'web' },
  ],
  pools: {
    web: { servers: ['10.0.0.1:80', '10.0.0.2:80'], probe: '/healthz' },
    gone: ['10.0.0.9:80'],
  },
});

test('impactOf() of the same is nothing', () => {
  assert.deepEqual(impactOf(before, structuredClone(before), live), {
    changes: [],
    touched: { links: 0, exchanges: 0 },
  });
});

test('impactOf() tells each change, what of it is running, and what happens to that', () => {
  const after = config({
    listeners: [{ name: 'web', address: ':80' }, ':82'],
    routes: [{ name: 'b', match: '/b/*', pool: 'web' }],
    pools: {
      web: {
        servers: [{ address: '10.0.0.1:80', weight: 3 }, '10.0.0.3:80'],
        probe: { path: '/healthz', interval: '1s' },
      },
    },
    workers: 3,
    timeouts: { drain: '10s' },
  });
  const { changes, touched } = impactOf(before, after, live);
  const lines = changes.map(({ kind, name, action, details, links, exchanges }) =>
    [kind, name, action, links, exchanges, ...details].join(' | '),
  );
  const sorted = (texts: string[]): string[] => texts.sort();
  assert.deepEqual(
    sorted(lines),
    sorted([
      'listener | port-82 | added | 0 | 0',
      'listener | old | removed | 3 | 0',
      'route | a | removed | 0 | 0',
      'route | b | changed | 0 | 0 | match.paths: [] → ["/b/*"]',
      'pool | gone | removed | 0 | 4 | 1 servers',
      'pool | web | changed | 0 | 0 | probes[0].intervalMs: 5000 → 1000 | probes[0].downIntervalMs: 5000 → 1000',
      'server | web/10.0.0.3:80 | added | 0 | 0',
      'server | web/10.0.0.2:80 | removed | 0 | 5',
      'server | web/10.0.0.1:80 | changed | 0 | 0 | weight: 1 → 3',
      'setting | workers | changed | 0 | 0 | workers: null → 3',
      'setting | timeouts | changed | 0 | 0 | timeouts.drainMs: 30000 → 10000',
    ]),
  );
  assert.deepEqual(touched, { links: 3, exchanges: 9 });
  const effectOf = (name: string): string | null | undefined =>
    changes.find((change) => change.name === name)?.effect;
  assert.match(effectOf('old') ?? '', /at the latest after 10 s$/);
  assert.equal(effectOf('workers'), 'takes effect at the next start');
  assert.equal(effectOf('web'), null);
});

test('impactOf() of a listener on another address ends its links, and shows no secrets', () => {
  const discover = { http: 'http://a/', headers: { authorization: 'Bearer hush' } };
  const after = config({
    listeners: [
      { name: 'web', address: ':8080' },
      { name: 'old', address: ':81' },
    ],
    routes: [
      { name: 'a', match: '/a/*', pool: 'gone' },
      { name: 'b', pool: 'web' },
    ],
    pools: {
      web: { servers: ['10.0.0.1:80', '10.0.0.2:80'], probe: '/healthz', discover },
      gone: ['10.0.0.9:80'],
    },
    admin: { token: '0123456789abcdef' },
  });
  const { changes, touched } = impactOf(before, after, live);
  assert.deepEqual(touched, { links: 7, exchanges: 0 });
  const text = JSON.stringify(changes);
  assert.doesNotMatch(text, /hush|0123456789/);
  assert.match(text, /discover: differs/);
});
