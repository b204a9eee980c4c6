import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attachWords, Verdict } from '../model/shared-memory.ts';
import { simulationSvg } from './report-svg.ts';
import { simulationText } from './report-table.ts';
import { runScenario } from './run.ts';
import { scenarioOf, shippedScenario, shippedScenarios } from './test-scenario.ts';
import type { World } from './world.ts';

const small = scenarioOf(`
says: Five servers, one of which fails half of its requests for a while.
duration: 12s
pool: { probe: { path: /healthz, interval: 1s } }
servers: [{ count: 5, service: 10ms, maxConnections: 50 }]
clients: { rate: 200, timeout: 4s, posts: 20% }
events: [{ at: 4s, servers: 2, errors: { share: 50%, status: 503 }, for: 4s }]
`);

test('runScenario(): equal seeds give equal runs, other seeds and policies give others', () => {
  const first = runScenario(small, 'p2c', 7);
  assert.deepEqual(runScenario(small, 'p2c', 7), first);
  assert.notEqual(runScenario(small, 'p2c', 8).digest, first.digest);
  assert.notEqual(runScenario(small, 'round-robin', 7).digest, first.digest);
});

test('runScenario(): every request of every shipped scenario ends, and nothing happens that must not', () => {
  for (const name of shippedScenarios) {
    const scenario = shippedScenario(name);
    const result = runScenario(scenario, scenario.policies.at(-1) ?? null, 11);
    assert.deepEqual(result.violations, [], name);
    assert.ok(result.requests > 5_000, `${name}: ${result.requests}`);
    assert.ok(result.checks > result.requests, `${name}: ${result.checks} checks`);
  }
});

/** Ways to break the world while it runs, and what the invariants must say of each. */
const breaks: readonly (readonly [says: RegExp, change: (world: World) => void])[] = [
  [/has -\d+ in flight$/, (world) => void Atomics.sub(attachWords(world.shared).inFlight, 0, 100)],
  [/has \d+ in flight, its workers \d+$/, (world) => void attachWords(world.shared).inFlight[0]!++],
  [
    /^invariant: a place is given back once/,
    (world) => {
      const { inFlightByWorker } = attachWords(world.shared);
      inFlightByWorker[inFlightByWorker.length / 2]! -= 100;
    },
  ],
  [
    /keeps 1 in flight after the last request/,
    (world) => {
      const words = attachWords(world.shared);
      words.inFlight[3]! += 1;
      words.inFlightByWorker[3]! += 1;
    },
  ],
  [
    /the retry budget fell to -1\d{4} thousandths/,
    (world) => void Atomics.store(attachWords(world.shared).retryTokens, 0, -20_000),
  ],
  [/is ejected though no other server is well/, (world) => eject(world, 5, Verdict.REFUSING)],
  [/3 of 5 servers are softly ejected, above 1/, (world) => eject(world, 3, Verdict.EJECTED)],
  [
    /is picked though its verdict is 1/,
    // The epoch stays, so pickers do not learn of it.
    (world) => void Atomics.store(attachWords(world.shared).verdict, 1, Verdict.PROBE_DOWN),
  ],
  [
    /is picked without a place on it/,
    (world) => void Atomics.sub(attachWords(world.shared).inFlight, 0, 20),
  ],
  [
    /above its limit of 50/,
    (world) => {
      const words = attachWords(world.shared);
      const server = world.servers[0]!;
      words.inFlight[0]! += 60;
      world.invariants.onPicked(server);
      words.inFlight[0]! -= 60;
    },
  ],
  [
    /^POST \d+ is sent a second time/,
    (world) => {
      const [request] = world.clients.open.values();
      for (let time = 0; time < 2; time++) {
        world.invariants.onSent(world.servers[0]!, request!.id, true);
      }
    },
  ],
  [
    /^request \d+ was never ended/,
    (world) => {
      const [request] = world.clients.open.values();
      world.clients.open.set(-1, request!);
    },
  ],
  [
    /^3 requests wait in a queue of 0/,
    (world) => void Atomics.add(attachWords(world.shared).poolQueued, 0, 3),
  ],
  [
    /^1 requests wait, by the workers' count 0/,
    (world) => void Atomics.add(attachWords(world.shared).poolQueued, 0, 1),
  ],
  [
    /^the pool keeps 1 in flight after the last request/,
    (world) => void Atomics.add(attachWords(world.shared).poolInFlight, 0, 1),
  ],
  [
    /^the pool has -1 in flight/,
    (world) => void Atomics.sub(attachWords(world.shared).poolInFlight, 0, 1),
  ],
  [/^\d+ requests came, \d+ ended in the books/, (world) => void world.clients.sent++],
];

function eject(world: World, count: number, bit: number): void {
  const words = attachWords(world.shared);
  for (let slot = 0; slot < count; slot++) Atomics.store(words.verdict, slot, bit);
  Atomics.add(words.epoch, 0, 1);
}

for (const [says, change] of breaks) {
  test(`Invariants report a world that is broken so: ${says.source}`, () => {
    const short = { ...small, durationUs: 4_000_000, events: [] };
    const result = runScenario(short, 'p2c', 3, (world) => {
      // Not on a round time: then some requests are under way.
      world.timeline.call(3_000_123, () => whenBusy(world, () => change(world)));
    });
    const said = result.violations.map(({ what }) => what);
    assert.ok(
      said.some((what) => says.test(what)),
      said.join('; ') || 'nothing was reported',
    );
  });
}

/** Waits for a time at which requests are open. */
function whenBusy(world: World, run: () => void): void {
  if (world.clients.open.size > 0) run();
  else world.timeline.call(777, () => whenBusy(world, run));
}

test('one server ten times slower: p99 of policies that see load is a fifth of round robin’s at most', () => {
  const scenario = shippedScenario('slow-server');
  const slow = runScenario(scenario, 'round-robin', 1);
  for (const policy of scenario.policies.filter((name) => !/^(round-robin|random)$/.test(name))) {
    const { p99Us, violations } = runScenario(scenario, policy, 1);
    assert.deepEqual(violations, []);
    assert.ok(p99Us * 5 <= slow.p99Us, `${policy}: ${p99Us} µs, round-robin: ${slow.p99Us} µs`);
  }
});

test('retry storm: attempts at servers are at most 1.25 times the requests of clients', () => {
  const result = runScenario(shippedScenario('retry-storm'), null, 5);
  assert.ok(result.attemptsPerRequest <= 1.25, `${result.attemptsPerRequest}`);
});

test('a balancer that stands still for three seconds ejects nobody', () => {
  const result = runScenario(shippedScenario('clock-jump'), null, 5);
  assert.deepEqual(result.happenings, []);
  assert.equal(result.failureRatio, 0);
});

test('overload: limits and a queue refuse what is too much at once and keep answers quick', () => {
  const result = runScenario(shippedScenario('overload'), 'p2c', 5);
  assert.ok(result.waits > 10_000, `${result.waits}`);
  assert.ok(result.p999Us < 500_000, `${result.p999Us}`);
  assert.deepEqual(
    result.reasons.map(({ reason }) => reason),
    ['queue-full'],
  );
  assert.equal(result.gaveUp + result.cut, 0);
  assert.equal(result.queueLongest, 0);
});

test('circuit breaker: servers are spared while they fail, tried now and then, and back afterwards', () => {
  const { reasons, errors, servers, happenings } = runScenario(
    shippedScenario('circuit-breaker'),
    'p2c',
    5,
  );
  const refused = reasons.find(({ reason }) => reason === 'circuit-open')?.count ?? 0;
  const failed = servers.reduce((sum, server) => sum + server.errors, 0);
  assert.equal(errors, refused + failed);
  assert.ok(failed < refused / 5, `${failed} failed, ${refused} refused`);
  assert.match(happenings.at(-1)?.what ?? '', /circuit closed/);
});

test('thousands of servers with probes are routine', () => {
  const many = scenarioOf(`
says: Many.
duration: 3s
pool: { probe: { path: /healthz, interval: 2s } }
servers: [{ count: 4096, service: 10ms }]
clients: { rate: 5000, timeout: 2s }
`);
  const result = runScenario(many, 'p2c', 1);
  assert.deepEqual(result.violations, []);
  assert.equal(result.ok, result.requests);
  assert.ok(result.requests > 11_000);
});

test('simulationText() and simulationSvg() name every policy and server', () => {
  const results = ['p2c', 'round-robin'].map((policy) => runScenario(small, policy, 1));
  const text = simulationText(small, 1, results);
  const svg = simulationSvg(small, 1, results);
  for (const word of ['p2c', 'round-robin', 'server-5:80']) {
    assert.ok(text.includes(word), text);
    assert.ok(svg.includes(word), word);
  }
  assert.match(svg, /^<svg [\s\S]*<\/svg>\n$/);
  assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
});
