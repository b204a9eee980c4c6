import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Verdict } from '../../model/shared-memory.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { explain } from './explain.ts';
import { explained, idleWords, plainMeans, plainRequest, snapshotOf } from './explain-rig.ts';
import type { ExplainRequest, Explanation } from './explanation.ts';

const snapshot = snapshotOf({
  listeners: [
    { name: 'web', address: ':8080' },
    { name: 'inner', address: ':8081' },
    { name: 'raw', address: ':9', protocol: 'tcp', pool: 'web' },
  ],
  trustedPeers: ['10.0.0.0/8'],
  routes: [
    { name: 'inside', listeners: 'inner', match: '/status', respond: 200 },
    { name: 'canary', match: { path: '/v1/*', share: '10%' }, pool: 'next' },
    { name: 'v1', match: { path: '/v1/*', header: { 'x-a': 'b' } }, pool: 'web' },
    {
      name: 'split',
      match: '/split',
      split: [
        { pool: 'web', weight: 1 },
        { pool: 'next', weight: 3 },
      ],
      fallback: 'next',
    },
    { name: 'rest', match: { host: 'a.org' }, pool: 'web' },
  ],
  pools: {
    web: {
      policy: 'first',
      servers: ['10.0.0.1:80', { address: '10.0.0.2:80', weight: 0 }, '10.0.0.3:80'],
    },
    next: ['10.0.0.9:80'],
  },
});

const words = idleWords();

function ask(
  url: string,
  more: Partial<ExplainRequest> = {},
  about: Snapshot = snapshot,
): Explanation {
  return explained(url, plainMeans(about, words), more);
}

test('explain() names what each route misses, what takes chances and what comes later', () => {
  const told = ask('http://a.org/v1/x', { headers: ['X-A: c'] });
  assert.deepEqual(
    told.routes.map(({ route, verdict, share }) => [route, verdict, share]),
    [
      ['inside', 'no', null],
      ['canary', 'chance', '10%'],
      ['v1', 'no', null],
      ['split', 'no', null],
      ['rest', 'taken', null],
    ],
  );
  assert.deepEqual(told.routes[0]?.misses, [
    { what: 'listener', required: 'inner', found: 'web' },
    { what: 'path', required: '/status', found: '/v1/x' },
  ]);
  assert.deepEqual(told.routes[2]?.misses, [{ what: 'header x-a', required: "'b'", found: "'c'" }]);
  assert.equal(ask('http://a.org/v1/x', { headers: ['X-A: b'] }).routes[4]?.verdict, 'later');
});

test('explain() chooses the listener by name or port and judges the canonical request', () => {
  assert.equal(ask('http://a.org:8081/status').route, 'inside');
  assert.equal(ask('/%73tatus', { listener: 'inner' }).route, 'inside');
  assert.deepEqual(ask('/status', { listener: 'inner' }).does, ['answers 200 by itself']);
  const told = ask('http://A.org./x/../v1/%41?q=%41', {
    ip: '10.1.1.1',
    headers: ['X-Forwarded-For: 192.0.2.1'],
  });
  const { host, path, query, client, peer, isPeerTrusted } = told.request;
  assert.deepEqual(
    [host, path, query, client, peer, isPeerTrusted],
    ['a.org', '/v1/A', '?q=%41', '192.0.2.1', '10.1.1.1', true],
  );
});

test('explain() tells what is answered before any pool', () => {
  const nobody = ask('http://b.org/');
  assert.equal(nobody.refused?.status, 404);
  assert.deepEqual([nobody.route, nobody.pools], [null, []]);
  assert.match(ask('http://a.org/a%2fb').refused?.reason ?? '', /^separator-encoded: /);
  assert.match(ask('http://a.org/%zz').refused?.reason ?? '', /^target-invalid: /);
  assert.equal(ask('http://a.org/', { headers: ['Content-Length: x'] }).refused?.status, 400);
});

test('explain() shows the policy’s view of each server and takes no turn', () => {
  const [pool] = ask('http://a.org/').pools;
  assert.equal(pool?.picked, '10.0.0.1:80');
  assert.deepEqual(
    pool.servers.map(({ isEligible, why }) => [isEligible, why]),
    [
      [true, 'takes traffic'],
      [false, 'its weight is 0: it gets no new requests'],
      [true, 'takes traffic'],
    ],
  );
  const slot = snapshot.pools[0]!.servers[0]!.slot;
  Atomics.store(words.verdict, slot, Verdict.PROBE_DOWN);
  Atomics.store(words.inFlight, snapshot.pools[0]!.servers[2]!.slot, 7);
  const [sick] = ask('http://a.org/').pools;
  assert.equal(sick?.picked, '10.0.0.3:80');
  assert.equal(sick.servers[0]?.isEligible, false);
  assert.equal(sick.servers[2]?.load, 7);
  Atomics.store(words.verdict, snapshot.pools[0]!.servers[2]!.slot, Verdict.PROBE_DOWN);
  const [dead] = ask('http://a.org/').pools;
  assert.equal(dead?.picked, null);
  assert.match(dead.pickedWhy, /^503 no-server-available: /);
  assert.ok(words.cursor.every((turn) => turn === 0));
  assert.ok(words.inFlight.every((load) => load === 0 || load === 7));
  words.verdict.fill(0);
});

test('explain() tells the pool of a split for this very client, and the fallback', () => {
  const pools = ask('http://a.org/split', { ip: '192.0.2.1' }).pools;
  assert.equal(pools.length, 3);
  assert.match(pools[0]?.why ?? '', /^(25|75)% of a split by client: takes this user$/);
  assert.match(pools[1]?.why ?? '', /takes other users$/);
  assert.equal(pools[2]?.pool, 'next');
});

test('explain() knows the part of a pool that a route names by labels', () => {
  const labelled = snapshotOf({
    listeners: [{ name: 'web', address: ':8080' }],
    routes: [{ pool: 'web', subset: { version: 'v2' } }],
    pools: {
      web: ['1', '2'].map((at) => ({ address: `10.0.0.${at}:80`, labels: { version: `v${at}` } })),
    },
  });
  const [pool] = ask('http://a.org/', {}, labelled).pools;
  assert.match(pool?.why ?? '', /servers with version: v2 only$/);
  assert.deepEqual(
    pool?.servers.map(({ address }) => address),
    ['10.0.0.2:80'],
  );
  assert.equal(pool?.picked, '10.0.0.2:80');
});

test('explain() refuses what is no request', () => {
  const problem = (more: Partial<ExplainRequest>): string => {
    const outcome = explain({ ...plainRequest, ...more }, plainMeans(snapshot, words));
    return outcome.ok ? '' : outcome.problem;
  };
  assert.match(problem({ url: 'a.org/x' }), /a URL such as .* current value is a\.org\/x$/);
  assert.match(problem({ ip: 'home' }), /a numeric address .* current value is home$/);
  assert.match(
    problem({ listener: 'raw' }),
    /an http listener \(web, inner\) .* current value is raw$/,
  );
});
