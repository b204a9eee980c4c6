import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildServer } from '../config/build.ts';
import type { ConfigServer } from '../config/config.ts';
import type { ConfigDiscovery } from '../config/discovery.ts';
import { ManualClock } from '../probe/manual-clock.ts';
import { FollowedSource } from './followed-source.ts';
import { suspicionOf } from './guard.ts';
import type { SourceSink } from './source.ts';

const source: ConfigDiscovery = {
  kind: 'file',
  path: 'x.yaml',
  keepLastMs: 60_000,
  vanishRatio: 0.5,
};

function servers(...hosts: number[]): ConfigServer[] {
  return hosts.map((host) => buildServer({ address: `10.0.0.${host}:80` }));
}

function follow(restored: readonly ConfigServer[] = []) {
  const clock = new ManualClock();
  const log: string[] = [];
  let sink!: SourceSink;
  const seen = { changes: 0, settled: 0 };
  const followed = new FollowedSource('web', source, {
    clock,
    start: (_source, given) => {
      sink = given;
      return { stop: () => {} };
    },
    onChange: () => seen.changes++,
    onSettled: () => seen.settled++,
    log: (level, message) => log.push(`${level} ${message}`),
  });
  if (restored.length > 0) followed.restore(restored);
  followed.start();
  const hosts = (): string =>
    followed.servers.map(({ address }) => /\.(\d+):/.exec(address)?.[1]).join(' ');
  return { clock, log, seen, followed, sink, hosts };
}

test('suspicionOf() lets one go, never the last, and half of many', () => {
  const limits = { vanishRatio: 0.5 };
  assert.equal(suspicionOf(0, 0, limits), null);
  assert.equal(suspicionOf(2, 1, limits), null);
  assert.equal(suspicionOf(10, 5, limits), null);
  assert.equal(suspicionOf(10, 12, limits), null);
  assert.equal(suspicionOf(1, 0, limits), 'the answer is empty, the last one had 1');
  assert.equal(suspicionOf(10, 4, limits), '6 of 10 would vanish at once, 5 may');
  assert.equal(suspicionOf(3, 2, { vanishRatio: 0 }), null);
  assert.equal(suspicionOf(3, 1, { vanishRatio: 0 }), '2 of 3 would vanish at once, 1 may');
});

test('FollowedSource keeps the last answer through failures and tells the first of them', () => {
  const { followed, sink, hosts, log, seen } = follow();
  assert.equal(followed.status().state, 'waiting');
  sink.found(servers(1, 2));
  sink.failed('the name server is silent');
  sink.failed('the name server is silent');
  assert.equal(hosts(), '1 2');
  assert.deepEqual(seen, { changes: 1, settled: 1 });
  const { state, why, failures, answers } = followed.status();
  assert.deepEqual([state, why, failures, answers], ['failing', 'the name server is silent', 2, 1]);
  sink.found(servers(1, 2));
  assert.equal(followed.status().state, 'ok');
  assert.equal(seen.changes, 1);
  assert.deepEqual(log, [
    'info pool web, file x.yaml: 2 servers: +10.0.0.1:80 +10.0.0.2:80',
    'warn pool web, file x.yaml: no answer: the name server is silent; its last 2 stay in use',
    'info pool web, file x.yaml: answers again',
  ]);
});

test('FollowedSource holds an answer back, using what is new, until its time is over', () => {
  const { followed, sink, hosts, clock, seen } = follow();
  sink.found(servers(1, 2, 3, 4));
  sink.found(servers(5));
  assert.equal(hosts(), '5 1 2 3 4');
  assert.equal(followed.status().state, 'holding');
  clock.advance(59_999);
  assert.equal(hosts(), '5 1 2 3 4');
  clock.advance(1);
  assert.equal(hosts(), '5');
  assert.equal(followed.status().state, 'ok');
  assert.equal(followed.status().heldAnswers, 1);
  assert.equal(seen.changes, 3);
});

test('FollowedSource believes a held answer no longer when the servers are back', () => {
  const { followed, sink, hosts, clock } = follow();
  sink.found(servers(1, 2, 3, 4));
  sink.found([]);
  clock.advance(30_000);
  sink.found(servers(1, 2, 3));
  assert.equal(hosts(), '1 2 3');
  clock.advance(120_000);
  assert.equal(hosts(), '1 2 3');
  assert.equal(followed.status().state, 'ok');
});

test('FollowedSource does not believe a held answer while it fails; the next one confirms it', () => {
  const { sink, hosts, clock } = follow();
  sink.found(servers(1, 2));
  sink.found([]);
  sink.failed('gone');
  clock.advance(120_000);
  assert.equal(hosts(), '1 2');
  sink.found([]);
  assert.equal(hosts(), '');
});

test('FollowedSource guards what a process before us had found', () => {
  const { sink, hosts, followed } = follow(servers(1, 2));
  assert.equal(followed.isSettled, true);
  assert.equal(hosts(), '1 2');
  sink.found([]);
  assert.equal(hosts(), '1 2');
});

test('FollowedSource replaces what it inherits by its first answer, however short', () => {
  const { followed, sink, hosts } = follow();
  followed.inherit(servers(1, 2, 3, 4));
  assert.equal(hosts(), '1 2 3 4');
  sink.found(servers(9));
  assert.equal(hosts(), '9');
});
