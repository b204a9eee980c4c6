import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../base/prng.ts';
import type { ServerMeasure } from './measure-server.ts';
import { type PoolFacts, type PoolPast, planPool } from './plan-pool.ts';
import { type SyntheticServer, SyntheticService } from './synthetic-service.fixture.ts';

const DAY_MS = 86_400_000;
const STEP_MS = 300_000;
/** Of each five minutes so much is simulated: more chance in the figures than a balancer sees. */
const SEEN_MS = 30_000;
const startMs = Date.UTC(2026, 9, 5);

interface Case {
  readonly server: SyntheticServer;
  readonly servers: number;
  readonly days: number;
  /** Load of a server at a time, as a share of its saturation. */
  readonly loadAt: (atMs: number) => number;
}

/** What a balancer would have recorded of a pool of such servers. */
function pastOf({ server, servers, days, loadAt }: Case, random: () => number): PoolPast {
  const service = new SyntheticService(server, random);
  const saturation = (server.places * 1_000) / server.serviceMs;
  const measures: ServerMeasure[] = [];
  const rates: PoolPast['rates'][number][] = [];
  for (let atMs = startMs + STEP_MS; atMs <= startMs + days * DAY_MS; atMs += STEP_MS) {
    const seen = service.run(saturation * loadAt(atMs), SEEN_MS);
    measures.push({ ...seen, spanMs: SEEN_MS, inServer: seen.busyMs / SEEN_MS });
    // All servers over all five minutes: the sum of so many arrivals is off by its square root.
    const arrivals = saturation * loadAt(atMs) * servers * (STEP_MS / 1_000);
    const chance = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const rate = (arrivals + chance * Math.sqrt(arrivals)) / (STEP_MS / 1_000);
    rates.push({ atMs, spanMs: STEP_MS, rate });
  }
  const last = rates.at(-1)?.rate ?? 0;
  return { measures, rates, now: { rate: last, meanMs: server.serviceMs } };
}

/** From a third at night to the peak in the afternoon. */
function daily(atMs: number, peak: number): number {
  const share = (atMs % DAY_MS) / DAY_MS;
  return peak * (0.33 + 0.67 * Math.max(0, Math.sin((share - 0.25) * 2 * Math.PI)) ** 0.5);
}

const facts: PoolFacts = {
  name: 'web',
  serversUp: 3,
  connectionsMax: 0,
  p99TargetMs: null,
  loadMax: 0.8,
};
const nowMs = startMs + 30 * DAY_MS;

test('planPool() finds saturation within 10 % and the servers needed in 9 of 10 seeded cases', (context) => {
  let exact = 0;
  for (let seed = 1; seed <= 10; seed++) {
    const random = createRandom(seed);
    const between = (low: number, high: number): number => low + random() * (high - low);
    const server: SyntheticServer = {
      places: Math.round(between(1, 12)),
      serviceMs: between(10, 100),
      work: random() < 0.5 ? 'fixed' : 'exponential',
    };
    const servers = Math.round(between(2, 6));
    const peak = between(0.75, 0.92);
    const growth = between(1.3, 3);
    const past = pastOf({ server, servers, days: 5, loadAt: (at) => daily(at, peak) }, random);
    const question = { growth, untilMs: null, nowMs };
    const said = planPool({ ...facts, serversUp: servers }, past, question, random);
    const saturation = (server.places * 1_000) / server.serviceMs;
    // The peak is asked `growth` times, each server may have 80 % of what it can do, one is lost.
    const needed = Math.ceil((growth * servers * peak) / 0.8) + 1;
    assert.ok(said.server.isKnown, `seed ${seed}: ${JSON.stringify(said.server)}`);
    const error = said.server.saturation / saturation - 1;
    const wanted = said.wanted?.withOneLost;
    context.diagnostic(
      `seed ${seed}: ${server.places} × ${server.serviceMs.toFixed(1)} ms ${server.work}, peak ${peak.toFixed(2)}: ` +
        `${(error * 100).toFixed(1)} %, servers ${wanted} (${said.wanted?.low}–${said.wanted?.high}) of ${needed}`,
    );
    assert.ok(Math.abs(error) < 0.1, `seed ${seed}: off by ${(error * 100).toFixed(1)} %`);
    if (wanted === needed) exact++;
  }
  assert.ok(exact >= 9, `${exact} of 10`);
});

const alike: SyntheticServer = { places: 4, serviceMs: 50, work: 'exponential' };

test('planPool() says that two hours of flat load tell neither limit nor future', () => {
  const random = createRandom(7);
  const past = pastOf({ server: alike, servers: 3, days: 1 / 12, loadAt: () => 0.4 }, random);
  const untilMs = nowMs + 90 * DAY_MS;
  const said = planPool(facts, past, { growth: null, untilMs, nowMs }, random);
  assert.equal(said.server.isKnown, false);
  assert.equal(said.forecast.isKnown, false);
  const { why } = said.forecast as { why: string };
  assert.match(why, /two weeks of whole days are required, there are 1\.\d hours/);
  assert.equal(said.wanted, null);
  assert.match(said.whyNot ?? '', /the load was flat|only \d+ requests/);
});

test('planPool() does not guess a limit that no request has felt', () => {
  const random = createRandom(8);
  // 16 places at a quarter of their load: hardly anyone ever waits.
  const server: SyntheticServer = { places: 16, serviceMs: 50, work: 'fixed' };
  const past = pastOf({ server, servers: 3, days: 1, loadAt: (at) => daily(at, 0.25) }, random);
  const said = planPool(facts, past, { growth: 2, untilMs: null, nowMs }, random);
  assert.equal(said.server.isKnown, false);
  assert.match(said.whyNot ?? '', /not in sight|very different limits/);
  // A quarter of 320/s was answered.
  const { atLeast } = said.server as { atLeast: number };
  assert.ok(Math.abs(atLeast - 80) < 12, `${atLeast}`);
});

test('planPool() finds the limit of a server that was overloaded', () => {
  const random = createRandom(9);
  const overloaded = (at: number): number => daily(at, 1.05);
  const past = pastOf({ server: alike, servers: 3, days: 1, loadAt: overloaded }, random);
  const said = planPool(facts, past, { growth: 1, untilMs: null, nowMs }, random);
  assert.ok(said.server.isKnown, JSON.stringify(said.server));
  // 4 places of 50 ms: 80/s.
  assert.ok(Math.abs(said.server.saturation - 80) < 8, `${said.server.saturation}`);
});

test('planPool() keeps to p99 and to maxConnections where they come first', () => {
  const random = createRandom(10);
  const past = pastOf(
    { server: alike, servers: 3, days: 2, loadAt: (at) => daily(at, 0.85) },
    random,
  );
  const question = { growth: 1, untilMs: null, nowMs };
  const by = (more: Partial<PoolFacts>): [string | undefined, number] => {
    const said = planPool({ ...facts, ...more }, past, question, createRandom(1));
    return [said.usable?.limitedBy, said.usable?.rate ?? 0];
  };
  const [load, rate] = by({});
  assert.equal(load, 'load');
  assert.ok(Math.abs(rate - 64) < 6, `${rate}`);
  // Exponential work of 50 ms has its p99 at 230 ms without any wait.
  const [p99, p99Rate] = by({ p99TargetMs: 260 });
  assert.equal(p99, 'p99');
  assert.ok(p99Rate > 20 && p99Rate < 62, `${p99Rate}`);
  // Two at a time of 50 ms are 40/s; 80 % of that is 32/s.
  const [places, placesRate] = by({ connectionsMax: 2 });
  assert.equal(places, 'maxConnections');
  assert.ok(Math.abs(placesRate - 32) < 3, `${placesRate}`);
});
