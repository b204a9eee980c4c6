import type { FailureCode } from '../model/failure.ts';

/** Failed dials in a row that eject; fewer where fewer failures of any kind do. A failed dial says more. */
const DIAL_TRIGGER = 3;

/**
 * Did the server not even take the connection? Then there is no use in asking it in panic either.
 */
export function isDialFailure(code: FailureCode): boolean {
  return code === 'connect-refused' || code === 'connect-failed' || code === 'connect-timeout';
}

/**
 * Length of a streak (`failureStreak`) that ejects, by the failure that came last; 0 = none does.
 * `consecutive`: the pool's setting for failures of any kind (Envoy's default is 5); with 0 only
 * failed dials are looked at, below 0 nothing is.
 */
export function streakTrigger(code: FailureCode, consecutive: number): number {
  if (consecutive < 0) return 0;
  if (!isDialFailure(code)) return consecutive;
  return consecutive === 0 ? DIAL_TRIGGER : Math.min(DIAL_TRIGGER, consecutive);
}

/**
 * Should the worker whose failure made the streak `count` long report it? At the trigger and at
 * each multiple of it: a spared server is judged again soon, and a dead one costs a message for
 * some failures, not for all.
 */
export function isStreakDue(code: FailureCode, count: number, consecutive: number): boolean {
  const trigger = streakTrigger(code, consecutive);
  return trigger > 0 && count % trigger === 0;
}

/**
 * Does an answer count as a failure of the server? 502, 503, 504; a 500 may be one poisonous
 * request. Source: design §7.
 */
export function isFailingStatus(status: number): boolean {
  return status >= 502 && status <= 504;
}
