/** What a server that went down twice lately must hold out before it is believed. */
const HOLD_MS = 3_000;
/** Longer waits would punish yesterday's trouble. */
const HOLD_MS_MAX = 60_000;

/** The count of times that a server went down falls by one for each such time in which it did not. */
export const calmMs = 60_000;

/**
 * How long a server must pass without a break before it takes traffic again, when it went down `count`
 * times lately: the first time nothing beyond the rule itself, then 3 s, 6 s, 12 s … 60 s. So a server
 * that flaps stays out instead of changing with each flap. Source of the idea: route flap damping
 * (RFC 2439).
 */
export function holdMs(count: number): number {
  return count <= 1 ? 0 : Math.min(HOLD_MS * 2 ** (count - 2), HOLD_MS_MAX);
}
