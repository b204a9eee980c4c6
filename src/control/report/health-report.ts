import type { PoolCondition, ServerState, VerdictChange } from './status.ts';

/** What `evenkeel health POOL --json` and `GET /v1/pools/{pool}/health` tell. Times are ms of the epoch. */
export interface PoolHealthReport {
  readonly pool: string;
  readonly atMs: number;
  readonly condition: PoolCondition;
  readonly why: string;
  /** What its circuit breaker did, oldest first; null where it has none. */
  readonly breaker: readonly BreakerReport[] | null;
  readonly servers: readonly ServerHealthReport[];
}

/** One change of a circuit breaker. */
export interface BreakerReport {
  readonly atMs: number;
  readonly state: 'closed' | 'open' | 'half-open';
  readonly why: string;
}

/** Why a server is in traffic or out of it, since when, and what comes next. */
export interface ServerHealthReport {
  readonly address: string;
  readonly state: ServerState;
  readonly why: string;
  /** When it came into this state; null where that is not known any more. */
  readonly sinceMs: number | null;
  /** When and how it is tried again, in words; null where nothing is to come. */
  readonly next: string | null;
  /** Its traffic in the last ten looks of `outlier.interval`. */
  readonly traffic: TrafficReport;
  /** Ejections that make the next one longer. */
  readonly ejections: number;
  /** 0–1: the part of its weight that agents and programs give it. */
  readonly weightFactor: number;
  readonly probes: readonly ProbeReport[];
  /** Changes of its state, oldest first. */
  readonly history: readonly VerdictChange[];
  /** What was decided by its traffic, oldest first, also where nothing was changed. */
  readonly decisions: readonly DecisionReport[];
}

/** Attempts of a server lately. */
export interface TrafficReport {
  readonly attempts: number;
  readonly failed: number;
  /** Half of the first bytes came within it; null where too few came. */
  readonly medianMs: number | null;
}

/** One probe of a server. */
export interface ProbeReport {
  /** `http /healthz`, `agent port 9777`. */
  readonly probe: string;
  readonly isUp: boolean;
  readonly why: string;
  /** Results in a row alike: positive for passes. */
  readonly inARow: number;
  readonly nextAtMs: number;
  /** Oldest first. */
  readonly results: readonly ProbeResultReport[];
}

/** One ended probe. */
export interface ProbeResultReport {
  readonly atMs: number;
  readonly isPass: boolean;
  readonly reason: string;
  readonly durationMs: number;
}

/** One decision about a server by its traffic. */
export interface DecisionReport {
  readonly atMs: number;
  readonly kind: 'ejected' | 'refusing' | 'spared' | 'readmitted';
  readonly reason: string;
}
