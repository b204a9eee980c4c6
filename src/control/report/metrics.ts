import { bucketMid, histogramBuckets, sampleSum } from '../../base/histogram.ts';
import type { Pool, Server } from '../../model/snapshot.ts';
import type { Column } from '../../observe/columns.ts';
import {
  listenerColumns,
  poolColumns,
  reasonCodes,
  routeColumns,
  ServerTiming,
  serverColumns,
} from '../../observe/columns.ts';
import type { ProcessStatus, TrafficMeans } from './build-status.ts';
import { linksOf } from './build-status.ts';
import type { HistogramShape, Labels } from './exposition.ts';
import { Exposition } from './exposition.ts';
import type { AccessLogStatus, DiscoveryStatus, ServerState } from './status.ts';

/** Upper bounds of the exported buckets, in seconds. The 896 of shared memory would be too many series. */
const bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const states: readonly ServerState[] = [
  'up',
  'down',
  'draining',
  'ejected',
  'refusing',
  'unresolved',
];

/** What the metrics are made of. */
export interface MetricsInput {
  readonly process: ProcessStatus;
  readonly traffic: TrafficMeans;
  /** Null when no access log is written. */
  readonly accessLog: AccessLogStatus | null;
}

/**
 * All metrics as Prometheus text. Cost: all slots in use and five histograms at most per owner; some ms
 * for hundreds of servers. Server histograms without a sample are left out.
 */
export function metricsText({ process, traffic, accessLog }: MetricsInput): string {
  const out = new Exposition();
  processMetrics(out, process);
  listenerMetrics(out, traffic);
  routeMetrics(out, traffic);
  for (const pool of traffic.snapshot.pools) poolMetrics(out, pool, traffic);
  departedPoolMetrics(out, traffic);
  traffic.counters.reasons().forEach((count, index) => {
    const help = 'Exchanges ended by a failure, by reason word.';
    out.counter('evenkeel_failures_total', help, count, { reason: reasonCodes[index] ?? '' });
  });
  if (accessLog !== null) accessLogMetrics(out, accessLog);
  return out.text();
}

function processMetrics(out: Exposition, process: ProcessStatus): void {
  const { version, driver, configuration } = process;
  const info = { version, driver: driver.name };
  out.gauge('evenkeel_build_info', 'Version and driver; always 1.', 1, info);
  const startedAt = process.startedAtMs / 1000;
  out.gauge(
    'evenkeel_start_time_seconds',
    'When the balancer started, in epoch seconds.',
    startedAt,
  );
  out.gauge(
    'evenkeel_draining',
    '1 while the process drains to its end.',
    Number(process.isDraining),
  );
  const { reloads, failedReloads, lastReload } = configuration;
  out.gauge(
    'evenkeel_configuration_version',
    'Version of the snapshot in force.',
    configuration.version,
  );
  out.counter('evenkeel_reloads_total', 'Reloads tried.', reloads);
  out.counter('evenkeel_reloads_failed_total', 'Reloads refused.', failedReloads);
  const isGood = Number(lastReload?.ok ?? true);
  out.gauge(
    'evenkeel_last_reload_success',
    '1 when the last reload was taken, or none was tried.',
    isGood,
  );
  const reloadedAt = (lastReload?.atMs ?? process.startedAtMs) / 1000;
  out.gauge('evenkeel_last_reload_time_seconds', 'When the last reload was tried.', reloadedAt);
  for (const worker of process.workers) {
    const labels = { worker: worker.index };
    const age = worker.heartbeatAgeMs / 1000;
    out.gauge(
      'evenkeel_worker_ready',
      '1 while the worker takes traffic.',
      Number(worker.state === 'ready'),
      labels,
    );
    out.gauge('evenkeel_worker_heartbeat_age_seconds', 'Since the last sign of life.', age, labels);
    out.counter(
      'evenkeel_worker_restarts_total',
      'Replacements of the thread.',
      worker.restarts,
      labels,
    );
    for (const [name, value] of Object.entries(worker.gauges)) {
      out.gauge(`evenkeel_worker_${snakeCase(name)}`, 'As the driver reports it.', value, labels);
    }
  }
}

function listenerMetrics(out: Exposition, traffic: TrafficMeans): void {
  const write = (listener: string, values: readonly number[]): void =>
    columnMetrics(out, { owner: 'listener', columns: listenerColumns, values }, { listener });
  for (const { slot, name } of traffic.snapshot.listeners) {
    write(name, traffic.counters.row('listener', slot));
    const links = linksOf(traffic, slot);
    out.gauge('evenkeel_listener_links', 'Links now open.', links, { listener: name });
  }
  for (const { name, values } of traffic.departed.of('listener')) write(name, values);
}

function routeMetrics(out: Exposition, traffic: TrafficMeans): void {
  const write = (route: string, slot: number | null, values: readonly number[]): void => {
    columnMetrics(out, { owner: 'route', columns: routeColumns, values }, { route });
    if (slot === null) return;
    const shape = shapeOf(traffic.histograms.read('route', slot));
    out.histogram('evenkeel_route_duration_seconds', 'Time of whole exchanges.', shape, { route });
  };
  for (const { slot, name } of traffic.snapshot.routes) {
    write(name, slot, traffic.counters.row('route', slot));
  }
  for (const { name, slot, values } of traffic.departed.of('route')) write(name, slot, values);
}

/** Pools that left, and servers that left whatever pool: counters go on, gauges end. */
function departedPoolMetrics(out: Exposition, traffic: TrafficMeans): void {
  for (const { name, slot, values } of traffic.departed.of('pool')) {
    poolTotals(out, name, slot, values, traffic);
  }
  for (const { pool, name, slot, values } of traffic.departed.of('server')) {
    serverTotals(out, { pool: pool ?? '', server: name }, slot, values, traffic);
  }
}

function poolMetrics(out: Exposition, pool: Pool, traffic: TrafficMeans): void {
  const { counters, healthOf } = traffic;
  const labels = { pool: pool.name };
  poolTotals(out, pool.name, pool.slot, counters.row('pool', pool.slot), traffic);
  const queued = Atomics.load(traffic.words.poolQueued, pool.slot);
  out.gauge('evenkeel_pool_waiting', 'Requests that wait for a place now.', queued, labels);
  const running = pool.servers.reduce((sum, { slot }) => sum + inFlightOf(traffic, slot), 0);
  out.gauge('evenkeel_pool_in_flight', 'Exchanges and tunnels at its servers.', running, labels);
  for (const state of states) {
    const count = pool.servers.filter((server) => stateOf(healthOf, server) === state).length;
    out.gauge('evenkeel_pool_servers', 'Servers by state.', count, { ...labels, state });
  }
  for (const source of traffic.discoveryOf(pool.name)) discoveryMetrics(out, pool.name, source);
  for (const server of pool.servers) serverMetrics(out, pool, server, traffic);
}

function discoveryMetrics(out: Exposition, pool: string, status: DiscoveryStatus): void {
  const labels = { pool, source: status.source };
  const isUp = Number(status.state === 'ok' || status.state === 'holding');
  out.gauge('evenkeel_discovery_up', '1 while the source answers.', isUp, labels);
  const isHolding = Number(status.state === 'holding');
  out.gauge('evenkeel_discovery_holding', '1 while an answer is held back.', isHolding, labels);
  const { servers, answers, failures, heldAnswers, changedAtMs } = status;
  out.gauge('evenkeel_discovery_servers', 'Servers in use that it found.', servers, labels);
  out.counter('evenkeel_discovery_answers_total', 'Answers.', answers, labels);
  out.counter('evenkeel_discovery_failures_total', 'Questions without answer.', failures, labels);
  out.counter('evenkeel_discovery_held_total', 'Answers held back.', heldAnswers, labels);
  if (changedAtMs === null) return;
  const changedAt = 'When what is in use last changed.';
  out.gauge('evenkeel_discovery_changed_time_seconds', changedAt, changedAtMs / 1000, labels);
}

function poolTotals(
  out: Exposition,
  pool: string,
  slot: number | null,
  values: readonly number[],
  { histograms }: TrafficMeans,
): void {
  columnMetrics(out, { owner: 'pool', columns: poolColumns, values }, { pool });
  if (slot === null) return;
  const shape = shapeOf(histograms.read('pool', slot));
  out.histogram('evenkeel_pool_duration_seconds', 'Time of whole exchanges.', shape, { pool });
}

function serverMetrics(out: Exposition, pool: Pool, server: Server, traffic: TrafficMeans): void {
  const labels = { pool: pool.name, server: server.address };
  serverTotals(out, labels, server.slot, traffic.counters.row('server', server.slot), traffic);
  const isUp = Number(stateOf(traffic.healthOf, server) === 'up');
  out.gauge('evenkeel_server_up', '1 while the server takes new traffic.', isUp, labels);
  out.gauge('evenkeel_server_weight', 'Weight in force.', server.weight, labels);
  if (!server.pendingMax) return;
  const pending = Atomics.load(traffic.words.pending, server.slot);
  out.gauge('evenkeel_server_pending', 'Exchanges that wait for its answer.', pending, labels);
}

function inFlightOf({ words }: TrafficMeans, slot: number): number {
  return Atomics.load(words.inFlight, slot);
}

function serverTotals(
  out: Exposition,
  labels: Labels,
  slot: number | null,
  values: readonly number[],
  { words, histograms }: TrafficMeans,
): void {
  columnMetrics(out, { owner: 'server', columns: serverColumns, values }, labels);
  if (slot === null) return;
  const inFlight = Atomics.load(words.inFlight, slot);
  out.gauge('evenkeel_server_in_flight', 'Exchanges and tunnels now running.', inFlight, labels);
  // Histograms of servers that have counted nothing are not read.
  if (values.every((value) => value === 0)) return;
  for (const [timing, name, help] of serverTimings) {
    const shape = shapeOf(histograms.read('server', slot, timing));
    if (shape.count > 0) out.histogram(`evenkeel_server_${name}_seconds`, help, shape, labels);
  }
}

const serverTimings = [
  [ServerTiming.CONNECT, 'connect', 'Time to connect.'],
  [ServerTiming.FIRST_BYTE, 'first_byte', 'Time from the request to the first byte of the answer.'],
  [ServerTiming.TOTAL, 'duration', 'Time from the pick to the end.'],
] as const;

function accessLogMetrics(out: Exposition, state: AccessLogStatus): void {
  const dropped = 'Access-log lines given up because the queue was full.';
  out.counter('evenkeel_access_log_dropped_lines_total', dropped, state.droppedLines);
  out.counter('evenkeel_access_log_written_bytes_total', 'Bytes written.', state.writtenBytes);
  out.gauge(
    'evenkeel_access_log_queued_bytes',
    'Bytes that wait to be written.',
    state.queuedBytes,
  );
  const isFailing = Number(state.error !== null);
  out.gauge('evenkeel_access_log_failing', '1 while the target takes no lines.', isFailing);
}

/** A slot's counters by their columns: status classes are one metric with a label. */
function columnMetrics(out: Exposition, row: CounterRow, labels: Labels): void {
  row.columns.forEach(({ metric, statusClass, help }, index) => {
    const all = statusClass === null ? labels : { ...labels, class: statusClass };
    out.counter(`evenkeel_${row.owner}_${metric}_total`, help, row.values[index] ?? 0, all);
  });
}

interface CounterRow {
  readonly owner: string;
  readonly columns: readonly Column[];
  readonly values: readonly number[];
}

function stateOf(healthOf: TrafficMeans['healthOf'], server: Server): ServerState {
  return healthOf(server.slot)?.state ?? 'down';
}

/** Classic buckets of a log-linear histogram: a bucket belongs where its middle lies. */
function shapeOf(cells: Float64Array): HistogramShape {
  const cumulative: number[] = [];
  let count = 0;
  let bucket = 0;
  for (const bound of bounds) {
    for (; bucket < histogramBuckets && bucketMid(bucket) <= bound * 1e6; bucket++) {
      count += cells[bucket] ?? 0;
    }
    cumulative.push(count);
  }
  for (; bucket < histogramBuckets; bucket++) count += cells[bucket] ?? 0;
  return { bounds, cumulative, count, sum: sampleSum(cells) / 1e6 };
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replace(/[^a-z0-9_]/g, '_');
}
