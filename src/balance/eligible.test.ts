import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../base/prng.ts';
import { plainBalancing } from '../model/balancing.ts';
import { standardRetry } from '../model/retry.ts';
import { allocateShared, attachWords, type SharedWords, Verdict } from '../model/shared-memory.ts';
import type { PolicyName, Pool, Server } from '../model/snapshot.ts';
import { choose, chooseSpare } from './choose.ts';
import { EligibleSet } from './eligible.ts';
import { LatencyBook } from './latency-book.ts';
import { requestOf } from './policy.conformance.ts';
import { ALL_BUSY, NONE } from './policy.ts';
import { release, releaseAllOf } from './reserve.ts';
import { setWeightFactor, WeightSource } from './weight-factor.ts';

const serverOf = (slot: number, changes: Partial<Server> = {}): Server => ({
  slot,
  address: `10.0.0.${slot}:80`,
  target: { kind: 'ip', host: `10.0.0.${slot}`, port: 80 },
  weight: 1,
  isBackup: false,
  tier: 0,
  connectionsMax: 0,
  labels: {},
  ...changes,
});

const poolOf = (servers: readonly Server[], policy: PolicyName = 'first'): Pool => ({
  slot: 3,
  name: 'web',
  policy,
  servers,
  probes: [],
  probeRule: 'all',
  outlier: null,
  breaker: null,
  timeouts: { connectMs: 1, firstByteMs: 1, idleMs: 1 },
  balancing: plainBalancing,
  retry: standardRetry,
  connectionsMax: 0,
  queue: null,
  reuse: { idleMs: 1, requestsMax: 1, ageMs: 1, perWorkerMax: 1 },
});

const wordsFor = (workers = 2) =>
  attachWords(allocateShared(workers, { counterCount: 1, histogramWords: 1 }));

function judge(words: SharedWords, slot: number, bits: number): void {
  Atomics.store(words.verdict, slot, bits);
  Atomics.add(words.epoch, 0, 1);
}

const setOf = (pool: Pool, words: SharedWords, worker = 0) =>
  new EligibleSet(pool, words, {
    worker,
    random: createRandom(worker + 1),
    latency: new LatencyBook(words, () => 0),
    shelves: new Map(),
  });

const slotsOf = (set: EligibleSet) => set.candidates.map(({ slot }) => slot);

test('EligibleSet follows verdicts as soon as the epoch moves', () => {
  const words = wordsFor();
  const set = setOf(poolOf([serverOf(1), serverOf(2), serverOf(3)]), words);
  assert.deepEqual(slotsOf(set), [1, 2, 3]);
  const picker = set.picker();
  assert.equal(set.picker(), picker);
  judge(words, 2, Verdict.PROBE_DOWN);
  assert.deepEqual(slotsOf(set), [1, 3]);
  judge(words, 2, 0);
  assert.deepEqual(slotsOf(set), [1, 2, 3]);
});

test('EligibleSet leaves out weight 0 and servers without an address', () => {
  const set = setOf(
    poolOf([serverOf(1, { weight: 0 }), serverOf(2, { target: null }), serverOf(3)]),
    wordsFor(),
  );
  assert.deepEqual(slotsOf(set), [3]);
});

test('EligibleSet takes backups only while no primary is fit', () => {
  const words = wordsFor();
  const set = setOf(poolOf([serverOf(1), serverOf(2), serverOf(8, { isBackup: true })]), words);
  judge(words, 1, Verdict.REFUSING);
  assert.deepEqual(slotsOf(set), [2]);
  judge(words, 2, Verdict.EJECTED);
  assert.deepEqual(slotsOf(set), [8]);
  assert.equal(set.isBackup, true);
  // The backup gone too: what was ejected for errors is better than nothing.
  judge(words, 8, Verdict.PROBE_DOWN);
  assert.deepEqual(slotsOf(set), [2]);
  assert.equal(set.isPanic, true);
});

test('EligibleSet panics when under half are fit, and takes back the softly ejected only', () => {
  const words = wordsFor();
  const set = setOf(poolOf([1, 2, 3, 4, 5].map((slot) => serverOf(slot))), words);
  judge(words, 1, Verdict.EJECTED);
  judge(words, 2, Verdict.EJECTED);
  assert.deepEqual(slotsOf(set), [3, 4, 5]);
  assert.equal(set.isPanic, false);
  judge(words, 3, Verdict.PROBE_DOWN);
  assert.deepEqual(slotsOf(set), [4, 5, 1, 2]);
  assert.equal(set.isPanic, true);
  judge(words, 1, Verdict.EJECTED | Verdict.REFUSING);
  judge(words, 4, Verdict.UNRESOLVED);
  assert.deepEqual(slotsOf(set), [5, 2]);
});

test('EligibleSet: draining servers do not count as missing', () => {
  const words = wordsFor();
  const set = setOf(poolOf([1, 2, 3, 4].map((slot) => serverOf(slot))), words);
  judge(words, 1, Verdict.DRAINING);
  judge(words, 2, Verdict.DRAINING);
  judge(words, 3, Verdict.EJECTED);
  // One of two is fit: not under half.
  assert.deepEqual(slotsOf(set), [4]);
});

test('choose() reserves a place, and release() gives it back once', () => {
  const words = wordsFor();
  const set = setOf(poolOf([serverOf(1)]), words, 1);
  assert.equal(choose(set, requestOf(0)), 1);
  assert.equal(choose(set, requestOf(0)), 1);
  assert.equal(words.inFlight[1], 2);
  release(words, 1, 1);
  release(words, 1, 1);
  assert.equal(words.inFlight[1], 0);
  assert.throws(() => release(words, 1, 1), /given back once/);
  assert.equal(words.inFlight[1], 0);
});

test('choose() says why it found nothing', () => {
  const words = wordsFor();
  const empty = setOf(poolOf([]), words);
  assert.equal(choose(empty, requestOf(0)), NONE);
  assert.equal(empty.reason, 'no-servers');
  const set = setOf(poolOf([serverOf(1, { connectionsMax: 2 })]), words);
  assert.deepEqual([choose(set, requestOf(0)), choose(set, requestOf(0))], [1, 1]);
  assert.equal(choose(set, requestOf(0)), ALL_BUSY);
  assert.equal(set.reason, 'server-limit-reached');
  assert.equal(words.inFlight[1], 2);
  judge(words, 1, Verdict.PROBE_DOWN);
  assert.equal(choose(set, requestOf(0)), NONE);
  assert.equal(set.reason, 'no-server-available');
});

test('choose() keeps a limit even when a pick of another worker comes between', () => {
  const words = wordsFor();
  const set = setOf(poolOf([serverOf(1, { connectionsMax: 3 }), serverOf(2)], 'random'), words);
  let count = 0;
  const inner = set.picker();
  const pick = inner.pick.bind(inner);
  // After each pick, and before its reservation, another worker takes a place on the server picked.
  inner.pick = (request) => {
    const slot = pick(request);
    if (slot === 1 && count++ < 3) Atomics.add(words.inFlight, 1, 1);
    return slot;
  };
  for (let client = 0; client < 100; client++) choose(set, requestOf(client));
  assert.equal(words.inFlight[1], 3);
});

test('least-connections picks anew when another worker took the minimum first', () => {
  const words = wordsFor();
  const pool = poolOf([serverOf(1), serverOf(2)], 'least-connections');
  const set = setOf(pool, words);
  const other = setOf(pool, words, 1);
  const inner = set.picker();
  const pick = inner.pick.bind(inner);
  let stolen = -1;
  inner.pick = (request) => {
    const slot = pick(request);
    if (stolen < 0)
      stolen = choose(other, { ...requestOf(0), tried: Int32Array.of(3 - slot), triedCount: 1 });
    return slot;
  };
  const chosen = choose(set, requestOf(0));
  assert.notEqual(chosen, stolen);
  assert.deepEqual([words.inFlight[1], words.inFlight[2]], [1, 1]);
});

test('least-connections holds 30 open exchanges of two workers level', () => {
  const words = wordsFor();
  const pool = poolOf([serverOf(1), serverOf(2), serverOf(3)], 'least-connections');
  const sets = [setOf(pool, words, 0), setOf(pool, words, 1)];
  const random = createRandom(9);
  const open: { slot: number; worker: number }[] = [];
  for (let step = 0; step < 3000; step++) {
    const worker = random() < 0.5 ? 0 : 1;
    if (open.length === 30) {
      const [ended] = open.splice(Math.floor(random() * 30), 1);
      release(words, ended!.worker, ended!.slot);
    }
    open.push({ slot: choose(sets[worker]!, requestOf(step)), worker });
    const loads = [1, 2, 3].map((slot) => words.inFlight[slot]!);
    // One may just have been given back, and the choice filled the least: level within one but for
    // runs of returns from one server.
    if (step < 30) assert.ok(Math.max(...loads) - Math.min(...loads) <= 1, `${loads}`);
    assert.equal(
      loads.reduce((sum, load) => sum + load, 0),
      open.length,
    );
  }
});

test('releaseAllOf() takes a dead worker’s places out of the totals', () => {
  const words = wordsFor();
  const pool = poolOf([serverOf(1), serverOf(2)], 'round-robin');
  const sets = [setOf(pool, words, 0), setOf(pool, words, 1)];
  for (let client = 0; client < 6; client++) choose(sets[client % 2]!, requestOf(client));
  assert.equal(releaseAllOf(words, 1), 3);
  assert.equal(words.inFlight[1]! + words.inFlight[2]!, 3);
  assert.equal(releaseAllOf(words, 1), 0);
});

test('EligibleSet weighs servers by their factors, and leaves out who is told to get nothing', () => {
  const words = wordsFor();
  const set = setOf(poolOf([serverOf(1), serverOf(2, { weight: 2 }), serverOf(3)]), words);
  setWeightFactor(words, WeightSource.SLOW_START, 2, 0.25);
  setWeightFactor(words, WeightSource.AGENT, 3, 0);
  Atomics.add(words.epoch, 0, 1);
  assert.deepEqual(
    set.candidates.map(({ slot, weight }) => [slot, weight]),
    [
      [1, 100],
      [2, 50],
    ],
  );
  setWeightFactor(words, WeightSource.SLOW_START, 2, 1);
  Atomics.add(words.epoch, 0, 1);
  assert.deepEqual(
    set.candidates.map(({ weight }) => weight),
    [1, 2],
  );
});

test('chooseSpare() takes the least loaded backup that is well, once all others were tried', () => {
  const words = wordsFor();
  const servers = [
    serverOf(1),
    serverOf(2, { isBackup: true }),
    serverOf(3, { isBackup: true, connectionsMax: 1 }),
    serverOf(4, { isBackup: true, weight: 0 }),
  ];
  const set = setOf(poolOf(servers), words);
  assert.equal(chooseSpare(set, requestOf(0, [])), NONE, 'nothing was tried');
  assert.equal(set.hasOther(requestOf(0, [1]), false), true);
  assert.deepEqual(
    [
      chooseSpare(set, requestOf(0, [1])),
      chooseSpare(set, requestOf(0, [1])),
      chooseSpare(set, requestOf(0, [1])),
    ],
    [2, 3, 2],
  );
  assert.deepEqual([words.inFlight[2], words.inFlight[3]], [2, 1]);
  assert.equal(chooseSpare(set, requestOf(0, [1, 2])), NONE, 'the other one is full');
  judge(words, 2, Verdict.PROBE_DOWN);
  assert.equal(chooseSpare(set, requestOf(0, [1])), NONE, 'one is down, one is full');
  assert.equal(set.hasOther(requestOf(0, [1]), false), false);
});

test('hasOther() asks for an untried server and changes nothing', () => {
  const words = wordsFor();
  const servers = [serverOf(1, { connectionsMax: 1 }), serverOf(2), serverOf(3, { weight: 0 })];
  const set = setOf(poolOf(servers, 'round-robin'), words);
  const answers = (...tried: number[]) => {
    const request = requestOf(0, tried);
    return [set.hasOther(request, false), set.hasOther(request, true)];
  };
  assert.deepEqual(answers(), [true, true]);
  assert.deepEqual(answers(2), [true, true]);
  words.inFlight[1] = 1;
  assert.deepEqual(answers(2), [false, true]);
  assert.deepEqual(answers(1), [true, true]);
  assert.deepEqual(answers(1, 2), [false, false]);
  assert.deepEqual([words.cursor[3], words.inFlight[1], words.inFlight[2]], [0, 1, 0]);
});
