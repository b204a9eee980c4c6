import { invariant } from '../base/invariant.ts';
import { limits } from './limits.ts';

/**
 * Facts that change with traffic, shared by all threads of the balancer.
 *
 * Shape: typed arrays over SharedArrayBuffers, indexed by slot; "row" arrays are `worker * slots + slot`
 * and written by that worker alone. Words that several threads write go through `Atomics`.
 * Pages that nobody touches stay unmapped, so the generous capacities cost address space only.
 */
export interface SharedBuffers {
  readonly workers: number;
  readonly words: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
  readonly histograms: SharedArrayBuffer;
}

/** Bits of a server's verdict word. A server is eligible when no bit of `UNFIT` is set. */
export const Verdict = {
  /** Its probe says no (or has not yet passed). */
  PROBE_DOWN: 1,
  /** Passive ejection: re-admitted in panic. */
  EJECTED: 2,
  /** Ejected because it refuses connections: never re-admitted by panic. */
  REFUSING: 4,
  /** Takes no new traffic by order of an operator. */
  DRAINING: 8,
  /** Its name is unresolved. */
  UNRESOLVED: 16,
} as const;

const S = limits.serverSlots;

/** Int32 words of the shared block, in order, with their counts. */
function wordLayout(workers: number): Readonly<Record<WordName, number>> {
  return {
    /** Exchanges and tunnels in flight per server, all workers: reserve by CAS or add, release by sub. */
    inFlight: S,
    /** The same per worker (row), so that a dead worker's share can be subtracted. */
    inFlightByWorker: workers * S,
    /** Exchanges that wait for an answer to begin, of servers with a limit of these; and per worker (row). */
    pending: S,
    pendingByWorker: workers * S,
    /** `Verdict` bits per server. Written by control only. */
    verdict: S,
    /** What part of its weight a server gets, per source (rows): balance/weight-factor. Written by control only. */
    weightFactor: 3 * S,
    /** Peak mean of µs to an answer per server, 0 while none came; ms of the workers' common clock when noted. */
    latencyUs: S,
    latencyAt: S,
    /** Loads that servers told since control last took them: their sum in thousandths, and how many. */
    loadSum: S,
    loadReports: S,
    /** Consecutive failures per server as workers see them; reset by a success. */
    failureStreak: S,
    /** How long a server lets links be idle, ms, as it was seen to close them (0 = not known); the last such close. */
    idleLimit: S,
    idleSeen: S,
    /** [0] grows whenever any verdict or ejection changed: pickers rebuild lazily. */
    epoch: 16,
    /** Round-robin cursor per pool. */
    cursor: limits.pools,
    /** Retry budget per pool in thousandths of a retry (base/limit room decides). */
    retryTokens: limits.pools,
    /** Circuit breaker per pool: health/breaker. Control opens and closes, workers take trials. */
    breaker: limits.pools,
    /** Exchanges in flight per pool, counted for pools with a limit of their own; and per worker (row). */
    poolInFlight: limits.pools,
    poolInFlightByWorker: workers * limits.pools,
    /** Exchanges that wait in a pool's queue; per worker (row); the queue's last ticket. */
    poolQueued: limits.pools,
    queuedByWorker: workers * limits.pools,
    queueTicket: limits.pools,
    /** Ticket of the first waiter: pool × class × worker, see limit/shared-queue. */
    queueHead: limits.pools * limits.queueClasses * workers,
    /** Rung when a worker's first waiter may have its turn; padded to 16 words each. */
    doorbell: workers * 16,
    /** Downstream links open, all workers. */
    links: 16,
    /** Downstream links open per worker and listener (row). */
    linksByWorker: workers * limits.listeners,
    /** Heartbeat per worker: ms of the process clock, wrapped to 31 bits; padded to 16 words each. */
    heartbeat: workers * 16,
    /** Ledger per worker: ring fd, event fd, mapping count, then pairs; see platform/uring. 256 words each. */
    ledger: workers * 256,
    /** One bit per descriptor that a worker's links own. */
    descriptorBits: workers * (limits.descriptors >>> 5),
  };
}

type WordName =
  | 'inFlight'
  | 'inFlightByWorker'
  | 'pending'
  | 'pendingByWorker'
  | 'verdict'
  | 'weightFactor'
  | 'latencyUs'
  | 'latencyAt'
  | 'loadSum'
  | 'loadReports'
  | 'failureStreak'
  | 'idleLimit'
  | 'idleSeen'
  | 'epoch'
  | 'cursor'
  | 'retryTokens'
  | 'breaker'
  | 'poolInFlight'
  | 'poolInFlightByWorker'
  | 'poolQueued'
  | 'queuedByWorker'
  | 'queueTicket'
  | 'queueHead'
  | 'doorbell'
  | 'links'
  | 'linksByWorker'
  | 'heartbeat'
  | 'ledger'
  | 'descriptorBits';

/** Views on the Int32 block, one per name of the layout. */
export type SharedWords = { readonly [name in WordName]: Int32Array };

/** Allocates zeroed shared buffers for `workers` threads. `counterCount`: Float64 cells, `histogramWords`: Uint32 cells. */
export function allocateShared(
  workers: number,
  sizes: { readonly counterCount: number; readonly histogramWords: number },
): SharedBuffers {
  const layout = wordLayout(workers);
  let words = 0;
  for (const name of Object.keys(layout) as WordName[]) words += (layout[name] + 15) & ~15;
  return {
    workers,
    words: new SharedArrayBuffer(words * 4),
    counters: new SharedArrayBuffer(sizes.counterCount * 8),
    histograms: new SharedArrayBuffer(sizes.histogramWords * 4),
  };
}

/** Makes the views of this thread. Each block starts on a cache line. */
export function attachWords(buffers: SharedBuffers): SharedWords {
  const layout = wordLayout(buffers.workers);
  let at = 0;
  const next = (name: WordName): Int32Array => {
    const view = new Int32Array(buffers.words, at * 4, layout[name]);
    at += (layout[name] + 15) & ~15;
    return view;
  };
  // Written out in the order of the layout: an object that a loop fills becomes a hash table, and
  // workers read these members a dozen times per request (0.1 µs of it).
  const words: SharedWords = {
    inFlight: next('inFlight'),
    inFlightByWorker: next('inFlightByWorker'),
    pending: next('pending'),
    pendingByWorker: next('pendingByWorker'),
    verdict: next('verdict'),
    weightFactor: next('weightFactor'),
    latencyUs: next('latencyUs'),
    latencyAt: next('latencyAt'),
    loadSum: next('loadSum'),
    loadReports: next('loadReports'),
    failureStreak: next('failureStreak'),
    idleLimit: next('idleLimit'),
    idleSeen: next('idleSeen'),
    epoch: next('epoch'),
    cursor: next('cursor'),
    retryTokens: next('retryTokens'),
    breaker: next('breaker'),
    poolInFlight: next('poolInFlight'),
    poolInFlightByWorker: next('poolInFlightByWorker'),
    poolQueued: next('poolQueued'),
    queuedByWorker: next('queuedByWorker'),
    queueTicket: next('queueTicket'),
    queueHead: next('queueHead'),
    doorbell: next('doorbell'),
    links: next('links'),
    linksByWorker: next('linksByWorker'),
    heartbeat: next('heartbeat'),
    ledger: next('ledger'),
    descriptorBits: next('descriptorBits'),
  };
  invariant(
    Object.keys(words).every((name, index) => name === Object.keys(layout)[index]),
    'the views are in the order of the layout',
  );
  return words;
}
