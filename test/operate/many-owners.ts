import { bucketOf } from '../../src/base/histogram.ts';
import { createRandom } from '../../src/base/prng.ts';
import type { TrafficMeans } from '../../src/control/report/build-status.ts';
import type { Exemplar } from '../../src/control/report/exposition.ts';
import type { MetricsInput } from '../../src/control/report/metrics.ts';
import { fakeSnapshot } from '../../src/data/fake-plane.ts';
import { allocateShared, attachWords } from '../../src/model/shared-memory.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import {
  EndColumn,
  ListenerColumn,
  reasonCodes,
  ServerColumn,
  timingCount,
} from '../../src/observe/columns.ts';
import {
  type CounterOwner,
  CounterReader,
  CounterWriter,
  counterCount,
} from '../../src/observe/counters.ts';
import { HistogramReader, HistogramWriter, histogramWords } from '../../src/observe/histograms.ts';

const WORKERS = 2;

/** How much of everything there is. */
export interface Sizes {
  readonly servers: number;
  readonly pools: number;
  readonly routes: number;
  /** Reason words that every owner has counted. */
  readonly reasons: number;
}

/** What metrics are made of, in a balancer with so many owners that have all had traffic of every kind. */
export function manyOwners(sizes: Sizes): MetricsInput {
  const snapshot = snapshotOf(sizes);
  const shared = allocateShared(WORKERS, {
    counterCount: counterCount(WORKERS),
    histogramWords: histogramWords(WORKERS),
  });
  const random = createRandom(7);
  const owners: (readonly [CounterOwner, number])[] = [
    ...snapshot.listeners.map(({ slot }) => ['listener', slot] as const),
    ...snapshot.routes.map(({ slot }) => ['route', slot] as const),
    ...snapshot.pools.map(({ slot }) => ['pool', slot] as const),
    ...snapshot.pools.flatMap(({ servers }) =>
      servers.map(({ slot }) => ['server', slot] as const),
    ),
  ];
  for (let worker = 0; worker < WORKERS; worker++) {
    const counters = new CounterWriter(shared, worker);
    const histograms = new HistogramWriter(shared, worker);
    histograms.cells[histograms.lag + 3] = 5;
    for (const [owner, slot] of owners) {
      const base = counters[owner](slot);
      for (let column = 0; column <= EndColumn.ABORTED; column++)
        counters.cells[base + column] = 1e6;
      const reasons = owner === 'server' ? ServerColumn.REASONS : ListenerColumn.REASONS;
      for (let reason = 0; reason < sizes.reasons; reason++) {
        counters.cells[base + reasons + reason] = reason + 1;
      }
      for (let timing = 0; timing < timingCount; timing++) {
        const first = histograms.of(owner, slot, timing);
        for (let sample = 0; sample < 200; sample++) {
          histograms.cells[first + bucketOf(10 ** (2 + 4 * random()))]! += 1;
        }
      }
    }
  }
  const histograms = new HistogramReader(shared);
  const traffic: TrafficMeans = {
    snapshot,
    words: attachWords(shared),
    workers: WORKERS,
    counters: new CounterReader(shared),
    histograms,
    departed: { of: () => [] },
    healthOf: () => ({ state: 'up', why: 'probe: 200', history: [], counts }),
    conditionOf: () => null,
    rateOf: () => 0,
    discoveryOf: () => [],
    portOf: () => 8080,
  };
  return {
    process: processOf(),
    threads: { lagOf: (worker) => histograms.lagOf(worker), controlLagMs: 3 },
    traffic,
    exemplarsOf: (route) => [exemplarOf(`r-${route}`)],
    accessLog: { writtenBytes: 1, queuedBytes: 0, droppedLines: 0, error: null },
  };
}

const counts = { passes: 5, failures: 1, ejections: 1, changes: 2 };

function exemplarOf(route: string): Exemplar {
  return { labels: { request_id: `0123-${route}` }, seconds: 0.31, atSeconds: 1_790_000_000.25 };
}

function snapshotOf({ servers, pools, routes }: Sizes): Snapshot {
  const plain = fakeSnapshot(servers / pools);
  const [route] = plain.routes;
  const [pool] = plain.pools;
  return {
    ...plain,
    routes: Array.from({ length: routes }, (_, slot) => ({ ...route!, slot, name: `r-${slot}` })),
    pools: Array.from({ length: pools }, (_, slot) => ({
      ...pool!,
      slot,
      name: `p-${slot}`,
      servers: pool!.servers.map((server, index) => ({
        ...server,
        slot: slot * (servers / pools) + index,
      })),
    })),
  };
}

function processOf(): MetricsInput['process'] {
  const worker = {
    state: 'ready',
    heartbeatAgeMs: 5,
    restarts: 0,
    appliedVersion: 1,
    gauges: { links: 4, buffersInUse: 3, ringEnters: 9, linkSlotsFree: 8 },
  } as const;
  return {
    version: '0.1.0',
    startedAtMs: 1_790_000_000_000,
    pids: { supervisor: 1, balancer: 2, leaving: [] },
    driver: { name: 'uring', reason: 'test' },
    isDraining: false,
    workers: Array.from({ length: WORKERS }, (_, index) => ({ index, ...worker })),
    configuration: { file: 'a.yaml', version: 1, lastReload: null, reloads: 0, failedReloads: 0 },
    accessLog: null,
    tracing: null,
  };
}

/** All reason words there are: the most that an owner may have. */
export const reasonsMax: number = reasonCodes.length;
