import type { FailureCode } from '../model/failure.ts';

const ECONNREFUSED = 111;
const ETIMEDOUT = 110;

/** The word for a dial that ended with this errno (Linux numbers, as links report them). */
export function dialFailure(errno: number): FailureCode {
  if (errno === ECONNREFUSED) return 'connect-refused';
  return errno === ETIMEDOUT ? 'connect-timeout' : 'connect-failed';
}
