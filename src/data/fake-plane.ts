import { createRandom } from '../base/prng.ts';
import { plainBalancing } from '../model/balancing.ts';
import type { Hooks } from '../model/hooks.ts';
import type { FromWorker } from '../model/messages.ts';
import { standardRetry } from '../model/retry.ts';
import {
  allocateShared,
  attachWords,
  type SharedBuffers,
  type SharedWords,
} from '../model/shared-memory.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { counterCount } from '../observe/counters.ts';
import { histogramWords } from '../observe/histograms.ts';
import { PlainBuffers } from '../platform/plain-buffers.ts';
import { FakeDriver } from './fake-driver.ts';
import { createDataPlane, type DataPlane } from './worker.ts';

/** A data plane on a fake driver, for tests and benchmarks. */
export interface FakePlane {
  readonly driver: FakeDriver;
  readonly plane: DataPlane;
  readonly messages: FromWorker[];
  /** The wall clock; a test moves it. */
  readonly clock: { wallMs: number };
  readonly shared: SharedBuffers;
  readonly words: SharedWords;
}

/** One listener, one pool `p` of `servers` servers, one route that takes everything; `change` may alter it. */
export function fakeSnapshot(servers: number, change: Partial<Snapshot> = {}): Snapshot {
  return {
    version: 1,
    listeners: [{ slot: 0, name: 'web', address: ':80', protocol: 'http', pool: null }],
    routes: [
      {
        slot: 0,
        name: 'all',
        listeners: [],
        match: { hosts: [], paths: [], methods: [], conditions: [] },
        pool: 'p',
        respond: null,
        actions: null,
        allowEncodedSeparators: false,
        retry: null,
      },
    ],
    pools: [
      {
        slot: 0,
        name: 'p',
        policy: 'round-robin',
        probes: [],
        probeRule: 'all',
        outlier: null,
        breaker: null,
        timeouts: { connectMs: 2_000, firstByteMs: 30_000, idleMs: 60_000 },
        balancing: plainBalancing,
        retry: { ...standardRetry, backoffBaseMs: 0 },
        connectionsMax: 0,
        queue: null,
        reuse: { idleMs: 4_000, requestsMax: 10_000_000, ageMs: 3_600_000, perWorkerMax: 128 },
        servers: Array.from({ length: servers }, (_, slot) => ({
          slot,
          address: `10.0.0.${slot + 1}:80`,
          target: { kind: 'ip', host: `10.0.0.${slot + 1}`, port: 80 },
          weight: 1,
          isBackup: false,
          tier: 0,
          connectionsMax: 0,
          labels: {},
        })),
      },
    ],
    timeouts: {
      headerMs: 10_000,
      keepAliveMs: 75_000,
      idleMs: 60_000,
      drainMs: 30_000,
      tunnelMs: 3_600_000,
    },
    limits: { headBytesMax: 32_768, headFieldsMax: 100, connectionsMax: 65_536 },
    trustedPeers: [],
    errors: [],
    accessLog: false,
    geo: null,
    viaName: 'evenkeel',
    ...change,
  };
}

/** Shared memory for `workers` fake planes. */
export function fakeShared(workers: number): SharedBuffers {
  return allocateShared(workers, {
    counterCount: counterCount(workers),
    histogramWords: histogramWords(workers),
  });
}

/**
 * Starts a data plane on a fake driver with this snapshot; `buffersMax`: budget of its buffers; `worker`: its number
 * among those that share `shared`; `hooks`: what every module of hooks has.
 */
export function startFakePlane(
  snapshot: Snapshot,
  buffersMax?: number,
  shared: SharedBuffers = fakeShared(1),
  worker = 0,
  hooks: Hooks | null = null,
): FakePlane {
  const driver = new FakeDriver(new PlainBuffers(buffersMax));
  const messages: FromWorker[] = [];
  const clock = { wallMs: Date.UTC(2026, 0, 1) };
  const plane = createDataPlane({
    start: {
      worker,
      driver: 'portable',
      shared,
      snapshot,
      sockets: { web: { kind: 'descriptor', fd: 0 } },
      seed: 1,
      areFaultsArmed: false,
    },
    driver,
    post: (message) => messages.push(message),
    random: createRandom(1),
    wallClock: () => clock.wallMs,
    hooksOf: () => hooks,
  });
  return { driver, plane, messages, clock, shared, words: attachWords(shared) };
}
