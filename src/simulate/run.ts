import { direct } from './director.ts';
import type { Violation } from './invariants.ts';
import type { Scenario } from './scenario.ts';
import type { CoursePoint } from './tally.ts';
import { type Happening, type ReasonCount, World } from './world.ts';

/** What one policy made of a scenario. Durations in µs; what lay in the warm-up is not counted. */
export interface RunResult {
  readonly policy: string;
  readonly requests: number;
  readonly ok: number;
  readonly errors: number;
  readonly gaveUp: number;
  readonly cut: number;
  readonly failureRatio: number;
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly longestUs: number;
  readonly servers: readonly ServerResult[];
  /** Mean wait in the servers' queues. */
  readonly queueMeanUs: number;
  /** Requests in the longest queue of any server. */
  readonly queueLongest: number;
  /** Attempts at servers per request of a client, over the whole run. */
  readonly attemptsPerRequest: number;
  readonly retries: number;
  readonly retriesDenied: number;
  /** Waits in the balancer's own queue. */
  readonly waits: number;
  /** What exchanges ended with that had no good end, the most frequent first. */
  readonly reasons: readonly ReasonCount[];
  /** Verdicts that changed, and why. */
  readonly happenings: readonly Happening[];
  readonly course: readonly CoursePoint[];
  readonly violations: readonly Violation[];
  readonly violationCount: number;
  /** Checks of invariants that were made. */
  readonly checks: number;
  /** Equal for equal runs. */
  readonly digest: string;
  readonly events: number;
}

/** One server's part. */
export interface ServerResult {
  readonly address: string;
  readonly served: number;
  readonly share: number;
  readonly errors: number;
  readonly queueMeanUs: number;
  readonly queueLongest: number;
}

/**
 * Runs a scenario once with a policy (null: the pool's own). The same scenario, policy and seed give
 * the same result. `prepare` may change the world before it starts: for tests that break it.
 */
export function runScenario(
  scenario: Scenario,
  policy: string | null,
  seed: number,
  prepare: (world: World) => void = () => {},
): RunResult {
  const pool =
    policy === null
      ? scenario.pool
      : { ...scenario.pool, policy: policy as typeof scenario.pool.policy };
  const world = new World(scenario, pool, seed);
  direct(world);
  prepare(world);
  world.run();
  return resultOf(world, pool.policy);
}

function resultOf(world: World, policy: string): RunResult {
  const { tally, invariants, servers, retries } = world;
  const served = servers.reduce((sum, server) => sum + server.served, 0);
  const waitedUs = servers.reduce((sum, server) => sum + server.waitedUs, 0);
  const { sent } = world.clients;
  return {
    policy,
    requests: tally.requests,
    ok: tally.ok,
    errors: tally.errors,
    gaveUp: tally.gaveUp,
    cut: tally.cut,
    failureRatio: tally.failureRatio,
    p50Us: tally.latencyUs(0.5),
    p90Us: tally.latencyUs(0.9),
    p99Us: tally.latencyUs(0.99),
    p999Us: tally.latencyUs(0.999),
    longestUs: tally.latencyLongestUs,
    servers: servers.map((server) => ({
      address: server.address,
      served: server.served,
      share: served === 0 ? 0 : server.served / served,
      errors: server.errors,
      queueMeanUs: server.served === 0 ? 0 : server.waitedUs / server.served,
      queueLongest: server.queueLongest,
    })),
    queueMeanUs: served === 0 ? 0 : waitedUs / served,
    queueLongest: servers.reduce((most, server) => Math.max(most, server.queueLongest), 0),
    attemptsPerRequest: sent === 0 ? 0 : (sent + invariants.repeats) / sent,
    retries: retries.made,
    retriesDenied: retries.denied,
    waits: world.waits,
    reasons: world.reasons,
    happenings: world.happenings,
    course: tally.course,
    violations: invariants.violations,
    violationCount: invariants.count,
    checks: invariants.checks,
    digest: world.digest.text,
    events: world.timeline.steps,
  };
}
