/** What an answer is judged by. */
export interface GuardLimits {
  /** 0–1. */
  readonly vanishRatio: number;
}

/**
 * Why an answer is not believed at once, or null when it is. It is held back when it has fewer servers than
 * the last one by more than the allowed share: one may always go, the last one never. What matters is how many
 * there are, not which: a roll-out that replaces every address at once is no loss.
 */
export function suspicionOf(last: number, next: number, limits: GuardLimits): string | null {
  if (next >= last) return null;
  if (next === 0) return `the answer is empty, the last one had ${last}`;
  const allowed = Math.max(1, Math.floor(last * limits.vanishRatio));
  const gone = last - next;
  return gone <= allowed ? null : `${gone} of ${last} would vanish at once, ${allowed} may`;
}
