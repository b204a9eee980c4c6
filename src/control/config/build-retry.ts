import type { RetryRule } from '../../model/retry.ts';
import type { CheckedRetry } from './checked.ts';

type Mutable<T> = { -readonly [key in keyof T]: T[key] };

/** What was written of a rule and nothing else: on top of the standard it is a pool's, on top of a pool's a route's. */
export function buildRetry(retry: CheckedRetry): Partial<RetryRule> {
  const rule: Partial<Mutable<RetryRule>> = {};
  if (retry.attempts !== undefined) rule.attempts = retry.attempts;
  if (retry.on !== undefined) {
    rule.isOnReset = retry.on.includes('reset');
    rule.isOnTimeout = retry.on.includes('timeout');
    rule.statuses = retry.on.filter((condition) => typeof condition !== 'string');
  } else if (retry.perTry !== undefined) rule.isOnTimeout = true;
  if (retry.perTry !== undefined) rule.perTryMs = retry.perTry;
  if (retry.total !== undefined) rule.totalMs = retry.total;
  if (retry.budget !== undefined) rule.budgetRatio = retry.budget;
  const { base, max } = retry.backoff ?? {};
  if (base !== undefined) rule.backoffBaseMs = base;
  if (max !== undefined) rule.backoffMaxMs = max;
  // A base above the standard maximum is meant as it stands.
  else if (base !== undefined && base > 250) rule.backoffMaxMs = base;
  if (retry.hedge !== undefined) {
    rule.hedge = { afterMs: retry.hedge.after ?? 50, max: retry.hedge.max ?? 1 };
  }
  if (retry.retryAfter !== undefined) rule.honoursRetryAfter = retry.retryAfter;
  if (retry.nonIdempotent !== undefined) rule.repeatsUnsafe = retry.nonIdempotent;
  return rule;
}
