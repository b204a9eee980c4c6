import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketOf, histogramBuckets } from '../../base/histogram.ts';
import { ListenerFigure, PoolFigure, ServerFigure, type TailFilter } from '../../model/live.ts';
import type { Durations, TrafficSample } from '../report/sample.ts';
import type { ResponsesStatus } from '../report/status.ts';
import { EventBook } from './event-book.ts';
import { LiveSampler } from './sampler.ts';
import { TailFeed } from './tail-feed.ts';

const responses = (ok: number, failed: number): ResponsesStatus => ({
  '1xx': 0,
  '2xx': ok,
  '3xx': 0,
  '4xx': 0,
  '5xx': failed,
  aborted: 0,
});

/** `counts`: how many ended in 1 ms and in 100 ms. */
function durationsOf(counts: readonly [number, number]): Durations {
  return {
    read: (timing, into = new Float64Array(histogramBuckets)) => {
      if (timing === 'total') {
        into[bucketOf(1_000)]! += counts[0];
        into[bucketOf(100_000)]! += counts[1];
      }
      return into;
    },
  };
}

function sampleOf(atMs: number, ok: number, failed: number, server = '10.0.0.1:1'): TrafficSample {
  const ended = {
    requests: ok + failed,
    responses: responses(ok, failed),
    reasons: {},
    bytesIn: ok,
    bytesOut: 10 * ok,
    inFlight: 3,
    withoutServer: 0,
    durations: durationsOf([ok, failed]),
  };
  const counts = { retries: failed, connectFailures: 0, resets: 0, timeouts: 0, attempts: 0 };
  const one = {
    ...ended,
    ...counts,
    address: server,
    state: 'up',
    why: '',
    weight: 1,
    isBackup: false,
    connectionsMax: 0,
    connects: 0,
    reuses: 0,
    faults: 0,
  } as const;
  return {
    atMs,
    listeners: [{ ...ended, name: 'web', links: 5, accepted: 9 }],
    routes: [{ ...ended, name: 'all', pool: 'web', fallbacks: 0 }],
    pools: [
      {
        ...ended,
        ...counts,
        name: 'web',
        condition: 'well',
        why: '',
        waiting: 7,
        queued: 0,
        noServer: 0,
        retriesDenied: 0,
        failovers: 0,
        hedges: 0,
        servers: [one],
      },
    ],
  };
}

test('LiveSampler.tick() tells what ended since the tick before, and nothing at first', () => {
  const sampler = new LiveSampler();
  const first = sampler.tick(sampleOf(1_000, 90, 10), () => 2.04, []);
  assert.equal(first.spanMs, 0);
  assert.equal(first.pools[0]?.totals[PoolFigure.REQUESTS_NOW], 0);
  assert.deepEqual(first.pools[0]?.heat, []);
  assert.equal(first.pools[0]?.servers[0]?.[ServerFigure.P50_US], -1);
  // 98 more in 1 ms and 2 more, failed, in 100 ms: the median is near 1 ms, the 99th of 100 near 100 ms.
  const second = sampler.tick(sampleOf(2_000, 188, 12), () => 2.04, []);
  const server = second.pools[0]?.servers[0] ?? [];
  assert.equal(second.spanMs, 1_000);
  assert.equal(second.listeners[0]?.[ListenerFigure.REQUESTS_NOW], 100);
  assert.equal(second.listeners[0]?.[ListenerFigure.S5XX_NOW], 2);
  assert.equal(second.listeners[0]?.[ListenerFigure.BYTES_OUT_NOW], 980);
  assert.deepEqual(
    [ServerFigure.IN_FLIGHT, ServerFigure.REQUESTS, ServerFigure.RATE, ServerFigure.ERRORS_NOW].map(
      (at) => server[at],
    ),
    [3, 200, 2, 2],
  );
  assert.ok(Math.abs((server[ServerFigure.P50_US] ?? 0) - 1_000) < 20);
  assert.ok(Math.abs((server[ServerFigure.P99_US] ?? 0) - 100_000) < 2_000);
  assert.equal(second.pools[0]?.totals[PoolFigure.QUEUED], 7);
  const heat = second.pools[0]?.heat ?? [];
  assert.deepEqual([heat[1], heat[3]], [98, 2]);
  // Nothing ended: no latency, no heat.
  const third = sampler.tick(sampleOf(3_000, 188, 12), () => 0, []);
  assert.equal(third.pools[0]?.servers[0]?.[ServerFigure.P50_US], -1);
  assert.deepEqual(third.pools[0]?.heat, []);
});

test('LiveSampler.tick() begins anew with a new server and with counts that fell', () => {
  const sampler = new LiveSampler();
  sampler.tick(sampleOf(1_000, 90, 10), () => 0, []);
  const other = sampler.tick(sampleOf(2_000, 50, 0, '10.0.0.2:1'), () => 0, []);
  assert.equal(other.pools[0]?.servers[0]?.[ServerFigure.REQUESTS_NOW], 0);
  assert.equal(other.pools[0]?.totals[PoolFigure.REQUESTS_NOW], 0);
});

test('EventBook numbers events, keeps the last 500 and tells those who follow', () => {
  const book = new EventBook(() => 5);
  const told: string[] = [];
  const note = (text: string): void =>
    book.note({ kind: 'pool', level: 'info', pool: 'web', server: null, text });
  const stop = book.follow((event) => told.push(`${event.id} ${event.text}`));
  note('one');
  stop();
  note('two');
  assert.deepEqual(told, ['1 one']);
  assert.deepEqual(
    book.after(1).map(({ id, atMs, text }) => [id, atMs, text]),
    [[2, 5, 'two']],
  );
  for (let i = 0; i < 500; i++) note('more');
  assert.equal(book.after(0).length, 500);
  assert.equal(book.after(0)[0]?.id, 3);
});

test('TailFeed asks for each filter once, gives each viewer its own lines, and asks for none at the end', () => {
  const asked: number[] = [];
  const feed = new TailFeed((filters) => asked.push(filters.length));
  const all: TailFilter = {
    statusMin: 0,
    statusMax: 999,
    isFailedOnly: false,
    pool: null,
    route: null,
    server: null,
    slowMs: 0,
    text: null,
  };
  const got: Record<string, string[]> = { all: [], failed: [], slow: [], text: [], again: [] };
  const follow = (name: string, filter: TailFilter): (() => void) =>
    feed.follow(filter, (event, json) => got[name]?.push(event === 'line' ? 'line' : json));
  const stops = [
    follow('all', all),
    follow('again', { ...all }),
    follow('failed', { ...all, isFailedOnly: true }),
    follow('slow', { ...all, slowMs: 50 }),
    follow('text', { ...all, text: 'GET a.test/x' }),
  ];
  const line = (reason: string, totalMs: number, path: string): string =>
    JSON.stringify({ method: 'GET', host: 'a.test', path, status: 200, totalMs, reason });
  const text = `${line('ok', 1, '/x')}\n${line('client-aborted', 60, '/y')}\n`;
  feed.take({ lines: Buffer.from(text), skipped: 4 });
  for (const stop of stops) stop();
  assert.deepEqual(got, {
    all: ['line', 'line', '4'],
    again: ['line', 'line', '4'],
    failed: ['line', '4'],
    slow: ['line', '4'],
    text: ['line', '4'],
  });
  assert.deepEqual(asked, [1, 1, 2, 3, 4, 4, 3, 2, 1, 0]);
});
