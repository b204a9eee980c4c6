import type { Breaker, Outlier, Pool, Probe } from '../../model/snapshot.ts';
import type { CheckedBreaker, CheckedOutlier, CheckedPool, CheckedProbe } from './checked.ts';
import { statusRange } from './forms.ts';

/** The probes of a pool with their defaults. */
export function buildProbes(pool: CheckedPool): Pick<Pool, 'probes' | 'probeRule'> {
  const written = pool.probe === undefined ? (pool.probes ?? []) : [pool.probe];
  return { probes: written.map(buildProbe), probeRule: pool.probeRule ?? 'all' };
}

function buildProbe(probe: CheckedProbe): Probe {
  const type = probe.type ?? 'http';
  const intervalMs = probe.interval ?? 5_000;
  return {
    type,
    port: probe.port ?? null,
    method: probe.method ?? 'GET',
    path: probe.path ?? '/',
    host: probe.host ?? null,
    headers: Object.fromEntries(probe.headers ?? []),
    intervalMs,
    fastIntervalMs: probe.fastInterval ?? Math.min(intervalMs, 1_000),
    downIntervalMs: probe.downInterval ?? intervalMs,
    timeoutMs: probe.timeout ?? 2_000,
    rise: probe.rise ?? 2,
    fall: probe.fall ?? 3,
    jitterRatio: probe.jitter ?? 0.2,
    expect: type === 'http' ? rangesOf(probe.expect) : [],
    bodyText: probe.body ?? null,
    bodyJson: jsonOf(probe.bodyJson),
    send: probe.send ?? null,
    receive: type === 'tcp' ? (probe.expect?.[0] ?? null) : null,
    command: probe.command ?? null,
    args: probe.args ?? [],
    isWeightByExit: probe.weightByExit ?? false,
    startState: probe.startState ?? 'down',
  };
}

/** Statuses; what is none was refused before. */
function rangesOf(written: readonly string[] = ['200-399']): Probe['expect'] {
  return written.flatMap((text) => {
    const read = statusRange.read(text);
    return 'value' in read ? [read.value as readonly [number, number]] : [];
  });
}

function jsonOf(written: CheckedProbe['bodyJson']): Probe['bodyJson'] {
  const { path, equals } = written ?? {};
  return path === undefined || equals === undefined ? null : { path, equals };
}

/** A breaker with its defaults; null where there is none. */
export function buildBreaker(breaker: CheckedBreaker | undefined): Breaker | null {
  if (breaker === undefined) return null;
  return {
    errorsRatio: breaker.errors ?? 0.5,
    volumeMin: breaker.minimum ?? 20,
    windowMs: breaker.window ?? 10_000,
    openMs: breaker.open ?? 10_000,
    trials: breaker.halfOpen ?? 5,
  };
}

/** Passive health with its defaults; null where it is off. */
export function buildOutlier(outlier: CheckedOutlier = {}): Outlier | null {
  if (outlier.enabled === false) return null;
  return {
    consecutive: outlier.consecutive ?? 5,
    successMarginRatio: outlier.successRate ?? 0.1,
    latencyFactor: outlier.latency?.factor ?? 3,
    latencyLeastMs: outlier.latency?.least ?? 10,
    intervalMs: outlier.interval ?? 1_000,
    volumeMin: outlier.minimumVolume ?? 10,
    ejectForMs: outlier.ejectFor ?? 30_000,
    ejectMaxRatio: outlier.ejectMax ?? 0.3,
  };
}
