import { invariant } from '../../base/invariant.ts';
import type { Balancing, SlowStart, Sticky } from '../../model/balancing.ts';
import { plainBalancing } from '../../model/balancing.ts';
import type { CheckedPool } from './checked.ts';

/** How a pool spreads its traffic, with its defaults. `zone`: of this balancer. */
export function buildBalancing(pool: CheckedPool, zone: string | undefined): Balancing {
  return {
    ...plainBalancing,
    module: pool.policy?.module === undefined ? null : { path: pool.policy.module, mark: '' },
    key: pool.key ?? plainBalancing.key,
    slowStart: pool.slowStart === undefined ? null : buildSlowStart(pool.slowStart),
    sticky: pool.sticky === undefined ? null : buildSticky(pool.sticky),
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

function buildSticky(sticky: NonNullable<CheckedPool['sticky']>): Sticky {
  invariant(sticky.cookie !== undefined, 'a checked sticky has the name of its cookie');
  return {
    cookie: sticky.cookie,
    ttlMs: sticky.ttl ?? 0,
    path: sticky.path ?? '/',
    secure: sticky.secure ?? 'auto',
    sameSite: sticky.sameSite ?? 'lax',
    secret: sticky.secret ?? '',
    secretFile: sticky.secretFile ?? null,
  };
}
