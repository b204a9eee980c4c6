import type { SeriesFilter } from './store.ts';

/** What is asked of history; times in ms of the epoch. */
export type HistoryQuestion = SeriesQuestion;

/** Points of series. */
export interface SeriesQuestion extends SeriesFilter {
  readonly ask: 'series';
  readonly fromMs: number;
  readonly toMs: number;
  /** Null = as fine as there is, and as an answer can hold. */
  readonly stepMs: number | null;
}

/** An answer as JSON text, or why there is none. */
export type HistoryOutcome =
  | { readonly ok: true; readonly json: string }
  | { readonly ok: false; readonly problem: string };
