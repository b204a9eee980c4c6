import type { FailureCode } from '../model/failure.ts';

const ECONNREFUSED = 111;
const ETIMEDOUT = 110;
/** No descriptor is free in this process, or in the whole system. */
const EMFILE = 24;
const ENFILE = 23;

/** The word for a dial that ended with this errno (Linux numbers, as links report them). */
export function dialFailure(errno: number): FailureCode {
  if (errno === ECONNREFUSED) return 'connect-refused';
  if (errno === EMFILE || errno === ENFILE) return 'descriptors-exhausted';
  return errno === ETIMEDOUT ? 'connect-timeout' : 'connect-failed';
}
