import { histogramBuckets, mergeInto, quantile, sampleCount } from '../../base/histogram.ts';
import {
  heatShift,
  type LivePoolTick,
  type LiveTick,
  type LiveWorkerTick,
} from '../../model/live.ts';
import { rounded } from '../report/build-status.ts';
import type {
  EndedSample,
  ListenerSample,
  PoolSample,
  ServerSample,
  TrafficSample,
} from '../report/sample.ts';

/** Servers whose latency is followed; the cells before are 7 KB each. */
const timedServersMax = 2_000;

/** Makes ticks: what was counted since the tick before. One for all who look. */
export class LiveSampler {
  #before: TrafficSample | null = null;
  /** By pool and address: cells of the last tick in which the server ended something. */
  #cells = new Map<string, Float64Array>();
  #nextCells = new Map<string, Float64Array>();

  /**
   * The figures now and since the call before. `rateOf`: of a server, per second over ten seconds. Cost: one
   * pass over the sample, and one histogram for each server that ended something meanwhile.
   */
  tick(
    now: TrafficSample,
    rateOf: (pool: number, server: number) => number,
    workers: readonly LiveWorkerTick[],
  ): LiveTick {
    const before = this.#before;
    const spanMs = before === null ? 0 : Math.max(0, now.atMs - before.atMs);
    const poolsBefore = byName(before?.pools);
    const listenersBefore = byName(before?.listeners);
    const routesBefore = byName(before?.routes);
    const all = new Float64Array(histogramBuckets);
    const pools = now.pools.map((pool, index) =>
      this.#pool(pool, poolsBefore.get(pool.name) ?? pool, (server) => rateOf(index, server), all),
    );
    const tick: LiveTick = {
      atMs: now.atMs,
      spanMs,
      workers,
      latencyUs: quantilesUs(all, [0.5, 0.9, 0.99]),
      listeners: now.listeners.map((listener) =>
        listenerFigures(listener, listenersBefore.get(listener.name) ?? listener),
      ),
      routes: now.routes.map((route) => {
        const then = routesBefore.get(route.name) ?? route;
        return [
          route.requests,
          grown(route.requests, then.requests),
          grown(failedOf(route), failedOf(then)),
          grown(route.bytesOut, then.bytesOut),
        ];
      }),
      pools,
    };
    this.#before = now;
    [this.#cells, this.#nextCells] = [this.#nextCells, this.#cells];
    this.#nextCells.clear();
    return tick;
  }

  #pool(
    pool: PoolSample,
    then: PoolSample,
    rateOf: (server: number) => number,
    all: Float64Array,
  ): LivePoolTick {
    const cells = new Float64Array(histogramBuckets);
    const serversBefore = new Map(then.servers.map((server) => [server.address, server]));
    const rates = pool.servers.map((_, index) => rateOf(index));
    const servers = pool.servers.map((server, index) => {
      const before = serversBefore.get(server.address) ?? server;
      const requests = grown(server.requests, before.requests);
      return [
        server.inFlight,
        server.requests,
        rounded(rates[index]!),
        errorsOf(server),
        requests,
        grown(errorsOf(server), errorsOf(before)),
        ...this.#latency(`${pool.name}\n${server.address}`, server, requests, cells),
      ];
    });
    const totals = [
      pool.requests,
      rounded(rates.reduce((sum, rate) => sum + rate, 0)),
      pool.waiting,
      pool.retries,
      grown(pool.requests, then.requests),
      grown(failedOf(pool), failedOf(then)),
      grown(pool.retries, then.retries),
      ...quantilesUs(cells, [0.5, 0.9, 0.99]),
    ];
    mergeInto(all, cells);
    return { totals, heat: heatOf(cells), servers };
  }

  /** Quantiles of what ended in the span, whose cells are added to `sum`. */
  #latency(
    key: string,
    server: ServerSample,
    requests: number,
    sum: Float64Array,
  ): readonly number[] {
    const before = this.#cells.get(key);
    if (requests === 0 && before !== undefined) {
      this.#nextCells.set(key, before);
      return [-1, -1];
    }
    if (this.#nextCells.size >= timedServersMax) return [-1, -1];
    const now = server.durations.read('total');
    this.#nextCells.set(key, now);
    if (before === undefined) return [-1, -1];
    const ended = now.map((count, bucket) => grown(count, before[bucket]!));
    mergeInto(sum, ended);
    return quantilesUs(ended, [0.5, 0.99]);
  }
}

function byName<Item extends { readonly name: string }>(
  items: readonly Item[] = [],
): ReadonlyMap<string, Item> {
  return new Map(items.map((item) => [item.name, item]));
}

/** A count that has fallen began anew. */
function grown(now: number, then: number): number {
  return Math.max(0, now - then);
}

function failedOf({ responses }: EndedSample): number {
  return responses['5xx'] + responses.aborted;
}

/** As `status` counts them. */
function errorsOf(server: ServerSample): number {
  const { responses, connectFailures, resets, timeouts } = server;
  return responses['5xx'] + connectFailures + resets + timeouts;
}

const classes = ['1xx', '2xx', '3xx', '4xx', '5xx', 'aborted'] as const;

function listenerFigures(now: ListenerSample, then: ListenerSample): number[] {
  return [
    now.links,
    now.accepted,
    now.requests,
    grown(now.requests, then.requests),
    ...classes.map((key) => grown(now.responses[key], then.responses[key])),
    grown(now.bytesIn, then.bytesIn),
    grown(now.bytesOut, then.bytesOut),
  ];
}

function quantilesUs(cells: Float64Array, shares: readonly number[]): number[] {
  if (sampleCount(cells) === 0) return shares.map(() => -1);
  return shares.map((share) => Math.round(quantile(cells, share)));
}

function heatOf(cells: Float64Array): number[] {
  const heat: number[] = [];
  const step = 1 << heatShift;
  for (let first = 0; first < histogramBuckets; first += step) {
    let count = 0;
    for (let bucket = first; bucket < first + step; bucket++) count += cells[bucket]!;
    if (count > 0) heat.push(first >> heatShift, count);
  }
  return heat;
}
