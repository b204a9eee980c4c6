import { invariant } from '../../base/invariant.ts';
import type { Balancing, SlowStart } from '../../model/balancing.ts';
import { plainBalancing } from '../../model/balancing.ts';
import type { CheckedPool } from './checked.ts';

/** How a pool spreads its traffic, with its defaults. `zone`: of this balancer. */
export function buildBalancing(pool: CheckedPool, zone: string | undefined): Balancing {
  return {
    ...plainBalancing,
    key: pool.key ?? plainBalancing.key,
    slowStart: pool.slowStart === undefined ? null : buildSlowStart(pool.slowStart),
    overprovision: pool.overprovision ?? plainBalancing.overprovision,
    preferredZone: pool.preferZone === true ? (zone ?? null) : null,
    usesLoadHeader: pool.loadHeader ?? false,
  };
}

function buildSlowStart(slowStart: NonNullable<CheckedPool['slowStart']>): SlowStart {
  invariant(slowStart.window !== undefined, 'a checked slow start has a window');
  return {
    windowMs: slowStart.window,
    aggression: slowStart.aggression ?? 1,
    minRatio: slowStart.min ?? 0.1,
  };
}
