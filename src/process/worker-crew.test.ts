import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../model/limits.ts';
import { allocateShared, attachWords } from '../model/shared-memory.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { counterCount } from '../observe/counters.ts';
import { systemClock } from '../platform/clock.ts';
import { createProcessLog } from './process-log.ts';
import { WorkerCrew } from './worker-crew.ts';

/** The threads are stubs that keep the protocol and die of a planted fault. */
const stub = `
  const { parentPort, workerData } = require('node:worker_threads');
  const words = new Int32Array(workerData.shared.words);
  parentPort.on('message', (message) => {
    if (message.type === 'publish') parentPort.postMessage({ type: 'applied', version: message.snapshot.version });
    if (message.type === 'fault') throw new Error('planted');
    if (message.type === 'stop') process.exit(0);
    if (message.type === 'drain') { parentPort.postMessage({ type: 'drained' }); parentPort.close(); }
  });
  parentPort.postMessage({ type: 'ready' });
`;
const entry = new URL(
  `data:text/javascript,${encodeURIComponent(
    `import { createRequire } from 'node:module'; const require = createRequire('file:///');${stub}`,
  )}`,
);

function snapshotOf(version: number): Snapshot {
  return {
    version,
    listeners: [],
    routes: [],
    pools: [],
    timeouts: { headerMs: 1, keepAliveMs: 1, idleMs: 1, drainMs: 1, tunnelMs: 1 },
    limits: { headBytesMax: 1, headFieldsMax: 1, connectionsMax: 1 },
    trustedPeers: [],
    errors: [],
    accessLog: false,
    geo: null,
    viaName: 'evenkeel',
  };
}

function crewOf(count: number): {
  crew: WorkerCrew;
  words: ReturnType<typeof attachWords>;
  publish: () => number;
  reclaimed: number[];
  hopeless: Promise<string>;
  logged: string[];
} {
  const shared = allocateShared(count, { counterCount: counterCount(count), histogramWords: 1 });
  const words = attachWords(shared);
  const reclaimed: number[] = [];
  const logged: string[] = [];
  let version = 1;
  let tellHopeless = (_why: string): void => {};
  const hopeless = new Promise<string>((resolve) => {
    tellHopeless = resolve;
  });
  const crew = new WorkerCrew({
    entry,
    count,
    driver: 'portable',
    shared,
    words,
    clock: systemClock,
    log: createProcessLog(
      'test',
      (line) => logged.push(line),
      () => 0,
    ),
    random: () => 0.5,
    areFaultsArmed: true,
    snapshot: () => snapshotOf(version),
    geoOf: () => null,
    socketsOf: () => ({}),
    reclaim: (worker) => reclaimed.push(worker) * 0,
    onMessage: () => {},
    onApplied: () => {},
    onDied: () => {},
    onHopeless: tellHopeless,
  });
  const publish = (): number => {
    version++;
    crew.publish();
    return version;
  };
  return { crew, words, publish, reclaimed, hopeless, logged };
}

/** Waits for a state of the crew; every turn of the loop looks once. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

test('a dead worker is folded, reclaimed and replaced; the other one is not touched', async () => {
  const { crew, words, publish, reclaimed, logged } = crewOf(2);
  await crew.start();
  // Slot 5 carries 3 exchanges of worker 0 and 4 of worker 1; worker 0 has 2 links of 5.
  words.inFlight[5] = 7;
  words.inFlightByWorker[5] = 3;
  words.inFlightByWorker[limits.serverSlots + 5] = 4;
  words.links[0] = 5;
  words.linksByWorker[1] = 2;
  assert.ok(crew.injectFault(0, 'invariant'));
  await until(() => crew.status()[0]?.restarts === 1 && crew.isReady);
  assert.equal(words.inFlight[5], 4);
  assert.equal(words.inFlightByWorker[5], 0);
  assert.equal(words.links[0], 3);
  assert.deepEqual(reclaimed, [0]);
  assert.equal(crew.status()[1]?.restarts, 0);
  assert.match(logged.join(''), /planted/);
  await crew.whenApplied(publish());
  assert.deepEqual(
    crew.status().map((worker) => worker.appliedVersion),
    [2, 2],
  );
  await crew.drain(100);
  assert.ok(crew.status().every((worker) => worker.state === 'drained'));
  assert.ok(!crew.injectFault(0, 'invariant'));
});

test('five deaths within ten seconds are hopeless', async () => {
  const { crew, hopeless } = crewOf(1);
  await crew.start();
  for (let deaths = 0; deaths < 5; deaths++) {
    await until(() => crew.isReady);
    crew.injectFault(0, 'invariant');
    await until(() => !crew.isReady);
  }
  assert.match(await hopeless, /^5 workers died/);
  assert.ok(await crew.stop());
});
