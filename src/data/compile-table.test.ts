import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pool, Route, Snapshot } from '../model/snapshot.ts';
import { fakeSnapshot } from './fake-plane.ts';
import { brief, FakeRun, get, ok } from './fake-run.ts';

/** The same snapshot as it is after a change elsewhere: what is the same is the same object. */
const next = (run: FakeRun, change: Partial<Snapshot>): Snapshot => ({
  ...run.fake.snapshot,
  version: 2,
  ...change,
});

test('a pool that is the same object keeps its place in the sequence and its links', () => {
  const run = new FakeRun(2);
  const client = run.client(get);
  run.server(0).receive(ok);
  run.fake.plane.apply(next(run, { routes: [...run.fake.snapshot.routes] }), {});
  run.advance(50);
  client.receive(get);
  run.server(1).receive(ok);
  client.receive(get);
  // The third request is the first server's turn again: its link was kept.
  assert.equal(run.dials, 2);
});

test('routes that are the same objects lead to what their pool is now', () => {
  const run = new FakeRun(1);
  const [pool] = run.fake.snapshot.pools as [Pool];
  const servers = fakeSnapshot(2).pools[0]!.servers.slice(1);
  run.fake.plane.apply(next(run, { pools: [{ ...pool, servers }] }), {});
  run.client(get);
  run.server(0).receive(ok);
  assert.deepEqual(
    [0, 1].map((slot) => run.count('server', 'requests', slot)),
    [0, 1],
  );
});

test('other routes to the same pools are in force', () => {
  const run = new FakeRun(1);
  const [route] = run.fake.snapshot.routes as [Route];
  const respond = { status: 418, body: 'x', file: null, contentType: 'text/plain', headers: {} };
  run.fake.plane.apply(next(run, { routes: [{ ...route, pool: null, respond }] }), {});
  assert.match(brief(run.client(get).text), /^418 .*\|x/);
});

test('the same routes under other listeners and other error pages are compiled anew', () => {
  const run = new FakeRun(0);
  const { listeners } = run.fake.snapshot;
  const page = {
    first: 503,
    last: 503,
    body: 'sorry',
    file: null,
    contentType: 'text/plain',
    replacesUpstream: false,
  };
  const other = { ...listeners[0]!, slot: 1, name: 'other', address: ':81' };
  run.fake.plane.apply(next(run, { listeners: [other, ...listeners], errors: [page] }), {});
  assert.match(brief(run.client(get).text), /^503 .*\|sorry/);
});
