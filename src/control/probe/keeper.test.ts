// Rule zero: longer than 400 lines, because all rules of the keeper are tested on one world of servers and probes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { histogramBuckets } from '../../base/histogram.ts';
import { plainBalancing } from '../../model/balancing.ts';
import { standardRetry } from '../../model/retry.ts';
import type { SharedWords } from '../../model/shared-memory.ts';
import { allocateShared, attachWords, Verdict } from '../../model/shared-memory.ts';
import type { Breaker, Outlier, Pool, Probe, Snapshot } from '../../model/snapshot.ts';
import type { ConnectProbe } from '../../platform/probe-link.ts';
import { HealthKeeper } from './keeper.ts';
import { ManualClock } from './manual-clock.ts';
import { plainProbe } from './plain-probe.ts';

const probe: Probe = { ...plainProbe, jitterRatio: 0 };

const outlier: Outlier = {
  consecutive: 5,
  successMarginRatio: 0.1,
  latencyFactor: 4,
  latencyLeastMs: 10,
  intervalMs: 1_000,
  volumeMin: 10,
  ejectForMs: 30_000,
  ejectMaxRatio: 0.3,
};

interface Setting {
  readonly probe?: Probe | null;
  readonly ports?: readonly number[];
  readonly weight?: number;
  readonly isResolved?: boolean;
  readonly outlier?: Outlier | null;
  readonly breaker?: Breaker;
}

function snapshotOf({ probe: given = probe, ports = [1, 2, 3], ...rest }: Setting = {}): Snapshot {
  const pool: Pool = {
    slot: 0,
    name: 'web',
    policy: 'p2c',
    probes: given === null ? [] : [given],
    probeRule: 'all',
    outlier: rest.outlier === undefined ? outlier : rest.outlier,
    breaker: rest.breaker ?? null,
    servers: ports.map((port) => ({
      slot: port,
      address: `10.0.0.1:${port}`,
      target: rest.isResolved === false ? null : { kind: 'ip', host: '10.0.0.1', port },
      weight: rest.weight ?? 1,
      isBackup: false,
      tier: 0,
      connectionsMax: 0,
      labels: {},
    })),
    timeouts: { connectMs: 1, firstByteMs: 1, idleMs: 1 },
    balancing: plainBalancing,
    retry: standardRetry,
    connectionsMax: 0,
    queue: null,
    reuse: { idleMs: 1, requestsMax: 1, ageMs: 1, perWorkerMax: 1 },
  };
  return {
    version: 1,
    listeners: [],
    routes: [],
    pools: [pool],
    timeouts: { headerMs: 1, keepAliveMs: 1, idleMs: 1, drainMs: 1, tunnelMs: 3_600_000 },
    limits: { headBytesMax: 1, headFieldsMax: 1, connectionsMax: 1 },
    trustedPeers: [],
    errors: [],
    accessLog: false,
    geo: null,
    viaName: 'test',
  };
}

/** A keeper whose servers answer or refuse by port. */
function start(): {
  keeper: HealthKeeper;
  clock: ManualClock;
  words: SharedWords;
  refusing: Set<number>;
  tried: number[];
  bits: (slot: number) => number;
  counts: Map<number, { good: number; faults: number }>;
} {
  const clock = new ManualClock();
  const words = attachWords(allocateShared(1, { counterCount: 0, histogramWords: 0 }));
  const refusing = new Set<number>();
  const tried: number[] = [];
  const connect: ConnectProbe = (target, handler) => {
    const port = target.kind === 'ip' ? target.port : 0;
    tried.push(port);
    const timer = clock.after(1, () =>
      refusing.has(port) ? handler.onError('ECONNREFUSED') : handler.onConnected(),
    );
    return { send: () => {}, destroy: () => timer.stop() };
  };
  const counts = new Map<number, { good: number; faults: number }>();
  const readings = {
    good: (slot: number) => counts.get(slot)?.good ?? 0,
    faults: (slot: number) => counts.get(slot)?.faults ?? 0,
    firstBytes: () => new Float64Array(histogramBuckets),
  };
  const keeper = new HealthKeeper({
    words,
    clock,
    connect,
    run: () => () => {},
    readings,
    random: () => 0.5,
    drainedUntil: () => null,
    log: () => {},
  });
  const bits = (slot: number): number => words.verdict[slot] ?? -1;
  return { keeper, clock, words, refusing, tried, bits, counts };
}

test('a probed server is down until its first pass, which comes at once', () => {
  const { keeper, clock, words, bits } = start();
  keeper.apply(snapshotOf());
  assert.equal(bits(1), Verdict.PROBE_DOWN);
  assert.equal(keeper.viewOf(1)?.state, 'down');
  const epoch = words.epoch[0] ?? 0;
  clock.advance(1);
  assert.equal(bits(1), 0);
  assert.ok((words.epoch[0] ?? 0) > epoch);
  assert.deepEqual([keeper.viewOf(1)?.state, keeper.viewOf(1)?.why], ['up', 'probe: connected']);
});

test('three failures at the faster interval take a server down, two passes bring it back', () => {
  const { keeper, clock, refusing, bits } = start();
  keeper.apply(snapshotOf());
  clock.advance(10);
  refusing.add(2);
  // Due at 5 s, then each second: down after 7 s, up after two passes a second apart.
  clock.advance(6_500);
  assert.equal(bits(2), 0);
  clock.advance(1_000);
  assert.equal(bits(2), Verdict.PROBE_DOWN);
  assert.equal(keeper.viewOf(2)?.why, 'probe: connect refused');
  refusing.clear();
  clock.advance(7_000);
  assert.equal(bits(2), 0);
  assert.deepEqual(
    keeper.viewOf(2)?.history.map((change) => change.state),
    ['up', 'down', 'up'],
  );
  assert.ok((keeper.viewOf(2)?.history[0]?.atMs ?? 0) > 1_000_000, 'history has epoch times');
});

test('refused connections take a server out until a connection succeeds', () => {
  const { keeper, clock, words, refusing, bits, tried } = start();
  keeper.apply(snapshotOf({ probe: null }));
  refusing.add(1);
  words.failureStreak[1] = 3;
  keeper.onStreak(1, 'connect-refused', 3);
  assert.equal(bits(1), Verdict.REFUSING);
  assert.equal(words.failureStreak[1], 0);
  assert.match(keeper.viewOf(1)?.why ?? '', /connect-refused/);
  clock.advance(3_500);
  assert.deepEqual(tried, [1, 1, 1]);
  assert.equal(bits(1), Verdict.REFUSING);
  refusing.clear();
  clock.advance(1_000);
  assert.equal(bits(1), 0);
});

test('an ejection ends by its time, and sooner when the probe comes back from down', () => {
  const timed = start();
  timed.keeper.apply(snapshotOf({ probe: null }));
  timed.keeper.onStreak(1, 'upstream-timeout', 5);
  assert.equal(timed.bits(1), Verdict.EJECTED);
  timed.clock.advance(29_990);
  assert.equal(timed.bits(1), Verdict.EJECTED);
  timed.clock.advance(20);
  assert.equal(timed.bits(1), 0);

  const probed = start();
  probed.keeper.apply(snapshotOf());
  probed.clock.advance(10);
  probed.refusing.add(1);
  probed.clock.advance(7_500);
  probed.keeper.onStreak(1, 'upstream-timeout', 5);
  assert.equal(probed.bits(1), Verdict.PROBE_DOWN | Verdict.EJECTED);
  probed.refusing.clear();
  probed.clock.advance(6_900);
  assert.equal(probed.bits(1), 0);
  const states = probed.keeper.viewOf(1)?.history.map(({ state }) => state);
  // back at once from down, by way of no other state
  assert.deepEqual(states?.slice(-2), ['down', 'up']);
});

test('one outage is one change, although traffic sees it before the probe does', () => {
  const probed = start();
  probed.keeper.apply(snapshotOf());
  probed.clock.advance(10);
  probed.refusing.add(1);
  probed.keeper.onStreak(1, 'connect-refused', 3);
  assert.equal(probed.keeper.viewOf(1)?.state, 'refusing');
  probed.clock.advance(7_500);
  assert.equal(probed.keeper.viewOf(1)?.state, 'down');
  probed.refusing.clear();
  probed.clock.advance(7_500);
  const states = probed.keeper.viewOf(1)?.history.map(({ state }) => state);
  assert.deepEqual(states, ['up', 'refusing', 'up']);
});

test('the last eligible server is never ejected', () => {
  const { keeper, bits } = start();
  keeper.apply(snapshotOf({ probe: null, ports: [1, 2] }));
  keeper.onStreak(1, 'connect-refused', 3);
  keeper.onStreak(2, 'connect-refused', 3);
  assert.deepEqual([bits(1), bits(2)], [Verdict.REFUSING, 0]);
});

test('apply() keeps verdicts over a reload and resets the slot of a new owner', () => {
  const { keeper, clock, refusing, bits } = start();
  refusing.add(1);
  keeper.apply(snapshotOf({ ports: [1, 2] }));
  keeper.setDraining(2, true);
  clock.advance(10);
  keeper.apply(snapshotOf({ ports: [1, 2, 3] }));
  assert.deepEqual(
    [bits(1), bits(2), bits(3)],
    [Verdict.PROBE_DOWN, Verdict.DRAINING, Verdict.PROBE_DOWN],
  );
  keeper.apply(snapshotOf({ ports: [1] }));
  assert.equal(
    bits(2),
    Verdict.DRAINING,
    'the word of a removed server stays: an old table may pick it',
  );
  assert.equal(keeper.viewOf(2), null);
  keeper.apply(snapshotOf({ ports: [1, 2], probe: null }));
  assert.deepEqual([bits(1), bits(2)], [0, 0]);
});

test('a probe that is added to a server in traffic does not take it out first', () => {
  const { keeper, clock, refusing, bits } = start();
  keeper.apply(snapshotOf({ probe: null }));
  refusing.add(1);
  keeper.apply(snapshotOf());
  assert.equal(bits(1), 0);
  clock.advance(2_500);
  assert.equal(bits(1), Verdict.PROBE_DOWN);
});

test('setDraining() and an unresolved name set their bits, also before apply()', () => {
  const { keeper, clock, bits, tried } = start();
  keeper.setDraining(1, true);
  keeper.apply(snapshotOf({ ports: [1], isResolved: false }));
  assert.equal(bits(1), Verdict.DRAINING | Verdict.UNRESOLVED | Verdict.PROBE_DOWN);
  assert.equal(keeper.viewOf(1)?.state, 'unresolved');
  clock.advance(5_000);
  assert.equal(tried.length, 0);
  keeper.apply(snapshotOf({ ports: [1] }));
  clock.advance(2);
  assert.equal(bits(1), Verdict.DRAINING);
  assert.equal(keeper.viewOf(1)?.state, 'draining');
  keeper.setDraining(1, false);
  assert.equal(bits(1), 0);
});

test('weight 0 ends an ejection; stop() leaves no timer', () => {
  const { keeper, clock, bits } = start();
  keeper.apply(snapshotOf());
  keeper.onStreak(1, 'connect-refused', 3);
  keeper.apply(snapshotOf({ weight: 0 }));
  assert.equal(bits(1) & Verdict.REFUSING, 0);
  keeper.stop();
  assert.equal(clock.pending, 0);
});

test('first probes of many servers are spread, sixteen at a time', () => {
  const { keeper, clock, tried } = start();
  keeper.apply(snapshotOf({ ports: Array.from({ length: 100 }, (_, index) => index + 1) }));
  clock.advance(0);
  assert.equal(tried.length, 16);
  clock.advance(60);
  assert.equal(tried.length, 100);
});

test('a server that fails far more than its peers is ejected, and again after a short proof', () => {
  const { keeper, clock, bits, counts } = start();
  keeper.apply(snapshotOf({ probe: null, ports: [1, 2, 3, 4, 5] }));
  const second = (sick: number): void => {
    for (const slot of [1, 2, 3, 4, 5]) {
      const { good, faults } = counts.get(slot) ?? { good: 0, faults: 0 };
      const bad = slot === sick && bits(slot) === 0 ? 6 : 0;
      counts.set(slot, { good: good + (bits(slot) === 0 ? 20 - bad : 0), faults: faults + bad });
    }
    clock.advance(1_000);
  };
  second(0);
  assert.equal(keeper.viewOfPool('web')?.condition, 'well');
  second(2);
  assert.equal(bits(2), Verdict.EJECTED);
  assert.match(keeper.viewOf(2)?.why ?? '', /30% of its last 20 attempts failed.*out for 30 s/);
  assert.equal(keeper.viewOfPool('web')?.condition, 'degraded');
  const out: number[] = [];
  for (let at = 0; at < 180; at++) {
    second(2);
    if (bits(2) === 0) out.push(at);
  }
  // Out for 30 s, in for one look, out for 60 s, in, out for 90 s.
  assert.ok(out.length <= 3, `${out}`);
  second(0);
  keeper.apply(snapshotOf({ probe: null, ports: [1, 2, 3, 4, 5], outlier: null }));
  assert.equal(bits(2), 0, 'what is switched off ejects nobody');
});

test('when most servers turn bad the pool is in panic, says so and keeps everyone', () => {
  const { keeper, clock, bits, counts } = start();
  const ports = [1, 2, 3, 4, 5];
  keeper.apply(snapshotOf({ probe: null, ports }));
  const second = (isSick: (slot: number) => boolean): void => {
    for (const slot of ports) {
      const { good, faults } = counts.get(slot) ?? { good: 0, faults: 0 };
      const sick = isSick(slot);
      counts.set(slot, { good: good + (sick ? 14 : 20), faults: faults + (sick ? 6 : 0) });
    }
    clock.advance(1_000);
  };
  second(() => false);
  second((slot) => slot === 1);
  assert.equal(bits(1), Verdict.EJECTED);
  for (let at = 0; at < 4; at++) second(() => true);
  assert.deepEqual(ports.map(bits), [0, 0, 0, 0, 0]);
  const view = keeper.viewOfPool('web');
  assert.equal(view?.condition, 'panic');
  assert.match(view.why, /5 of 5 servers fail.*traffic goes on/);
  for (let at = 0; at < 12; at++) second(() => false);
  assert.equal(keeper.viewOfPool('web')?.condition, 'well');
});

test('reportOf() tells why a server is out, since when and what comes next', () => {
  const { keeper, clock, refusing } = start();
  assert.equal(keeper.reportOf('web'), null);
  keeper.apply(snapshotOf({ ports: [1, 2, 3, 4, 5] }));
  clock.advance(10);
  refusing.add(1);
  clock.advance(7_490);
  keeper.onStreak(2, 'upstream-timeout', 5);
  keeper.setDraining(4, true);
  clock.advance(500);
  const report = keeper.reportOf('web');
  assert.equal(report?.condition, 'degraded');
  const [down, ejected, up, draining] = report.servers;
  assert.equal(down?.state, 'down');
  // Probes of 1 ms each end at 5,002, 6,003 and 7,004 ms.
  assert.equal(down.sinceMs, 1_007_004);
  assert.equal(down.why, 'its probe tcp fails: connect refused, 3 times in a row');
  assert.equal(
    down.next,
    'back in about 5 s if tcp passes 2 times in a row; the next try is in 4 s',
  );
  const probed = down.probes[0];
  assert.equal(probed?.inARow, -3);
  assert.deepEqual(
    probed.results.map(({ isPass, reason }) => `${isPass} ${reason}`),
    ['true connected', ...Array<string>(3).fill('false connect refused')],
  );
  assert.equal(
    ejected?.next,
    'back in 30 s, then on trial: a few faults suffice for the next ejection, which lasts longer',
  );
  assert.equal(ejected.ejections, 1);
  assert.equal(ejected.decisions[0]?.atMs, 1_007_500);
  assert.deepEqual([up?.state, up?.next], ['up', null]);
  assert.match(draining?.next ?? '', /evenkeel ready web\/10\.0\.0\.1:4$/);
  keeper.stop();
});

test('a breaker opens, says why, tries and closes; without one its word is closed', () => {
  const { keeper, clock, words, counts } = start();
  const breaker = {
    errorsRatio: 0.5,
    volumeMin: 20,
    windowMs: 10_000,
    openMs: 10_000,
    trials: 5,
  };
  const ports = [1, 2];
  keeper.apply(snapshotOf({ probe: null, ports, outlier: null, breaker }));
  clock.advance(1_000);
  counts.set(1, { good: 0, faults: 30 });
  clock.advance(1_000);
  assert.equal(words.breaker[0], -1);
  assert.equal(keeper.viewOfPool('web')?.condition, 'open');
  assert.match(keeper.viewOfPool('web')?.why ?? '', /30 of the last 30 attempts failed/);
  clock.advance(10_000);
  assert.equal(words.breaker[0], 6);
  counts.set(2, { good: 5, faults: 0 });
  clock.advance(1_000);
  assert.equal(words.breaker[0], 0);
  assert.deepEqual(
    keeper.reportOf('web')?.breaker?.map(({ state }) => state),
    ['open', 'half-open', 'closed'],
  );
  words.breaker[0] = -1;
  keeper.apply(snapshotOf({ probe: null, ports, outlier: null }));
  assert.equal(words.breaker[0], 0);
  keeper.stop();
  assert.equal(clock.pending, 0);
});
