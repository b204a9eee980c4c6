import { eligibleGroups } from '../../balance/groups.ts';
import { WeightSource, weightFactorBy, weightFactorOf } from '../../balance/weight-factor.ts';
import { soonText } from '../../base/duration-text.ts';
import type { SharedWords } from '../../model/shared-memory.ts';
import type { Pool, Server } from '../../model/snapshot.ts';
import type { Clock } from '../../platform/clock.ts';
import type {
  PoolHealthReport,
  PoolLoadReport,
  ProbeReport,
  ServerHealthReport,
} from '../report/health-report.ts';
import { evidenceOf, nextOf } from './health-words.ts';
import type { PoolHealth } from './pool-health.ts';
import { labelOf } from './probe-set.ts';
import type { ServerHealth } from './server-health.ts';
import type { ServerProbe } from './server-probe.ts';
import type { SlowStarts } from './slow-starts.ts';

/** What a report is made of besides the pool. */
export interface HealthReportMeans {
  readonly clock: Clock;
  readonly words: SharedWords;
  readonly ramps: SlowStarts;
  /** When what still runs on a drained server is closed, epoch ms; null = never. */
  readonly drainedUntil: (pool: string, address: string) => number | null;
}

/** Everything that is known of a pool's health. Cost: one pass over its servers and their histories. */
export function reportHealth(
  pool: PoolHealth,
  servers: readonly ServerHealth[],
  means: HealthReportMeans,
): PoolHealthReport {
  const { clock, words } = means;
  const plain = pool.pool;
  const verdictOf = (slot: number): number => Atomics.load(words.verdict, slot);
  const { groups } = eligibleGroups(plain.servers, verdictOf, plain.balancing);
  const taking = new Set(groups.flatMap((group) => group.servers.map(({ slot }) => slot)));
  const bySlot = new Map(plain.servers.map((server) => [server.slot, server]));
  return {
    pool: pool.name,
    atMs: clock.wallMs(),
    ...pool.view(),
    next: nextOfPool(pool, words, clock.nowMs()),
    load: loadOf(plain, words),
    breaker:
      pool.breakerChanges?.map((change) => ({ ...change, atMs: epochOf(clock, change.atMs) })) ??
      null,
    servers: servers.flatMap((health) => {
      const server = bySlot.get(health.slot);
      if (server === undefined) return [];
      const takesTraffic = taking.has(health.slot) && weightFactorOf(words, health.slot) > 0;
      return [reportServer(health, { server, pool, takesTraffic }, means)];
    }),
  };
}

/** Verdicts keep the monotonic time; people want the calendar's. */
function epochOf(clock: Clock, atMs: number): number {
  return Math.round(clock.wallMs() - (clock.nowMs() - atMs));
}

function nextOfPool(pool: PoolHealth, words: SharedWords, nowMs: number): string | null {
  const last = pool.breakerChanges?.at(-1);
  const { breaker, slot } = pool.pool;
  if (last === undefined || breaker === null) return null;
  if (last.state === 'open') {
    const inMs = last.atMs + breaker.openMs - nowMs;
    return `${breaker.trials} requests are let through in ${soonText(inMs)} to try it; until then all are answered 503, or go to the fallback of their route`;
  }
  if (last.state === 'half-open') {
    const left = Math.max(0, Atomics.load(words.breaker, slot) - 1);
    return `${left} of ${breaker.trials} trial requests are still to come; it closes when enough of them end well`;
  }
  return null;
}

/** What runs and waits, and what that means for the next request. */
function loadOf(pool: Pool, words: SharedWords): PoolLoadReport {
  const inFlight = pool.servers.reduce((sum, { slot }) => sum + words.inFlight[slot]!, 0);
  const waiting = Atomics.load(words.poolQueued, pool.slot);
  const queueSize = pool.queue?.size ?? null;
  const inFlightMax = pool.connectionsMax > 0 ? pool.connectionsMax : null;
  const isFull = isPoolFull(pool, words);
  return {
    inFlight,
    inFlightMax,
    waiting,
    queueSize,
    says: isFull || waiting > 0 ? crowdText(pool, waiting, isFull) : null,
  };
}

function isPoolFull(pool: Pool, words: SharedWords): boolean {
  const most = pool.connectionsMax;
  if (most > 0 && Atomics.load(words.poolInFlight, pool.slot) >= most) return true;
  const fit = pool.servers.filter(
    ({ slot, weight }) => weight > 0 && Atomics.load(words.verdict, slot) === 0,
  );
  const isFull = ({ slot, connectionsMax }: Server): boolean =>
    connectionsMax > 0 && Atomics.load(words.inFlight, slot) >= connectionsMax;
  return fit.length > 0 && fit.every(isFull);
}

function crowdText({ queue }: Pool, waiting: number, isFull: boolean): string {
  const full = isFull ? 'every place is taken' : 'requests wait for places';
  if (queue === null) return `${full}: further requests are answered 503, as it has no queue`;
  const places = `${waiting} of ${queue.size} places in the queue are taken`;
  return waiting < queue.size
    ? `${full}, ${places}: further requests wait, for ${soonText(queue.timeoutMs)} at most`
    : `${full}, ${places}: further requests are answered 503 until one is free`;
}

function reportServer(
  health: ServerHealth,
  of: { readonly server: Server; readonly pool: PoolHealth; readonly takesTraffic: boolean },
  { clock, words, ramps, drainedUntil }: HealthReportMeans,
): ServerHealthReport {
  const { slot, address, state, history, probes } = health;
  const { server, pool, takesTraffic } = of;
  const { judge } = pool;
  const { good, faults, medianUs } = pool.traffic.recordOf(slot);
  const epochMs = (atMs: number): number => epochOf(clock, atMs);
  const last = history.at(-1);
  const ramp = ramps.rampOf(slot);
  const inFlight = Atomics.load(words.inFlight, slot);
  const facts = {
    ...{ health, server, judge, takesTraffic, inFlight },
    closesAtMs: drainedUntil(health.pool, address),
    nowMs: clock.nowMs(),
    wallMs: clock.wallMs(),
  };
  return {
    address,
    state,
    takesTraffic,
    why: evidenceOf(facts),
    sinceMs: last !== undefined && last.state === state ? last.atMs : null,
    next: nextOf(facts),
    traffic: {
      attempts: good + faults,
      failed: faults,
      medianMs: medianUs === null ? null : Math.round(medianUs / 10) / 100,
    },
    ejections: judge?.countOf(slot) ?? 0,
    weight: server.weight,
    weightFactor: probes?.factor ?? 1,
    toldFactor: weightFactorBy(words, WeightSource.LOAD, slot),
    slowStart: ramp === null ? null : { ...ramp, wholeAtMs: epochMs(ramp.wholeAtMs) },
    inFlight,
    inFlightMax: server.connectionsMax > 0 ? server.connectionsMax : null,
    probes: (probes?.probes ?? []).map((probe) => reportProbe(probe, epochMs)),
    history,
    decisions: (judge?.history(slot) ?? []).map(({ atMs, kind, reason }) => ({
      atMs: epochMs(atMs),
      kind,
      reason,
    })),
  };
}

function reportProbe(
  { probe, verdict, reason }: ServerProbe,
  epochMs: (atMs: number) => number,
): ProbeReport {
  return {
    probe: labelOf(probe),
    isUp: verdict.isUp,
    why: reason,
    inARow: verdict.streak,
    nextAtMs: epochMs(verdict.nextAtMs),
    results: verdict.history().map(({ atMs, isPass, reason: why, durationMs }) => ({
      atMs: epochMs(atMs),
      isPass,
      reason: why,
      durationMs: Math.round(durationMs),
    })),
  };
}
