import type { PoolFacts } from '../../capacity/plan-pool.ts';
import type { SeriesFilter } from './store.ts';

/** What is asked of history; times in ms of the epoch. */
export type HistoryQuestion = SeriesQuestion | PlanAsked | ReportAsked;

/** Points of series. */
export interface SeriesQuestion extends SeriesFilter {
  readonly ask: 'series';
  readonly fromMs: number;
  readonly toMs: number;
  /** Null = as fine as there is, and as an answer can hold. */
  readonly stepMs: number | null;
}

/** What pools can take, and what they will need. */
export interface PlanAsked {
  readonly ask: 'plan';
  readonly nowMs: number;
  /** How many times the load; null = once. */
  readonly growth: number | null;
  /** For the load of then; null = for that of now. */
  readonly untilMs: number | null;
  readonly pools: readonly PoolFacts[];
}

/** What a time was like. */
export interface ReportAsked {
  readonly ask: 'report';
  readonly fromMs: number;
  readonly toMs: number;
  readonly pools: readonly (PoolFacts & { readonly successTarget: number })[];
}

/** What may be asked from outside: the balancer adds what it knows of its pools. */
export type OpenQuestion =
  | SeriesQuestion
  /** Of one pool, or null = of all. */
  | (Omit<PlanAsked, 'pools'> & { readonly pool: string | null })
  | Omit<ReportAsked, 'pools'>;

/** What is known of a pool besides its past. */
export type PoolAims = ReportAsked['pools'][number];

/** An answer as JSON text, or why there is none. */
export type HistoryOutcome =
  | { readonly ok: true; readonly json: string }
  | { readonly ok: false; readonly problem: string };
