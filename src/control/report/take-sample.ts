import { histogramBuckets } from '../../base/histogram.ts';
import type { FailureCode } from '../../model/failure.ts';
import type { Pool, Server, Snapshot } from '../../model/snapshot.ts';
import {
  ListenerColumn,
  PoolColumn,
  RouteColumn,
  reasonCodes,
  ServerColumn,
  TimingColumn,
} from '../../observe/columns.ts';
import { type CounterOwner, endedOf } from '../../observe/counters.ts';
import type { HistogramReader } from '../../observe/histograms.ts';
import { poolValues } from '../../observe/pool-values.ts';
import { linksOf, responsesOf, type TrafficMeans } from './build-status.ts';
import { byPool, type DepartedCounts } from './departed.ts';
import type {
  Durations,
  EndedSample,
  ListenerSample,
  PoolSample,
  RouteSample,
  ServerSample,
  Timing,
  TrafficSample,
} from './sample.ts';

/** Cost: one pass over the counters of all slots in use; histograms cost when they are asked for. */
export function takeSample(means: TrafficMeans, atMs: number): TrafficSample {
  const { snapshot } = means;
  const left = byPool(means.departed.of('server'));
  return {
    atMs,
    listeners: snapshot.listeners.map((listener) => listenerSample(means, listener)),
    routes: snapshot.routes.map((route) => routeSample(means, route)),
    pools: snapshot.pools.map((pool) => poolSample(means, pool, left.get(pool.name) ?? [])),
  };
}

function listenerSample(
  means: TrafficMeans,
  { slot, name }: Snapshot['listeners'][number],
): ListenerSample {
  const row = means.counters.row('listener', slot);
  return {
    name,
    links: linksOf(means, slot),
    accepted: row[ListenerColumn.ACCEPTED]!,
    inFlight: Math.max(0, row[ListenerColumn.STARTED]! - endedOf(row)),
    withoutServer: row[ListenerColumn.WITHOUT_SERVER]!,
    ...ended(row, ListenerColumn.REASONS),
    bytesIn: row[ListenerColumn.BYTES_IN]!,
    bytesOut: row[ListenerColumn.BYTES_OUT]!,
    durations: new SlotDurations(means.histograms, [['listener', slot]]),
  };
}

function routeSample(
  means: TrafficMeans,
  { slot, name, pool }: Snapshot['routes'][number],
): RouteSample {
  const row = means.counters.row('route', slot);
  return {
    name,
    pool,
    inFlight: Math.max(0, row[RouteColumn.STARTED]! - endedOf(row)),
    withoutServer: row[RouteColumn.WITHOUT_SERVER]!,
    fallbacks: row[RouteColumn.FALLBACKS]!,
    ...ended(row, RouteColumn.REASONS),
    bytesIn: row[RouteColumn.BYTES_IN]!,
    bytesOut: row[RouteColumn.BYTES_OUT]!,
    durations: new SlotDurations(means.histograms, [['route', slot]]),
  };
}

function poolSample(means: TrafficMeans, pool: Pool, left: readonly DepartedCounts[]): PoolSample {
  const { counters, histograms, words } = means;
  const own = counters.row('pool', pool.slot);
  const rows = [
    ...pool.servers.map(({ slot }) => counters.row('server', slot)),
    ...left.map(({ values }) => values),
  ];
  const values = poolValues(own, rows);
  const view = means.conditionOf(pool.name);
  const sum = (column: number): number => rows.reduce((total, row) => total + row[column]!, 0);
  const slots = [...pool.servers, ...left].flatMap(({ slot }) => (slot === null ? [] : [slot]));
  return {
    name: pool.name,
    condition: view?.condition ?? 'down',
    why: view?.why ?? 'not yet known',
    inFlight: pool.servers.reduce((all, { slot }) => all + Atomics.load(words.inFlight, slot), 0),
    waiting: Atomics.load(words.poolQueued, pool.slot),
    queued: own[PoolColumn.QUEUED]!,
    withoutServer: endedOf(own),
    noServer: own[PoolColumn.NO_SERVER]!,
    retries: own[PoolColumn.RETRIES]!,
    retriesDenied: own[PoolColumn.RETRIES_DENIED]!,
    failovers: own[PoolColumn.FAILOVERS]!,
    hedges: own[PoolColumn.HEDGES]!,
    ...ended(values, PoolColumn.REASONS),
    bytesIn: sum(ServerColumn.BYTES_IN),
    bytesOut: sum(ServerColumn.BYTES_OUT),
    durations: new SlotDurations(histograms, [
      ['pool', pool.slot],
      ...slots.map((slot) => ['server', slot] as const),
    ]),
    servers: pool.servers.map((server, index) => serverSample(means, server, rows[index]!)),
  };
}

function serverSample(means: TrafficMeans, server: Server, row: readonly number[]): ServerSample {
  const { slot } = server;
  const health = means.healthOf(slot);
  return {
    address: server.address,
    state: health?.state ?? 'down',
    why: health?.why ?? 'not yet known',
    weight: server.weight,
    isBackup: server.isBackup,
    connectionsMax: server.connectionsMax,
    inFlight: Atomics.load(means.words.inFlight, slot),
    attempts: row[ServerColumn.DIALS]! + row[ServerColumn.REUSES]!,
    connects: row[ServerColumn.CONNECTS]!,
    connectFailures: row[ServerColumn.CONNECT_FAILURES]!,
    reuses: row[ServerColumn.REUSES]!,
    retries: row[ServerColumn.RETRIES]!,
    resets: row[ServerColumn.RESETS]!,
    timeouts: row[ServerColumn.TIMEOUTS]!,
    faults: row[ServerColumn.FAULTS]!,
    ...ended(row, ServerColumn.REASONS),
    bytesIn: row[ServerColumn.BYTES_IN]!,
    bytesOut: row[ServerColumn.BYTES_OUT]!,
    durations: new SlotDurations(means.histograms, [['server', slot]]),
  };
}

function ended(
  row: readonly number[],
  reasonsAt: number,
): Pick<EndedSample, 'requests' | 'responses' | 'reasons'> {
  const reasons: Partial<Record<FailureCode, number>> = {};
  for (let index = 0; index < reasonCodes.length; index++) {
    const count = row[reasonsAt + index]!;
    if (count !== 0) reasons[reasonCodes[index]!] = count;
  }
  return { requests: endedOf(row), responses: responsesOf(row), reasons };
}

const timingColumns: Readonly<Record<Timing, number>> = {
  connect: TimingColumn.CONNECT,
  firstByte: TimingColumn.FIRST_BYTE,
  total: TimingColumn.TOTAL,
};

/** Sums of histograms of slots. */
class SlotDurations implements Durations {
  readonly #histograms: HistogramReader;
  readonly #slots: readonly (readonly [owner: CounterOwner, slot: number])[];

  constructor(
    histograms: HistogramReader,
    slots: readonly (readonly [owner: CounterOwner, slot: number])[],
  ) {
    this.#histograms = histograms;
    this.#slots = slots;
  }

  read(timing: Timing, into: Float64Array = new Float64Array(histogramBuckets)): Float64Array {
    for (const [owner, slot] of this.#slots) {
      this.#histograms.addTo(into, owner, slot, timingColumns[timing]);
    }
    return into;
  }
}
