import { holdMs } from '../../health/hold.ts';
import type { OutlierJudge } from '../../health/outlier.ts';
import type { Clock } from '../../platform/clock.ts';
import type { PoolHealthReport, ProbeReport, ServerHealthReport } from '../report/health-report.ts';
import type { PoolHealth } from './pool-health.ts';
import { labelOf } from './probe-set.ts';
import type { ServerHealth } from './server-health.ts';
import type { ServerProbe } from './server-probe.ts';

/** Everything that is known of a pool's health. Cost: one pass over its servers and their histories. */
export function reportHealth(
  pool: PoolHealth,
  servers: readonly ServerHealth[],
  clock: Clock,
): PoolHealthReport {
  return {
    pool: pool.name,
    atMs: clock.wallMs(),
    ...pool.view(),
    breaker:
      pool.breakerChanges?.map((change) => ({ ...change, atMs: epochOf(clock, change.atMs) })) ??
      null,
    servers: servers.map((server) => reportServer(server, pool, clock)),
  };
}

/** Verdicts keep the monotonic time; people want the calendar's. */
function epochOf(clock: Clock, atMs: number): number {
  return Math.round(clock.wallMs() - (clock.nowMs() - atMs));
}

function reportServer(server: ServerHealth, pool: PoolHealth, clock: Clock): ServerHealthReport {
  const { slot, address, state, why, history, probes } = server;
  const { judge } = pool;
  const { good, faults, medianUs } = pool.traffic.recordOf(slot);
  const epochMs = (atMs: number): number => epochOf(clock, atMs);
  const last = history.at(-1);
  return {
    address,
    state,
    why,
    sinceMs: last !== undefined && last.state === state ? last.atMs : null,
    next: nextOf(server, judge, clock.nowMs()),
    traffic: {
      attempts: good + faults,
      failed: faults,
      medianMs: medianUs === null ? null : Math.round(medianUs / 10) / 100,
    },
    ejections: judge?.countOf(slot) ?? 0,
    weightFactor: probes?.factor ?? 1,
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

/** When and how a server is tried again. */
function nextOf(server: ServerHealth, judge: OutlierJudge | null, nowMs: number): string | null {
  const { slot, state, pool, address } = server;
  switch (state) {
    case 'unresolved':
      return 'it is back as soon as its name has an address';
    case 'down':
      return nextProbe(server, nowMs);
    case 'refusing': {
      const heldMs = holdMs(judge?.countOf(slot) ?? 0);
      const forLong =
        heldMs === 0 ? '' : ` for ${seconds(heldMs)}, as it refused several times lately`;
      return `a connection is tried every second; it is back when they succeed${forLong}`;
    }
    case 'ejected': {
      const untilMs = judge?.ejectedUntilMs(slot) ?? nowMs;
      return `it is back in ${seconds(untilMs - nowMs)} and then has to prove itself`;
    }
    case 'draining':
      return server.isDrained
        ? `it is back with: evenkeel ready ${pool}/${address}`
        : 'it is back when its agent says ready';
    case 'up':
      return judge?.isProving(slot, nowMs) === true
        ? 'it proves itself after an ejection: a few faults suffice for the next one'
        : null;
  }
}

function nextProbe({ probes }: ServerHealth, nowMs: number): string {
  const down = (probes?.probes ?? []).filter(({ verdict }) => !verdict.isUp);
  const said = down.map(({ probe, verdict, agent }) => {
    const when = `${labelOf(probe)} is tried in ${seconds(Math.max(0, verdict.nextAtMs - nowMs))}`;
    if (agent !== null) return `${when} and must say up or ready`;
    const left = verdict.passesLeft;
    const held = verdict.holdMs;
    const forLong =
      held === 0
        ? ''
        : `, without a break for ${seconds(held)}, as it went down several times lately`;
    return `${when} and must pass ${left} more ${left === 1 ? 'time' : 'times'}${forLong}`;
  });
  return said.join('; ');
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
