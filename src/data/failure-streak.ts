import { isFailingStatus, isStreakDue } from '../health/streak.ts';
import type { FailureCode } from '../model/failure.ts';
import { ServerColumn } from '../observe/columns.ts';
import type { Plane } from './plane.ts';

/**
 * Counts a failure that speaks against a server: in its counters, and in its streak over all workers.
 * Control is told of long streaks and decides.
 */
export function countFailure(plane: Plane, slot: number, code: FailureCode): void {
  const state = plane.servers.get(slot);
  const count = Atomics.add(plane.words.failureStreak, slot, 1) + 1;
  if (state === undefined) return;
  plane.cells[state.counters + ServerColumn.FAULTS]! += 1;
  const column = columnOf(code);
  if (column >= 0) plane.cells[state.counters + column]! += 1;
  if (isStreakDue(code, count, state.streakTrigger))
    plane.post({ type: 'streak', slot, code, count });
}

/**
 * Judges an answer by its status: below 500 is a success; 502, 503 and 504 are failures; any other 5xx
 * ends the streak, as one poisonous request must not take servers out, but counts in their share of
 * faults, by which they are compared with their peers.
 */
export function countAnswer(plane: Plane, slot: number, status: number): void {
  if (status >= 500) {
    if (isFailingStatus(status)) {
      countFailure(plane, slot, 'upstream-unavailable');
      return;
    }
    const state = plane.servers.get(slot);
    if (state !== undefined) plane.cells[state.counters + ServerColumn.FAULTS]! += 1;
  }
  countSuccess(plane, slot);
}

/** A success ends the streak. Cost: one atomic read while there is none. */
export function countSuccess(plane: Plane, slot: number): void {
  const streak = plane.words.failureStreak;
  if (streak[slot] !== 0) Atomics.store(streak, slot, 0);
}

function columnOf(code: FailureCode): number {
  switch (code) {
    case 'connect-refused':
    case 'connect-failed':
    case 'connect-timeout':
      return ServerColumn.CONNECT_FAILURES;
    case 'upstream-timeout':
    case 'upstream-body-stalled':
      return ServerColumn.TIMEOUTS;
    case 'upstream-reset-before-headers':
    case 'upstream-body-cut':
      return ServerColumn.RESETS;
    default:
      return -1;
  }
}
