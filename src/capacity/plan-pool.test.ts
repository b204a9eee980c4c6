import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../base/prng.ts';
import type { ServerMeasure } from './measure-server.ts';
import { type PoolFacts, type PoolPast, type PoolPlan, planPool } from './plan-pool.ts';
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
