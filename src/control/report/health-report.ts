import type { PoolCondition, ServerState, VerdictChange } from './status.ts';

/** What `evenkeel health POOL --json` and `GET /v1/pools/{pool}/health` tell. Times are ms of the epoch. */
export interface PoolHealthReport {
  readonly pool: string;
  readonly atMs: number;
  readonly condition: PoolCondition;
  readonly why: string;
  /** What changes that and when, in words; null where that is up to its servers. */
  readonly next: string | null;
  readonly load: PoolLoadReport;
  /** What its circuit breaker did, oldest first; null where it has none. */
  readonly breaker: readonly BreakerReport[] | null;
  readonly servers: readonly ServerHealthReport[];
}

/** What runs on a pool and waits for it, over all workers. */
export interface PoolLoadReport {
  readonly inFlight: number;
  /** `maxConnections` of the pool; null = no limit of its own. */
  readonly inFlightMax: number | null;
  readonly waiting: number;
  /** Places in its queue; null = nobody waits, requests without a place are refused. */
  readonly queueSize: number | null;
  /** What that means for the next request, in words; null while nothing is short. */
  readonly says: string | null;
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
  /** Does it get new requests now? Ejected servers do in a panic; those of weight 0 and backups at rest do not. */
  readonly takesTraffic: boolean;
  /** By what it is in this state. */
  readonly why: string;
  /** When it came into this state; null where that is not known any more. */
  readonly sinceMs: number | null;
  /** When and how it is tried again, in words; null where nothing is to come. */
  readonly next: string | null;
  /** Its traffic in the last ten looks of `outlier.interval`. */
  readonly traffic: TrafficReport;
  /** Ejections that make the next one longer. */
  readonly ejections: number;
  readonly weight: number;
  /** 0–1: the part of its weight that agents and programs give it. */
  readonly weightFactor: number;
  /** 0–1: the part of its weight that what it tells of its load leaves it (`loadHeader`). */
  readonly toldFactor: number;
  /** Where its slow start is; null outside of one. */
  readonly slowStart: SlowStartReport | null;
  readonly inFlight: number;
  /** `maxConnections` of the server; null = no limit. */
  readonly inFlightMax: number | null;
  readonly probes: readonly ProbeReport[];
  /** Changes of its state, oldest first. */
  readonly history: readonly VerdictChange[];
  /** What was decided by its traffic, oldest first, also where nothing was changed. */
  readonly decisions: readonly DecisionReport[];
}

/** A new or recovered server on its way to its whole weight. */
export interface SlowStartReport {
  /** 0–1: the part of its weight that it gets now. */
  readonly factor: number;
  readonly wholeAtMs: number;
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
