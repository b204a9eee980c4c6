import type { FailureCode } from '../model/failure.ts';

/**
 * Failures in a row that eject: of dials, and of everything else that counts against a server.
 * Source: Envoy's 5; a dial that fails says more.
 */
const DIAL_TRIGGER = 3;
const EXCHANGE_TRIGGER = 5;

/**
 * Did the server not even take the connection? Then there is no use in asking it in panic either.
 */
export function isDialFailure(code: FailureCode): boolean {
  return code === 'connect-refused' || code === 'connect-failed' || code === 'connect-timeout';
}

/** Length of a streak (`failureStreak`) that ejects, by the failure that came last. */
export function streakTrigger(code: FailureCode): number {
  return isDialFailure(code) ? DIAL_TRIGGER : EXCHANGE_TRIGGER;
}

/**
 * Should the worker whose failure made the streak `count` long report it? At the trigger and at
 * each multiple of it: a spared server is judged again soon, and a dead one costs a message for
 * some failures, not for all.
 */
export function isStreakDue(code: FailureCode, count: number): boolean {
  return count % streakTrigger(code) === 0;
}

/**
 * Does an answer count as a failure of the server? 502, 503, 504; a 500 may be one poisonous
 * request. Source: design §7.
 */
export function isFailingStatus(status: number): boolean {
  return status >= 502 && status <= 504;
}
