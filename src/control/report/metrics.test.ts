import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketOf, histogramBuckets } from '../../base/histogram.ts';
import { plainBalancing } from '../../model/balancing.ts';
import { limits } from '../../model/limits.ts';
import { standardRetry } from '../../model/retry.ts';
import { allocateShared, attachWords } from '../../model/shared-memory.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import {
  EndColumn,
  ListenerColumn,
  PoolColumn,
  poolColumns,
  reasonIndexOf,
  ServerColumn,
  TimingColumn,
} from '../../observe/columns.ts';
import { CounterReader, CounterWriter, counterCount } from '../../observe/counters.ts';
import { HistogramReader, HistogramWriter, histogramWords } from '../../observe/histograms.ts';
import { ManualClock } from '../probe/manual-clock.ts';
import type { ProcessStatus, TrafficMeans } from './build-status.ts';
import { buildStatus } from './build-status.ts';
import type { Departed } from './departed.ts';
import { Exposition, type ExpositionFormat, labelText } from './exposition.ts';
import { type MetricsInput, metricsSteps } from './metrics.ts';
import type { ThreadMeans } from './process-metrics.ts';
import { RequestRates } from './rates.ts';

const processStatus: ProcessStatus = {
  version: '0.1.0',
  startedAtMs: 1_000,
  pids: { supervisor: 1, balancer: 2, leaving: [] },
  driver: { name: 'portable', reason: 'asked for' },
  isDraining: false,
  workers: [
    {
      index: 0,
      state: 'ready',
      heartbeatAgeMs: 250,
      restarts: 1,
      appliedVersion: 1,
      gauges: { buffersInUse: 3 },
    },
  ],
  configuration: { file: 'a.yaml', version: 1, lastReload: null, reloads: 2, failedReloads: 1 },
  accessLog: null,
  tracing: null,
};

const threads: ThreadMeans = {
  lagOf: () => Float64Array.from({ length: histogramBuckets }, () => 1),
  controlLagMs: 1_500,
};

const snapshot: Snapshot = {
  version: 1,
  listeners: [{ slot: 0, name: 'web', address: ':80', protocol: 'http', pool: null }],
  routes: [
    {
      slot: 0,
      name: 'all',
      listeners: [],
      match: { hosts: [], paths: [], methods: [], conditions: [] },
      pool: 'app',
      respond: null,
      actions: null,
      allowEncodedSeparators: false,
      retry: null,
    },
  ],
  pools: [
    {
      slot: 0,
      name: 'app',
      policy: 'p2c',
      probes: [],
      probeRule: 'all',
      outlier: null,
      breaker: null,
      servers: [
        {
          slot: 7,
          address: 'unix:/run/"a"',
          target: null,
          weight: 2,
          isBackup: false,
          tier: 0,
          connectionsMax: 0,
          labels: {},
        },
      ],
      timeouts: { connectMs: 1, firstByteMs: 1, idleMs: 1 },
      balancing: plainBalancing,
      retry: standardRetry,
      connectionsMax: 0,
      queue: null,
      reuse: { idleMs: 1, requestsMax: 1, ageMs: 1, perWorkerMax: 1 },
    },
  ],
  timeouts: { headerMs: 1, keepAliveMs: 1, idleMs: 1, drainMs: 1, tunnelMs: 1 },
  limits: { headBytesMax: 1, headFieldsMax: 1, connectionsMax: 1 },
  trustedPeers: [],
  errors: [],
  accessLog: false,
  geo: null,
  viaName: 'test',
};

/** Two workers' worth of traffic: 3 requests in one, 4 in the other, one of them 500. */
/** All metrics at once, in a format. */
function metricsText(input: MetricsInput, format: ExpositionFormat = 'prometheus'): string {
  const steps = metricsSteps(input, format);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

function traffic(): { means: TrafficMeans; counters: CounterReader; writers: CounterWriter[] } {
  const workers = 2;
  const sizes = { counterCount: counterCount(workers), histogramWords: histogramWords(workers) };
  const shared = allocateShared(workers, sizes);
  const words = attachWords(shared);
  const writers = [0, 1].map((worker) => new CounterWriter(shared, worker));
  writers.forEach((writer, worker) => {
    writer.cells[writer.server(7) + ServerColumn.S2XX] = 2 + worker;
    writer.cells[writer.server(7) + ServerColumn.REUSES] = 1;
    writer.cells[writer.server(7) + ServerColumn.DIALS] = 2 + worker;
    writer.cells[writer.listener(0) + ListenerColumn.STARTED] = 9;
    writer.cells[writer.listener(0) + ListenerColumn.S2XX] = 3;
    writer.cells[writer.pool(0) + EndColumn.S5XX] = 2;
    const histogram = new HistogramWriter(shared, worker);
    const at = histogram.of('server', 7, TimingColumn.TOTAL) + bucketOf(2_000 * (worker + 1));
    histogram.cells[at] = 2;
    words.linksByWorker[worker * limits.listeners] = 5;
  });
  const [first] = writers;
  assert.ok(first);
  first.cells[first.server(7) + ServerColumn.S5XX] = 2;
  first.cells[first.server(7) + ServerColumn.REASONS + reasonIndexOf('upstream-timeout')] = 2;
  first.cells[first.listener(0) + ListenerColumn.REASONS + reasonIndexOf('no-route')] = 9;
  words.inFlight[7] = 6;
  const counters = new CounterReader(shared);
  const means: TrafficMeans = {
    snapshot,
    words,
    workers,
    counters,
    histograms: new HistogramReader(shared),
    departed: { of: () => [] },
    healthOf: () => ({
      state: 'ejected',
      why: 'five failures',
      history: [],
      counts: { passes: 8, failures: 3, ejections: 1, changes: 2 },
    }),
    conditionOf: () => null,
    rateOf: () => 1.26,
    discoveryOf: () => [],
    portOf: () => 8080,
  };
  return { means, counters, writers };
}

test('metricsText() sums over workers, escapes labels and writes each metric once', () => {
  const input = {
    process: processStatus,
    threads,
    exemplarsOf: () => [],
    traffic: traffic().means,
    accessLog: null,
  };
  const text = metricsText(input);
  const lines = text.split('\n');
  const server = 'pool="app",server="unix:/run/\\"a\\""';
  for (const line of [
    // 2 + 3 good ones, 2 failed
    `evenkeel_server_requests_total{${server}} 7`,
    `evenkeel_server_failures_total{${server},reason="upstream-timeout"} 2`,
    `evenkeel_server_attempts_total{${server}} 7`,
    // those of its server, and four that no server had
    'evenkeel_pool_requests_total{pool="app"} 11',
    'evenkeel_pool_without_server_total{pool="app"} 4',
    'evenkeel_pool_responses_total{pool="app",class="5xx"} 6',
    'evenkeel_pool_failures_total{pool="app",reason="upstream-timeout"} 2',
    'evenkeel_pool_duration_seconds_count{pool="app"} 4',
    'evenkeel_pool_in_flight{pool="app"} 6',
    'evenkeel_listener_in_flight{listener="web"} 12',
    `evenkeel_server_probes_total{${server},result="fail"} 3`,
    `evenkeel_server_ejections_total{${server}} 1`,
    'evenkeel_control_lag_seconds_total 1.5',
    'evenkeel_worker_lag_seconds_bucket{worker="0",le="+Inf"} 896',
    `evenkeel_server_in_flight{${server}} 6`,
    `evenkeel_server_up{${server}} 0`,
    'evenkeel_pool_servers{pool="app",state="ejected"} 1',
    'evenkeel_listener_responses_total{listener="web",class="2xx"} 6',
    'evenkeel_listener_links{listener="web"} 10',
    'evenkeel_failures_total{reason="no-route"} 9',
    'evenkeel_worker_buffers_in_use{worker="0"} 3',
    'evenkeel_reloads_failed_total 1',
    'evenkeel_last_reload_success 1',
    // Two samples of 2 ms and two of 4 ms.
    `evenkeel_server_duration_seconds_bucket{${server},le="0.0025"} 2`,
    `evenkeel_server_duration_seconds_bucket{${server},le="0.005"} 4`,
    `evenkeel_server_duration_seconds_bucket{${server},le="+Inf"} 4`,
    `evenkeel_server_duration_seconds_count{${server}} 4`,
  ]) {
    assert.ok(lines.includes(line), line);
  }
  const types = lines.filter((line) => line.startsWith('# TYPE'));
  assert.equal(new Set(types.map((line) => line.split(' ')[2])).size, types.length);
  const series = lines.filter((line) => line !== '' && !line.startsWith('#'));
  assert.equal(
    new Set(series.map((line) => line.slice(0, line.lastIndexOf(' ')))).size,
    series.length,
  );
  assert.ok(text.endsWith('\n'));
});

test('what left is counted on: by name while its slot is its own, then together', () => {
  const { means } = traffic();
  const values = (count: number): number[] =>
    poolColumns.map((_, column) => (column === PoolColumn.S2XX ? count : 0));
  const departed: Departed = {
    of: (kind) =>
      kind === 'server'
        ? [
            { pool: 'app', name: '10.0.0.1:80', slot: 8, values: values(5) },
            { pool: 'app', name: '(removed)', slot: null, values: values(6) },
            { pool: 'old', name: '10.0.0.2:80', slot: 9, values: values(0) },
          ]
        : [{ pool: null, name: 'old', slot: 1, values: values(2) }],
  };
  const input = {
    process: processStatus,
    threads,
    exemplarsOf: () => [],
    traffic: { ...means, departed },
    accessLog: null,
  };
  const lines = metricsText(input).split('\n');
  for (const line of [
    'evenkeel_server_requests_total{pool="app",server="10.0.0.1:80"} 5',
    'evenkeel_server_requests_total{pool="app",server="(removed)"} 6',
    'evenkeel_pool_requests_total{pool="old"} 2',
    'evenkeel_route_requests_total{route="old"} 2',
    'evenkeel_listener_requests_total{listener="old"} 2',
  ]) {
    assert.ok(lines.includes(line), line);
  }
  assert.ok(!lines.some((line) => line.startsWith('evenkeel_server_up{pool="app",server="10')));
  const { pools, removed } = buildStatus(processStatus, input.traffic);
  assert.deepEqual(
    pools[0]?.removed.map(({ address, requests }) => [address, requests]),
    [
      ['10.0.0.1:80', 5],
      ['(removed)', 6],
    ],
  );
  // A server without traffic and in flight is not worth a line.
  assert.deepEqual(removed.pools, [{ name: 'old', requests: 2, withoutServer: 2, servers: [] }]);
});

test('every sample line is valid Prometheus text', () => {
  const text = metricsText({
    process: processStatus,
    threads,
    exemplarsOf: () => [],
    traffic: traffic().means,
    accessLog: { writtenBytes: 1, queuedBytes: 2, droppedLines: 3, error: null },
  });
  const valid =
    /^[a-z_][a-z0-9_]*(\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*\})? [0-9.e+-]+$/;
  for (const line of text.trimEnd().split('\n')) {
    if (!line.startsWith('#')) assert.match(line, valid);
  }
});

test('Exposition escapes backslash, quote and line end', () => {
  const out = new Exposition('prometheus');
  out.gauge('a', 'x\ny').add(1, labelText({ l: 'a\\b"c\nd' }));
  assert.equal(out.text(), '# HELP a x\\ny\n# TYPE a gauge\na{l="a\\\\b\\"c\\nd"} 1\n');
});

test('buildStatus() tells state, load, errors and latency of a server', () => {
  const status = buildStatus(processStatus, traffic().means);
  assert.equal(status.listeners[0]?.links, 10);
  assert.equal(status.listeners[0]?.port, 8080);
  const server = status.pools[0]?.servers[0];
  assert.ok(server);
  const { state, why, inFlight, requests, requestsPerSecond, errors } = server;
  assert.deepEqual(
    [state, why, inFlight, requests, requestsPerSecond, errors],
    ['ejected', 'five failures', 6, 7, 1.3, 2],
  );
  // The middle of the bucket that 2 ms falls into, within 1.6 %.
  assert.ok(Math.abs((server.latencyMs.p50 ?? 0) - 2) < 0.04);
  assert.ok(Math.abs((server.latencyMs.p99 ?? 0) - 4) < 0.08);
});

test('RequestRates looks back ten seconds', () => {
  const { counters, writers } = traffic();
  const [writer] = writers;
  assert.ok(writer);
  const clock = new ManualClock();
  const rates = new RequestRates(counters, clock);
  rates.follow(snapshot);
  for (let second = 0; second < 20; second++) {
    const cell = writer.server(7) + ServerColumn.S2XX;
    if (second < 10) writer.cells[cell] = (writer.cells[cell] ?? 0) + 50;
    clock.advance(1_000);
    if (second === 9) assert.equal(rates.of(7), 50);
  }
  assert.equal(rates.of(7), 0);
  rates.stop();
  assert.equal(clock.pending, 0);
});
