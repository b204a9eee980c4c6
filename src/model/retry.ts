import { invariant } from '../base/invariant.ts';
import { limits } from './limits.ts';

/**
 * When a request is tried again, how often and how soon. What failed before anything was submitted
 * (design §7, class 1) is repeated whatever this says. All durations in ms; 0 = no such limit.
 */
export interface RetryRule {
  /** The link died without a byte of an answer. */
  readonly isOnReset: boolean;
  /** No answer in time. */
  readonly isOnTimeout: boolean;
  /** Inclusive ranges of statuses whose answers are discarded where another try is allowed. */
  readonly statuses: readonly (readonly [number, number])[];
  /** Further attempts, those of class 1 not counted. */
  readonly attempts: number;
  /** For one try that may be followed by another. */
  readonly perTryMs: number;
  /** For all tries together, until the answer begins. */
  readonly totalMs: number;
  /** Share of requests that may be repeated. */
  readonly budgetRatio: number;
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
  /** `Retry-After` of a discarded answer is waited for. */
  readonly honoursRetryAfter: boolean;
  /** POST and PATCH are repeated although they may have been executed. */
  readonly repeatsUnsafe: boolean;
  /** A second try beside one that is slow; null = none. */
  readonly hedge: HedgeRule | null;
}

/** When a second try starts beside the first, and how many more there may be. */
export interface HedgeRule {
  readonly afterMs: number;
  readonly max: number;
}

/** What holds where nothing is said: what is described in the reference. */
export const standardRetry: RetryRule = {
  isOnReset: true,
  isOnTimeout: false,
  statuses: [],
  attempts: 1,
  perTryMs: 0,
  totalMs: 0,
  budgetRatio: 0.2,
  backoffBaseMs: 25,
  backoffMaxMs: 250,
  honoursRetryAfter: true,
  repeatsUnsafe: false,
  hedge: null,
};

invariant(
  standardRetry.backoffMaxMs < limits.retryAfterMsMax,
  'what a server asks for may be longer than what we wait by ourselves',
);
