import { quantile, sampleCount } from '../../base/histogram.ts';
import { limits } from '../../model/limits.ts';
import type { SharedWords } from '../../model/shared-memory.ts';
import type { Pool, Server, Snapshot } from '../../model/snapshot.ts';
import {
  EndColumn,
  ListenerColumn,
  PoolColumn,
  RouteColumn,
  ServerColumn,
  TimingColumn,
} from '../../observe/columns.ts';
import { type CounterReader, endedOf } from '../../observe/counters.ts';
import type { HistogramReader } from '../../observe/histograms.ts';
import { poolValues } from '../../observe/pool-values.ts';
import type { PoolView } from '../probe/pool-health.ts';
import type { HealthView } from '../probe/server-health.ts';
import { byPool, type Departed, type DepartedCounts } from './departed.ts';
import type {
  DiscoveryStatus,
  LatencyStatus,
  PoolStatus,
  RemovedServerStatus,
  RemovedStatus,
  RemovedTotals,
  ResponsesStatus,
  ServerStatus,
  StatusReport,
} from './status.ts';

/** The part of the report that the process room knows. */
export type ProcessStatus = Omit<StatusReport, 'listeners' | 'routes' | 'pools' | 'removed'>;

/** Where the traffic's figures come from. */
export interface TrafficMeans {
  readonly snapshot: Snapshot;
  readonly words: SharedWords;
  readonly workers: number;
  readonly counters: CounterReader;
  readonly histograms: HistogramReader;
  readonly departed: Departed;
  /** `HealthKeeper.viewOf`. */
  readonly healthOf: (slot: number) => HealthView | null;
  /** `HealthKeeper.viewOfPool`. */
  readonly conditionOf: (pool: string) => PoolView | null;
  /** `RequestRates.of`. */
  readonly rateOf: (slot: number) => number;
  /** `Discoverer.statusOf`. */
  readonly discoveryOf: (pool: string) => readonly DiscoveryStatus[];
  /** Port in use of a listener by name; 0 for Unix sockets. */
  readonly portOf: (listener: string) => number;
}

/** The whole report. Cost: one pass over all slots in use and three histograms per server. */
export function buildStatus(process: ProcessStatus, means: TrafficMeans): StatusReport {
  const { snapshot, counters } = means;
  const left = byPool(means.departed.of('server'));
  return {
    ...process,
    listeners: snapshot.listeners.map(({ slot, name, address, protocol }) => ({
      name,
      address,
      port: means.portOf(name),
      protocol,
      links: linksOf(means, slot),
      accepted: counters.one('listener', slot, ListenerColumn.ACCEPTED),
      requests: counters.ended('listener', slot),
      withoutServer: counters.one('listener', slot, ListenerColumn.WITHOUT_SERVER),
      responses: responsesOf(counters.row('listener', slot)),
      bytesIn: counters.one('listener', slot, ListenerColumn.BYTES_IN),
      bytesOut: counters.one('listener', slot, ListenerColumn.BYTES_OUT),
    })),
    routes: snapshot.routes.map(({ slot, name, pool }) => ({
      name,
      pool,
      requests: counters.ended('route', slot),
      withoutServer: counters.one('route', slot, RouteColumn.WITHOUT_SERVER),
    })),
    pools: snapshot.pools.map((pool) => poolStatus(pool, means, left.get(pool.name) ?? [])),
    removed: removedStatus(means, left),
  };
}

/** Downstream links now open on a listener, over all workers. */
export function linksOf({ words, workers }: TrafficMeans, listenerSlot: number): number {
  let links = 0;
  for (let worker = 0; worker < workers; worker++) {
    links += Atomics.load(words.linksByWorker, worker * limits.listeners + listenerSlot);
  }
  return links;
}

function poolStatus(pool: Pool, means: TrafficMeans, left: readonly DepartedCounts[]): PoolStatus {
  const { counters } = means;
  const servers = pool.servers.map((server) => serverStatus(server, means));
  const view = means.conditionOf(pool.name);
  const inFlight = servers.reduce((sum, server) => sum + server.inFlight, 0);
  const queued = Atomics.load(means.words.poolQueued, pool.slot);
  const own = counters.row('pool', pool.slot);
  const values = poolValues(own, [
    ...pool.servers.map(({ slot }) => counters.row('server', slot)),
    ...left.map((server) => server.values),
  ]);
  return {
    name: pool.name,
    policy: pool.policy,
    requests: endedOf(values),
    requestsPerSecond: rounded(servers.reduce((sum, server) => sum + server.requestsPerSecond, 0)),
    withoutServer: endedOf(own),
    responses: responsesOf(values),
    retries: own[PoolColumn.RETRIES] ?? 0,
    inFlight,
    queued,
    load: inFlight + queued,
    maxConnections: pool.connectionsMax || null,
    queueSize: pool.queue?.size ?? null,
    condition: view?.condition ?? 'down',
    why: view?.why ?? 'not yet known',
    servers,
    removed: removedServers(means.words, left),
    discovery: means.discoveryOf(pool.name),
  };
}

/** What never had a request would be noise. */
function removedStatus(
  means: TrafficMeans,
  left: ReadonlyMap<string, readonly DepartedCounts[]>,
): RemovedStatus {
  const had = (kind: 'listener' | 'route', column: number): RemovedTotals[] =>
    means.departed
      .of(kind)
      .map(({ name, values }) => {
        return { name, requests: endedOf(values), withoutServer: values[column] ?? 0 };
      })
      .filter(({ requests }) => requests > 0);
  const pools = means.departed.of('pool').map(({ name, values: own }) => {
    const servers = left.get(name) ?? [];
    const values = poolValues(
      own,
      servers.map((server) => server.values),
    );
    return {
      name,
      requests: endedOf(values),
      withoutServer: endedOf(own),
      servers: removedServers(means.words, servers),
    };
  });
  return {
    listeners: had('listener', ListenerColumn.WITHOUT_SERVER),
    routes: had('route', RouteColumn.WITHOUT_SERVER),
    pools: pools.filter(({ requests }) => requests > 0),
  };
}

function removedServers(
  words: SharedWords,
  left: readonly DepartedCounts[],
): RemovedServerStatus[] {
  return left
    .map(({ name, slot, values }) => ({
      address: name,
      inFlight: slot === null ? 0 : Atomics.load(words.inFlight, slot),
      requests: endedOf(values),
      errors: errorsOf(values),
    }))
    .filter(({ inFlight, requests }) => inFlight > 0 || requests > 0);
}

/** Ended exchanges by class, from a row of counters. */
export function responsesOf(values: readonly number[]): ResponsesStatus {
  const of = (digit: number): number => values[EndColumn.S1XX + digit - 1] ?? 0;
  return {
    '1xx': of(1),
    '2xx': of(2),
    '3xx': of(3),
    '4xx': of(4),
    '5xx': of(5),
    aborted: values[EndColumn.ABORTED] ?? 0,
  };
}

function errorsOf(values: readonly number[]): number {
  return failing.reduce((sum, column) => sum + (values[column] ?? 0), 0);
}

const failing = [
  ServerColumn.S5XX,
  ServerColumn.CONNECT_FAILURES,
  ServerColumn.RESETS,
  ServerColumn.TIMEOUTS,
];

function serverStatus(server: Server, means: TrafficMeans): ServerStatus {
  const { counters, words } = means;
  const { slot } = server;
  const health = means.healthOf(slot);
  const requests = counters.ended('server', slot);
  return {
    address: server.address,
    slot,
    weight: server.weight,
    isBackup: server.isBackup,
    state: health?.state ?? 'down',
    why: health?.why ?? 'not yet known',
    inFlight: Atomics.load(words.inFlight, slot),
    pending: server.pendingMax ? Atomics.load(words.pending, slot) : null,
    maxConnections: server.connectionsMax || null,
    maxPending: server.pendingMax || null,
    requests,
    requestsPerSecond: rounded(means.rateOf(slot)),
    errors: errorsOf(counters.row('server', slot)),
    // Of ten thousand servers most may be idle: their histograms of 896 cells are not read.
    latencyMs: requests === 0 ? noLatency : latencyOf(means.histograms, slot),
    history: health?.history ?? [],
  };
}

const noLatency: LatencyStatus = { p50: null, p90: null, p99: null };

function latencyOf(histograms: HistogramReader, slot: number): LatencyStatus {
  const cells = histograms.read('server', slot, TimingColumn.TOTAL);
  if (sampleCount(cells) === 0) return noLatency;
  const at = (share: number): number => quantile(cells, share) / 1000;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}

/** To one decimal. */
export function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
