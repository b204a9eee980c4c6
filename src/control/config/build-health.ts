import type { Outlier, Probe } from '../../model/snapshot.ts';
import type { CheckedOutlier, CheckedProbe } from './checked.ts';

/** A probe with its defaults. */
export function buildProbe(probe: CheckedProbe): Probe {
  return {
    type: probe.type ?? 'http',
    path: probe.path ?? '/',
    host: probe.host ?? null,
    intervalMs: probe.interval ?? 5_000,
    timeoutMs: probe.timeout ?? 2_000,
    rise: probe.rise ?? 2,
    fall: probe.fall ?? 3,
    jitterRatio: probe.jitter ?? 0.2,
    expect: probe.expect ?? [[200, 399]],
    bodyText: probe.body ?? null,
    startState: probe.startState ?? 'down',
  };
}

/** Passive health with its defaults; null where it is off. */
export function buildOutlier(outlier: CheckedOutlier = {}): Outlier | null {
  if (outlier.enabled === false) return null;
  return {
    consecutive: outlier.consecutive ?? 5,
    successMarginRatio: outlier.successRate ?? 0.1,
    latencyFactor: outlier.latency?.factor ?? 4,
    latencyLeastMs: outlier.latency?.least ?? 10,
    intervalMs: outlier.interval ?? 1_000,
    volumeMin: outlier.minimumVolume ?? 10,
    ejectForMs: outlier.ejectFor ?? 30_000,
    ejectMaxRatio: outlier.ejectMax ?? 0.3,
  };
}
