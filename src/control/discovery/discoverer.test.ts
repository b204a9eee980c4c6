import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildServer } from '../config/build.ts';
import type { ConfigPool, ConfigServer } from '../config/config.ts';
import { configFromPlain } from '../config/load.ts';
import { ManualClock } from '../probe/manual-clock.ts';
import { Discoverer } from './discoverer.ts';
import type { SourceSink } from './source.ts';

function servers(...hosts: number[]): ConfigServer[] {
  return hosts.map((host) => buildServer({ address: `10.0.0.${host}:80` }));
}

/** Pools whose sources are files of these names. */
function pools(files: Record<string, readonly string[]>): readonly ConfigPool[] {
  const entries = Object.entries(files).map(([pool, names]) => [
    pool,
    names.length === 0 ? [] : { discover: names.map((file) => ({ file, keepLast: '1m' })) },
  ]);
  const plain = {
    listeners: [':80'],
    routes: [{ respond: 200 }],
    pools: Object.fromEntries(entries),
  };
  const result = configFromPlain('x', plain, () => ({ line: 1, column: 1 }));
  assert.ok(result.ok, JSON.stringify(result));
  return result.config.pools;
}

function discoverer() {
  const clock = new ManualClock();
  const sinks = new Map<string, SourceSink>();
  const stopped: string[] = [];
  const seen = { changes: 0 };
  const made = new Discoverer({
    clock,
    start: (source, sink) => {
      assert.equal(source.kind, 'file');
      const path = source.kind === 'file' ? source.path : '';
      sinks.set(path, sink);
      return { stop: () => stopped.push(path) };
    },
    onChange: () => seen.changes++,
    log: () => {},
  });
  const found = (config: readonly ConfigPool[]): Record<string, string> =>
    Object.fromEntries(
      [...made.foundFor(config)].map(([pool, list]) => [
        pool,
        list.map(({ address }) => /\.(\d+):/.exec(address)?.[1]).join(' '),
      ]),
    );
  return { clock, sinks, stopped, seen, made, found };
}

test('prepare() waits for the first answers, but not for long', async () => {
  const { clock, sinks, made, found } = discoverer();
  const config = pools({ web: ['a', 'b'] });
  let isDone = false;
  const done = made.prepare(config, 1_000).then(() => {
    isDone = true;
  });
  sinks.get('a')?.found(servers(1, 2));
  await Promise.resolve();
  assert.equal(isDone, false);
  sinks.get('b')?.failed('no such file');
  await done;
  assert.deepEqual(found(config), { web: '1 2' });

  const more = pools({ web: ['a', 'b', 'c'] });
  const late = made.prepare(more, 1_000);
  clock.advance(1_000);
  await late;
  assert.deepEqual(found(more), { web: '1 2' });
});

test('foundFor() merges the sources of a pool in written order, each address once', async () => {
  const { sinks, made, found } = discoverer();
  const config = pools({ web: ['a', 'b'], other: ['c'], written: [] });
  const ready = made.prepare(config, 1_000);
  sinks.get('c')?.found([]);
  sinks.get('b')?.found(servers(2, 3));
  sinks.get('a')?.found(servers(1, 2));
  await ready;
  assert.deepEqual(found(config), { web: '1 2 3', other: '' });
});

test('a new source has the servers of the one that it replaces until it answers', async () => {
  const { clock, sinks, stopped, made, found } = discoverer();
  const before = pools({ web: ['a'] });
  const ready = made.prepare(before, 1_000);
  sinks.get('a')?.found(servers(1, 2));
  await ready;
  const after = pools({ web: ['b'] });
  const late = made.prepare(after, 1_000);
  clock.advance(1_000);
  await late;
  made.adopt(after);
  assert.deepEqual(stopped, ['a']);
  assert.deepEqual(found(after), { web: '1 2' });
  sinks.get('b')?.found(servers(7));
  assert.deepEqual(found(after), { web: '7' });
});

test('adopt() of the old configuration takes a preparation back', async () => {
  const { sinks, stopped, made, found } = discoverer();
  const before = pools({ web: ['a'] });
  const ready = made.prepare(before, 1_000);
  sinks.get('a')?.found(servers(1));
  await ready;
  const preparing = made.prepare(pools({ web: ['b'] }), 1_000);
  sinks.get('b')?.found(servers(2));
  await preparing;
  made.adopt(before);
  assert.deepEqual(stopped, ['b']);
  assert.deepEqual(found(before), { web: '1' });
});

test('changes within a moment are told once, and not more often than four times a second', async () => {
  const { clock, sinks, seen, made } = discoverer();
  const ready = made.prepare(pools({ web: ['a', 'b'] }), 1_000);
  sinks.get('a')?.found(servers(1));
  sinks.get('b')?.found(servers(2));
  await ready;
  clock.advance(49);
  assert.equal(seen.changes, 0);
  clock.advance(1);
  assert.equal(seen.changes, 1);
  for (let host = 10; host < 20; host++) {
    sinks.get('a')?.found(servers(1, host));
    clock.advance(100);
  }
  // One at 50 ms, then at most one in 250 ms of the second that followed.
  assert.ok(seen.changes >= 4 && seen.changes <= 5, `${seen.changes}`);
});

test('state and restore() carry what was found to the next process, without a wait', async () => {
  const first = discoverer();
  const config = pools({ web: ['a'] });
  const ready = first.made.prepare(config, 1_000);
  first.sinks.get('a')?.found(servers(1, 2));
  await ready;
  const second = discoverer();
  second.made.restore(JSON.parse(JSON.stringify(first.made.state)));
  await second.made.prepare(config, 1_000);
  assert.deepEqual(second.found(config), { web: '1 2' });
});
