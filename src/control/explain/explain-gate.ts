import { ALL_BUSY } from '../../balance/policy.ts';
import { soonText } from '../../base/duration-text.ts';
import { classTableOf, queueClassOf } from '../../match/queue-class.ts';
import { type FailureCode, failureKind } from '../../model/failure.ts';
import type { SharedWords } from '../../model/shared-memory.ts';
import type { Pool } from '../../model/snapshot.ts';
import type { Head } from '../../wire/http1/head.ts';
import type { PoolHealthReport } from '../report/health-report.ts';
import type { ExplainedPool } from './explanation.ts';

/** The words that stand before a pool's servers. */
export type GateWords = Pick<SharedWords, 'breaker' | 'poolInFlight' | 'poolQueued'>;

/** What a pool's breaker, limit and queue say to a request. */
export type Gate = Pick<ExplainedPool, 'fate' | 'breaker' | 'limit' | 'queue'> & {
  /** Why it is refused; null when it is not. */
  readonly code: FailureCode | null;
};

/**
 * Tells what a request meets before a server is picked, in the order in which traffic does. `picked`: what
 * the policy or the session gave; `noneCode`: why it gave none.
 */
export function explainGate(
  pool: Pool,
  head: Head,
  words: GateWords,
  report: PoolHealthReport | null,
  { picked, noneCode }: { readonly picked: number; readonly noneCode: FailureCode },
): Gate {
  const breaker = breakerText(pool, words, report);
  const limit = limitText(pool, words);
  const refused = (code: FailureCode, queue: string | null = null): Gate => ({
    ...{ fate: 'refused', breaker, limit, queue, code },
  });
  const word = Atomics.load(words.breaker, pool.slot);
  if (pool.breaker !== null && word !== 0 && word <= 1) return refused('circuit-open');
  const waiting = Atomics.load(words.poolQueued, pool.slot);
  const isFull = isAtLimit(pool, words);
  const isBusy = isFull || picked === ALL_BUSY;
  if (!isBusy && waiting === 0) {
    if (picked >= 0) return { fate: 'server', breaker, limit, queue: null, code: null };
    return refused(noneCode);
  }
  if (pool.queue === null) return refused(isFull ? 'pool-limit-reached' : noneCode);
  const queue = queueText(pool, head, waiting);
  if (waiting >= pool.queue.size) return refused('queue-full', queue);
  return { fate: 'waits', breaker, limit, queue, code: null };
}

/** `503 queue-full: every server is at its limit and the queue is full`. */
export function refusalText(code: FailureCode): string {
  const { status, says } = failureKind(code);
  return `${status} ${code}: ${says}`;
}

function isAtLimit({ connectionsMax, slot }: Pool, { poolInFlight }: GateWords): boolean {
  return connectionsMax > 0 && Atomics.load(poolInFlight, slot) >= connectionsMax;
}

function breakerText(pool: Pool, words: GateWords, report: PoolHealthReport | null): string | null {
  if (pool.breaker === null) return null;
  const word = Atomics.load(words.breaker, pool.slot);
  if (word === 0) return 'closed: requests pass';
  const last = report?.breaker?.at(-1);
  const since =
    last === undefined || report === null ? '' : ` for ${soonText(report.atMs - last.atMs)}`;
  const why = last === undefined ? '' : `, as ${last.why}`;
  const next = report === null || report.next === null ? '' : `; ${report.next}`;
  if (word < 0) return `OPEN${since}${why}${next}`;
  return word > 1
    ? `half open${since}: this request may pass as one of ${word - 1} trials that are left`
    : `half open${since}: its trial requests are under way, others are refused until they end`;
}

function limitText(pool: Pool, words: GateWords): string | null {
  const { connectionsMax, slot } = pool;
  if (connectionsMax === 0) return null;
  const inFlight = Atomics.load(words.poolInFlight, slot);
  const full = inFlight >= connectionsMax ? ': it is full' : '';
  return `${inFlight} of ${connectionsMax} places of the whole pool are taken${full}`;
}

function queueText({ queue }: Pool, head: Head, waiting: number): string {
  const table = classTableOf(queue);
  const klass =
    table === null ? '' : `; it is of class ${queueClassOf(table, head)} (lower ones go first)`;
  const size = queue?.size ?? 0;
  if (waiting >= size) return `full: ${waiting} of ${size} places in it are taken`;
  const before =
    waiting === 0 ? 'nobody waits yet' : `${waiting} of ${size} places in the queue are taken`;
  return `${before}: it waits for a place, ${soonText(queue?.timeoutMs ?? 0)} at most${klass}`;
}
