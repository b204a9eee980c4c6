import { depositOf } from '../limit/retry-budget.ts';
import { type RetryRule, standardRetry } from '../model/retry.ts';
import type { Route } from '../model/snapshot.ts';
import type { CompiledPool } from './table.ts';

/** A retry rule as a worker uses it. One shape for all, so that reading it stays one load. */
export class CompiledRetry {
  readonly rule: RetryRule;
  /** By status, 1 where an answer is tried again; null when none is. */
  readonly isOnStatus: Uint8Array | null;
  /** What each request pays into the retry budget, in thousandths of a retry. */
  readonly depositThousandths: number;
  /** Some time is watched from the request's start: a try's, that of all, or a hedge's. */
  readonly hasTimes: boolean;

  constructor(rule: RetryRule) {
    this.rule = rule;
    this.isOnStatus = statusTable(rule.statuses);
    this.depositThousandths = depositOf(rule.budgetRatio);
    this.hasTimes = rule.perTryMs > 0 || rule.totalMs > 0 || rule.hedge !== null;
  }
}

/** Stands where no rule is in force yet. */
export const noRetry: CompiledRetry = new CompiledRetry({ ...standardRetry, attempts: 0 });

function statusTable(ranges: RetryRule['statuses']): Uint8Array | null {
  if (ranges.length === 0) return null;
  const table = new Uint8Array(600);
  for (const [first, last] of ranges) table.fill(1, first, last + 1);
  return table;
}

/** What a route says of retries, on top of whatever pool its requests go to. */
export class RouteRetry {
  readonly #said: NonNullable<Route['retry']>;
  readonly #byPool = new Map<CompiledPool, CompiledRetry>();

  constructor(said: NonNullable<Route['retry']>) {
    this.#said = said;
  }

  /** Cost: one map read; the first request to a pool compiles. */
  for(pool: CompiledPool): CompiledRetry {
    let rule = this.#byPool.get(pool);
    if (rule === undefined) {
      rule = new CompiledRetry({ ...pool.pool.retry, ...this.#said });
      this.#byPool.set(pool, rule);
    }
    return rule;
  }
}
