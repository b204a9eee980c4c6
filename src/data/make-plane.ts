import { LatencyBook } from '../balance/latency-book.ts';
import { invariant } from '../base/invariant.ts';
import { TimingWheel } from '../base/timing-wheel.ts';
import { limits } from '../model/limits.ts';
import { attachWords } from '../model/shared-memory.ts';
import { CounterWriter } from '../observe/counters.ts';
import type { HistogramWriter } from '../observe/histograms.ts';
import type { Driver } from '../platform/driver.ts';
import { Head } from '../wire/http1/head.ts';
import { ResponseForwarding } from '../wire/http1/write-response.ts';
import { FineTimers } from './fine-timers.ts';
import { Forward } from './forward.ts';
import { HookRunner } from './hook-runner.ts';
import type { Conductor, Plane } from './plane.ts';
import { SlowRequests } from './slow-requests.ts';
import type { DataPlaneOptions } from './worker.ts';

/** Bytes kept for composing heads that are longer than a buffer. */
const WIDE_SCRATCH_BYTES = 2 * limits.headBytesMax;

/**
 * Ms of one clock for all workers, wrapped to 31 bits: a driver's own begins with its thread. Later
 * jumps of the wall clock do not matter.
 */
function commonClock(driver: Driver, wallClock: () => number): () => number {
  const shiftMs = Math.round(wallClock() - driver.preciseNow()) % 0x80000000;
  return () => (driver.now() + shiftMs) & 0x7fffffff;
}

function requestIds(
  random: () => number,
): Pick<Plane, 'requestIdPrefix' | 'nextRequestNumber' | 'requestIdText'> {
  let requests = 0;
  const requestIdPrefix = Math.floor(random() * 2 ** 32) >>> 0;
  const hex = (value: number): string => value.toString(16).padStart(8, '0');
  return {
    requestIdPrefix,
    nextRequestNumber: () => requests++ >>> 0,
    requestIdText: (requestNumber) => hex(requestIdPrefix) + hex(requestNumber),
  };
}

/** Makes what every part of one worker's data plane shares. */
export function makePlane(options: DataPlaneOptions, histograms: HistogramWriter): Plane {
  const { start, driver, random } = options;
  const words = attachWords(start.shared);
  const latency = new LatencyBook(words, commonClock(driver, options.wallClock));
  const buffers = driver.buffers;
  const counters = new CounterWriter(start.shared, start.worker);
  const scratch = buffers.acquire();
  invariant(scratch >= 0, 'a new driver has a buffer');
  const plane: Plane = {
    worker: start.worker,
    workers: start.shared.workers,
    gates: new Map(),
    listenForTurns: () => {},
    driver,
    buffers,
    fineTimers: new FineTimers(driver),
    wheel: new TimingWheel(limits.timerTickMs, driver.preciseNow()),
    words,
    picking: {
      worker: start.worker,
      random,
      latency,
      shelves: new Map(),
      custom: options.customPolicies ?? new Map(),
    },
    counters,
    cells: counters.cells,
    histogramCells: histograms.cells,
    random: options.random,
    wallClock: options.wallClock,
    post: options.post,
    conductor: undefined as unknown as Conductor,
    hooksOf: options.hooksOf ?? (() => null),
    hooks: undefined as unknown as HookRunner,
    requestHead: new Head(),
    responseHead: new Head(),
    pickRequest: { addressHash: 0, keyHash: 0, tried: new Int32Array(0), triedCount: 0 },
    scratchAt: buffers.startOf(scratch),
    scratchBytes: buffers.headroomBytes + buffers.sizeBytes,
    wideScratch: new Uint8Array(WIDE_SCRATCH_BYTES),
    headPlace: { id: -1, floor: 0, bodyAt: 0 },
    nowhere: { span: (id) => buffers.release(id), copy: () => {} },
    responseForm: new ResponseForwarding(),
    text: Buffer.from(buffers.bytes.buffer, buffers.bytes.byteOffset, buffers.bytes.length),
    dateLine: new Uint8Array(0),
    date: '',
    tunnelIdleMs: start.snapshot.timeouts.tunnelMs,
    freeExchanges: [],
    servers: new Map(),
    mirrorLoads: new Map(),
    isDraining: false,
    replacedForMs: 0,
    hasAccessLog: start.snapshot.accessLog,
    slow: new SlowRequests(),
    tracing: null,
    logLayout: null,
    log: () => {},
    ...requestIds(options.random),
  };
  const late = plane as { conductor: Conductor; hooks: HookRunner };
  late.conductor = new Forward(plane);
  late.hooks = new HookRunner(plane);
  return plane;
}
