import { histogramBuckets, mergeInto } from '../../base/histogram.ts';
import type { Pool, Server } from '../../model/snapshot.ts';
import {
  ListenerColumn,
  PoolColumn,
  RouteColumn,
  ServerColumn,
  ServerTiming,
} from '../../observe/columns.ts';
import type { HistogramOwner, HistogramReader } from '../../observe/histograms.ts';
import { linksOf, responsesOf, type TrafficMeans } from './build-status.ts';
import type {
  Durations,
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
  return {
    atMs,
    listeners: snapshot.listeners.map(({ slot, name }) => listenerSample(means, slot, name)),
    routes: snapshot.routes.map(({ slot, name, pool }) => routeSample(means, slot, name, pool)),
    pools: snapshot.pools.map((pool) => poolSample(means, pool)),
  };
}

function listenerSample(means: TrafficMeans, slot: number, name: string): ListenerSample {
  const row = means.counters.row('listener', slot);
  return {
    name,
    links: linksOf(means, slot),
    accepted: row[ListenerColumn.ACCEPTED]!,
    inFlight: 0,
    requests: row[ListenerColumn.REQUESTS]!,
    responses: responsesOf(row, ListenerColumn),
    reasons: {},
    withoutServer: row[ListenerColumn.WITHOUT_SERVER]!,
    bytesIn: row[ListenerColumn.BYTES_IN]!,
    bytesOut: row[ListenerColumn.BYTES_OUT]!,
    durations: noDurations,
  };
}

function routeSample(
  means: TrafficMeans,
  slot: number,
  name: string,
  pool: string | null,
): RouteSample {
  const row = means.counters.row('route', slot);
  return {
    name,
    pool,
    inFlight: 0,
    requests: row[RouteColumn.REQUESTS]!,
    responses: responsesOf(row, RouteColumn),
    reasons: {},
    withoutServer: row[RouteColumn.WITHOUT_SERVER]!,
    bytesIn: row[RouteColumn.BYTES_IN]!,
    bytesOut: row[RouteColumn.BYTES_OUT]!,
    fallbacks: row[RouteColumn.FALLBACKS]!,
    durations: new SlotDurations(means.histograms, 'route', slot, ['total']),
  };
}

function poolSample(means: TrafficMeans, pool: Pool): PoolSample {
  const row = means.counters.row('pool', pool.slot);
  const servers = pool.servers.map((server) => serverSample(means, server));
  const view = means.conditionOf(pool.name);
  const sum = (of: (server: ServerSample) => number): number =>
    servers.reduce((total, server) => total + of(server), 0);
  return {
    name: pool.name,
    condition: view?.condition ?? 'down',
    why: view?.why ?? 'not yet known',
    inFlight: sum((server) => server.inFlight),
    waiting: Atomics.load(means.words.poolQueued, pool.slot),
    queued: row[PoolColumn.QUEUED]!,
    requests: row[PoolColumn.REQUESTS]!,
    responses: responsesOf(row, PoolColumn),
    reasons: {},
    withoutServer: row[PoolColumn.WITHOUT_SERVER]!,
    noServer: row[PoolColumn.NO_SERVER]!,
    retries: row[PoolColumn.RETRIES]!,
    retriesDenied: row[PoolColumn.RETRIES_DENIED]!,
    failovers: row[PoolColumn.FAILOVERS]!,
    hedges: row[PoolColumn.HEDGES]!,
    bytesIn: sum((server) => server.bytesIn),
    bytesOut: sum((server) => server.bytesOut),
    durations: {
      read: (timing, into = new Float64Array(histogramBuckets)) => {
        if (timing === 'total') mergeInto(into, means.histograms.read('pool', pool.slot));
        else for (const server of servers) server.durations.read(timing, into);
        return into;
      },
    },
    servers,
  };
}

function serverSample(means: TrafficMeans, server: Server): ServerSample {
  const { slot } = server;
  const row = means.counters.row('server', slot);
  const health = means.healthOf(slot);
  return {
    address: server.address,
    state: health?.state ?? 'down',
    why: health?.why ?? 'not yet known',
    weight: server.weight,
    isBackup: server.isBackup,
    connectionsMax: server.connectionsMax,
    inFlight: Atomics.load(means.words.inFlight, slot),
    requests: row[ServerColumn.REQUESTS]!,
    responses: responsesOf(row, ServerColumn),
    reasons: {},
    attempts: row[ServerColumn.ATTEMPTS]!,
    connects: row[ServerColumn.CONNECTS]!,
    connectFailures: row[ServerColumn.CONNECT_FAILURES]!,
    reuses: row[ServerColumn.REUSES]!,
    retries: row[ServerColumn.RETRIES]!,
    resets: row[ServerColumn.RESETS]!,
    timeouts: row[ServerColumn.TIMEOUTS]!,
    faults: row[ServerColumn.FAULTS]!,
    bytesIn: row[ServerColumn.BYTES_IN]!,
    bytesOut: row[ServerColumn.BYTES_OUT]!,
    durations: new SlotDurations(means.histograms, 'server', slot, [
      'connect',
      'firstByte',
      'total',
    ]),
  };
}

const noDurations: Durations = { read: (_, into = new Float64Array(histogramBuckets)) => into };

const timingNumbers: Readonly<Record<Timing, number>> = {
  connect: ServerTiming.CONNECT,
  firstByte: ServerTiming.FIRST_BYTE,
  total: ServerTiming.TOTAL,
};

class SlotDurations implements Durations {
  readonly #histograms: HistogramReader;
  readonly #owner: HistogramOwner;
  readonly #slot: number;
  readonly #timings: readonly Timing[];

  constructor(
    histograms: HistogramReader,
    owner: HistogramOwner,
    slot: number,
    timings: readonly Timing[],
  ) {
    this.#histograms = histograms;
    this.#owner = owner;
    this.#slot = slot;
    this.#timings = timings;
  }

  read(timing: Timing, into: Float64Array = new Float64Array(histogramBuckets)): Float64Array {
    if (!this.#timings.includes(timing)) return into;
    const number = this.#owner === 'server' ? timingNumbers[timing] : 0;
    mergeInto(into, this.#histograms.read(this.#owner, this.#slot, number));
    return into;
  }
}
