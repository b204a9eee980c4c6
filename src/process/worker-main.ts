import { parentPort, workerData } from 'node:worker_threads';
import { reportSuspicions } from '../base/invariant.ts';
import { createRandom } from '../base/prng.ts';
import { finished } from '../base/steps.ts';
import { createDataPlane } from '../data/worker.ts';
import { limits } from '../model/limits.ts';
import type { FromWorker, ThreadStart, ToWorker } from '../model/messages.ts';
import { attachWords, type SharedWords } from '../model/shared-memory.ts';
import { heartbeatMs } from '../platform/clock.ts';
import type { Driver } from '../platform/driver.ts';
import { GeoDatabase } from '../platform/geo-database.ts';
import { SnapshotReader } from '../platform/pack-snapshot.ts';
import { keepCompiledCode } from './compiled-code.ts';
import { SlicedWork } from './sliced-work.ts';
import { WorkerModules } from './worker-modules.ts';

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

type Publish = Extract<ToWorker, { readonly type: 'publish' }>;

/** Runs one data-plane thread until it is drained, told to stop, or an invariant fails. */
export async function runWorker(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('Cannot run a worker outside a worker thread');
  const start = workerData as ThreadStart;
  const words = attachWords(start.shared);
  const post = (message: FromWorker): void => port.postMessage(message);
  reportSuspicions((what) => post({ type: 'suspicion', what }));
  const modules = new WorkerModules(post);
  const reader = new SnapshotReader();
  const { snapshot: packed } = start;
  const named = { pools: reader.settingsOf(packed), hooks: packed.hookModules };
  await modules.load(named);
  const driver = await createDriver(start, words);
  const plane = createDataPlane({
    start: { ...start, snapshot: finished(reader.read(packed)) },
    driver,
    post,
    random: createRandom(start.seed),
    wallClock: () => Date.now(),
    openGeography: (bytes) => new GeoDatabase(bytes),
    customPolicies: modules.policies,
    hooksOf: modules.hooksOf,
  });
  modules.guard(plane, named);
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
  const publish = ({ snapshot, sockets, geo }: Publish): void => {
    const named = { pools: reader.settingsOf(snapshot), hooks: snapshot.hookModules };
    modules.guard(plane, named);
    modules.whenLoaded(named, () =>
      inSlices.begin(plane.applyInSteps(reader.read(snapshot), sockets, geo)),
    );
  };
  port.on('message', (message: ToWorker) => {
    if (message.type === 'publish') publish(message);
    else if (message.type === 'tail') plane.tail(message.filters);
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
async function createDriver(start: ThreadStart, words: SharedWords): Promise<Driver> {
  const { worker } = start;
  if (start.driver === 'portable') {
    const { createPortableDriver } = await import('../platform/portable/driver.ts');
    return createPortableDriver({ worker });
  }
  const { createUringDriver } = await import('../platform/uring/driver.ts');
  const bitWords = limits.descriptors >>> 5;
  return createUringDriver({
    worker,
    workers: start.shared.workers,
    ledger: words.ledger.subarray(worker * LEDGER_WORDS, (worker + 1) * LEDGER_WORDS),
    descriptorBits: words.descriptorBits.subarray(worker * bitWords, (worker + 1) * bitWords),
  });
}

function beat(words: SharedWords, worker: number): void {
  Atomics.store(words.heartbeat, worker * HEARTBEAT_WORDS, heartbeatMs());
}
