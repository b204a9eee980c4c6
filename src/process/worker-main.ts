import { parentPort, workerData } from 'node:worker_threads';
import { reportSuspicions } from '../base/invariant.ts';
import { createRandom } from '../base/prng.ts';
import { createDataPlane } from '../data/worker.ts';
import { limits } from '../model/limits.ts';
import type { FromWorker, ToWorker, WorkerStart } from '../model/messages.ts';
import { attachWords, type SharedWords } from '../model/shared-memory.ts';
import { heartbeatMs } from '../platform/clock.ts';
import type { Driver } from '../platform/driver.ts';
import { GeoDatabase } from '../platform/geo-database.ts';
import { frameOf, unpackSnapshot } from '../platform/pack-snapshot.ts';
import { keepCompiledCode } from './compiled-code.ts';
import { PolicyModules } from './policy-modules.ts';
import { SlicedWork } from './sliced-work.ts';

/** Beats four times a second: a twentieth of the age at which a worker counts as stuck. */
const HEARTBEAT_MS = 250;
/** While draining, the end is looked for so often. */
const DRAIN_LOOK_MS = 20;
/**
 * After the driver is closed the thread ends by itself; if something holds it, it is ended so long
 * after.
 */
const END_MS = 500;
/**
 * A new table is made in slices between turns of traffic: a slice is the longest that a request waits for
 * it, and a reload of 10,000 servers some fifty of them.
 */
const APPLY_SLICE_MS = 2;
/** Words of one worker's heartbeat and ledger, see model/shared-memory. */
const HEARTBEAT_WORDS = 16;
const LEDGER_WORDS = 256;

/** Runs one data-plane thread until it is drained, told to stop, or an invariant fails. */
export async function runWorker(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('Cannot run a worker outside a worker thread');
  const start = workerData as WorkerStart;
  const words = attachWords(start.shared);
  const post = (message: FromWorker): void => port.postMessage(message);
  reportSuspicions((what) => post({ type: 'suspicion', what }));
  const driver = await createDriver(start, words);
  const modules = new PolicyModules();
  await modules.load(start.snapshot);
  const plane = createDataPlane({
    start,
    driver,
    post,
    random: createRandom(start.seed),
    wallClock: () => Date.now(),
    openGeography: (bytes) => new GeoDatabase(bytes),
    customPolicies: modules.policies,
  });
  beat(words, start.worker);
  const heartbeat = setInterval(() => beat(words, start.worker), HEARTBEAT_MS);
  heartbeat.unref();

  const end = (): void => {
    post({ type: 'drained' });
    driver.close();
    port.close();
    setTimeout(() => process.exit(0), END_MS).unref();
  };
  const drain = (deadlineMs: number, isReplaced: boolean): void => {
    plane.drain(deadlineMs, isReplaced);
    const look = setInterval(() => {
      if (!plane.isDrained) return;
      clearInterval(look);
      end();
    }, DRAIN_LOOK_MS);
  };
  const inSlices = new SlicedWork(APPLY_SLICE_MS);
  let loading: Promise<void> | null = null;
  /** In their order; a snapshot whose modules are not loaded yet waits, and those behind it. */
  const publish = ({ snapshot, sockets, geo }: Extract<ToWorker, { type: 'publish' }>): void => {
    const frame = frameOf(snapshot);
    const begin = (): void =>
      inSlices.begin(plane.applyInSteps(unpackSnapshot(snapshot), sockets, geo));
    if (loading === null && modules.has(frame)) {
      begin();
      return;
    }
    const mine: Promise<void> = (loading ?? Promise.resolve())
      .then(() => modules.load(frame))
      .then(() => {
        if (loading === mine) loading = null;
        begin();
      });
    loading = mine;
  };
  port.on('message', (message: ToWorker) => {
    if (message.type === 'publish') publish(message);
    else if (message.type === 'close-server') plane.closeServer(message.slot, message.overMs);
    else if (message.type === 'drain') drain(message.deadlineMs, message.isReplaced);
    else if (message.type === 'stop') process.exit(0);
    else if (!start.areFaultsArmed) return;
    else if (message.kind === 'invariant') plane.fail();
    else for (;;) Atomics.load(words.epoch, 0);
  });
  post({ type: 'ready' });
  keepCompiledCode();
}

/** Only the driver in use is loaded. */
async function createDriver(start: WorkerStart, words: SharedWords): Promise<Driver> {
  const { worker } = start;
  if (start.driver === 'portable') {
    const { createPortableDriver } = await import('../platform/portable/driver.ts');
    return createPortableDriver({ worker });
  }
  const { createUringDriver } = await import('../platform/uring/driver.ts');
  const bitWords = limits.descriptors >>> 5;
  return createUringDriver({
    worker,
    ledger: words.ledger.subarray(worker * LEDGER_WORDS, (worker + 1) * LEDGER_WORDS),
    descriptorBits: words.descriptorBits.subarray(worker * bitWords, (worker + 1) * bitWords),
  });
}

function beat(words: SharedWords, worker: number): void {
  Atomics.store(words.heartbeat, worker * HEARTBEAT_WORDS, heartbeatMs());
}
