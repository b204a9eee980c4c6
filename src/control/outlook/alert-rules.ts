import type { Alert, Finding } from './alert-book.ts';

/** The last minute of a pool. */
export interface PoolMinute {
  readonly name: string;
  readonly requests: number;
  readonly errors: number;
  readonly p99Ms: number;
  /** Null where no p99 is aimed at. */
  readonly p99TargetMs: number | null;
  /** Null where the capacity is not known. */
  readonly headroomRatio: number | null;
}

/** Bounds beyond which something is wrong. */
export interface AlertBounds {
  readonly errorRatio: number;
  readonly headroomRatio: number;
}

/** A rule's view of a pool, with what it saw in words. */
export interface RuleFinding {
  readonly alert: Alert;
  readonly finding: Finding;
  readonly says: string;
}

/** Fewer requests a minute say nothing of errors and percentiles. */
const REQUESTS_MIN = 20;
/** Good is clearly better than bad: half the errors, nine tenths of the time, half as much room again. */
const ERRORS_GOOD = 0.5;
const P99_GOOD = 0.9;
const HEADROOM_GOOD = 1.5;

/** What the rules of a pool find. */
export function judgePool(minute: PoolMinute, bounds: AlertBounds): RuleFinding[] {
  const { name, requests, errors, p99Ms, p99TargetMs, headroomRatio } = minute;
  const isIdle = requests < REQUESTS_MIN;
  const ratio = requests === 0 ? 0 : errors / requests;
  const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;
  const found: RuleFinding[] = [
    {
      alert: { rule: 'errors', pool: name, server: null },
      finding: isIdle ? 'good' : rising(ratio, bounds.errorRatio, ERRORS_GOOD),
      says: `${percent(ratio)} of ${requests} requests failed within a minute`,
    },
  ];
  if (p99TargetMs !== null) {
    found.push({
      alert: { rule: 'p99', pool: name, server: null },
      finding: isIdle ? 'good' : rising(p99Ms, p99TargetMs, P99_GOOD),
      says: `p99 is ${p99Ms.toFixed(0)} ms, aimed at are ${p99TargetMs} ms`,
    });
  }
  if (headroomRatio !== null) {
    const isGood = headroomRatio > bounds.headroomRatio * HEADROOM_GOOD;
    const isBad = headroomRatio < bounds.headroomRatio;
    found.push({
      alert: { rule: 'headroom', pool: name, server: null },
      finding: isBad ? 'bad' : isGood ? 'good' : 'between',
      says: `${percent(headroomRatio)} of what the servers shall be given is free`,
    });
  }
  return found;
}

function rising(value: number, bound: number, good: number): Finding {
  if (value > bound) return 'bad';
  return value <= bound * good ? 'good' : 'between';
}
