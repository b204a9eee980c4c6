import { type FailureCode, failures } from '../../model/failure.ts';
import { countedFigures, Figure, type SeriesKey } from '../../model/history.ts';
import type { EndedSample, PoolSample, ServerSample, TrafficSample } from '../report/sample.ts';
import type { Reading } from './recorder.ts';

/** Readings of a sample, and how many series were left out because there are more than `seriesMax`. */
export interface Readings {
  readonly readings: readonly Reading[];
  readonly leftOut: number;
}

/** What history follows of a sample: routes and pools before servers, where not all have room. */
export function readingsOf(sample: TrafficSample, seriesMax: number): Readings {
  const readings: Reading[] = [];
  for (const route of sample.routes) {
    const key: SeriesKey = { kind: 'route', pool: '', name: route.name };
    const counts = countsOf(route, ownErrors(route));
    counts[Figure.REFUSED] = route.withoutServer;
    readings.push(reading(key, route, { counts, inFlight: route.inFlight, up: 0 }));
  }
  for (const pool of sample.pools) {
    const counts = countsOf(pool, ownErrors(pool));
    counts[Figure.WAITS] = pool.queued;
    counts[Figure.RETRIES] = pool.retries;
    counts[Figure.REFUSED] = pool.withoutServer;
    const key: SeriesKey = { kind: 'pool', pool: '', name: pool.name };
    const inFlight = pool.inFlight + pool.waiting;
    readings.push(reading(key, pool, { counts, inFlight, up: upOf(pool) }));
  }
  for (const pool of sample.pools) {
    for (const server of pool.servers) readings.push(serverReading(pool.name, server));
  }
  const leftOut = Math.max(0, readings.length - seriesMax);
  return { readings: leftOut === 0 ? readings : readings.slice(0, seriesMax), leftOut };
}

function serverReading(pool: string, server: ServerSample): Reading {
  const counts = countsOf(server, server.faults);
  counts[Figure.RETRIES] = server.retries;
  const key: SeriesKey = { kind: 'server', pool, name: server.address };
  const { inFlight } = server;
  return reading(key, server, { counts, inFlight, up: Number(server.state === 'up') });
}

function upOf(pool: PoolSample): number {
  return pool.servers.reduce((sum, { state }) => sum + Number(state === 'up'), 0);
}

/** What went wrong on our side: 5xx, and answers that were cut though the client was there. */
function ownErrors({ responses, reasons }: EndedSample): number {
  let gone = 0;
  for (const [code, count] of Object.entries(reasons)) {
    // Those with a status were answered: they are in its class.
    const { origin, status } = failures[code as FailureCode];
    if (origin === 'downstream' && status === 0) gone += count;
  }
  return responses['5xx'] + Math.max(0, responses.aborted - gone);
}

function countsOf({ requests, bytesIn, bytesOut }: EndedSample, errors: number): Float64Array {
  const counts = new Float64Array(countedFigures);
  counts[Figure.REQUESTS] = requests;
  counts[Figure.ERRORS] = errors;
  counts[Figure.BYTES_IN] = bytesIn;
  counts[Figure.BYTES_OUT] = bytesOut;
  return counts;
}

function reading(
  key: SeriesKey,
  { durations }: EndedSample,
  now: Pick<Reading, 'counts' | 'inFlight' | 'up'>,
): Reading {
  return { key, ...now, cells: () => durations.read('total') };
}
