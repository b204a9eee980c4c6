/** ISO 8601 in UTC with milliseconds, from ms of the epoch. Errors: throws RangeError beyond ±8.64e15 ms. */
export function isoTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
