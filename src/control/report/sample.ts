import type { FailureCode } from '../../model/failure.ts';
import type { PoolCondition, ResponsesStatus, ServerState } from './status.ts';

/**
 * The key figures of all traffic at one moment, for history, dashboard, reports and pushes. Counts
 * only grow as long as the name is in the configuration, also over reloads, replaced workers and
 * upgrades: two samples subtracted are what happened between them. A count that has fallen belongs
 * to a name that was away, or to a process that began anew: begin anew with it.
 */
export interface TrafficSample {
  /** Epoch ms. */
  readonly atMs: number;
  readonly listeners: readonly ListenerSample[];
  readonly routes: readonly RouteSample[];
  readonly pools: readonly PoolSample[];
}

/** What every owner counts of ended exchanges. */
export interface EndedSample {
  /** Sum of `responses`. */
  readonly requests: number;
  readonly responses: ResponsesStatus;
  /** Reason words of those that failed; only words that were counted. */
  readonly reasons: Readonly<Partial<Record<FailureCode, number>>>;
  /** Request bodies and heads in, answers out; of pools and servers: from them, to them. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Times in µs. */
  readonly durations: Durations;
}

/** One listener. */
export interface ListenerSample extends EndedSample {
  readonly name: string;
  /** Links now open. */
  readonly links: number;
  readonly accepted: number;
  /** Exchanges that run now. */
  readonly inFlight: number;
  readonly withoutServer: number;
}

/** One route. */
export interface RouteSample extends EndedSample {
  readonly name: string;
  readonly pool: string | null;
  readonly inFlight: number;
  readonly withoutServer: number;
  readonly fallbacks: number;
}

/** One pool: sums over its servers, and what ended in it without any. */
export interface PoolSample extends EndedSample {
  readonly name: string;
  readonly condition: PoolCondition;
  readonly why: string;
  readonly inFlight: number;
  /** Requests that wait for a place now, and how many ever had to. */
  readonly waiting: number;
  readonly queued: number;
  readonly withoutServer: number;
  readonly noServer: number;
  readonly retries: number;
  readonly retriesDenied: number;
  readonly failovers: number;
  readonly hedges: number;
  readonly servers: readonly ServerSample[];
}

/** One server. */
export interface ServerSample extends EndedSample {
  /** Its name within the pool. */
  readonly address: string;
  readonly state: ServerState;
  readonly why: string;
  readonly weight: number;
  readonly isBackup: boolean;
  /** 0 = no limit. */
  readonly connectionsMax: number;
  readonly inFlight: number;
  readonly attempts: number;
  readonly connects: number;
  readonly connectFailures: number;
  readonly reuses: number;
  readonly retries: number;
  readonly resets: number;
  readonly timeouts: number;
  /** Attempts that speak against it. */
  readonly faults: number;
}

/** What is timed: the dial, the first byte of the answer since the attempt, the whole exchange. */
export type Timing = 'connect' | 'firstByte' | 'total';

/**
 * Histograms of an owner, read when they are asked for: cells as base/histogram has them, to take
 * `quantile`, `sampleCount` and differences of.
 */
export interface Durations {
  /** Adds to `into`, which is new and empty by default. Cost: 896 reads per worker and server. */
  read(timing: Timing, into?: Float64Array): Float64Array;
}
