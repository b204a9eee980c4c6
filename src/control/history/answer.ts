import { figureNames, type HistorySeries, historyTiers } from '../../model/history.ts';
import type { SeriesQuestion } from './questions.ts';
import type { HistoryStore } from './store.ts';

/** What an answer holds at most: some 30 MB of JSON would help nobody. */
const pointsMax = 100_000;
/** Points of a series that a chart can show. */
const pointsOfOneMax = 4_000;

/** The answer to `GET /v1/history`. A point is `[atMs, spanMs, …figures]`. */
export interface SeriesAnswer {
  readonly fromMs: number;
  readonly toMs: number;
  /** The resolution that it was taken from. */
  readonly tier: string;
  readonly stepMs: number;
  /** Names of what stands in a point behind its end and its length. */
  readonly figures: readonly string[];
  readonly series: readonly {
    readonly kind: string;
    readonly pool: string;
    readonly name: string;
    readonly points: readonly (readonly number[])[];
  }[];
}

/** Answers from the finest tier that reaches back so far, folded until it is no longer than wanted. */
export function answerSeries(store: HistoryStore, question: SeriesQuestion): SeriesAnswer {
  const tier = tierFor(store, question);
  const edges = store.edges(tier);
  // Nothing is there before: points need not be longer for it.
  const fromMs = Math.max(question.fromMs, (edges?.firstMs ?? 0) - historyTiers[tier]!.stepMs);
  const toMs = Math.max(fromMs, Math.min(question.toMs, edges?.lastMs ?? 0));
  const { stepMs: ownMs, name } = historyTiers[tier]!;
  const room = Math.min(
    pointsOfOneMax,
    Math.floor(pointsMax / Math.max(1, store.countOf(question))),
  );
  const leastMs = Math.max(question.stepMs ?? ownMs, (toMs - fromMs) / room);
  const stepMs = Math.ceil(leastMs / ownMs) * ownMs;
  const found = store.read(tier, { fromMs, toMs, stepMs }, question);
  return {
    fromMs: question.fromMs,
    toMs: question.toMs,
    tier: name,
    stepMs,
    figures: figureNames,
    series: found.map(({ key, points }) => ({
      ...key,
      points: shown(points),
    })),
  };
}

function tierFor(store: HistoryStore, { fromMs, toMs, stepMs }: SeriesQuestion): number {
  const last = historyTiers.length - 1;
  for (let tier = 0; tier < last; tier++) {
    const { stepMs: ownMs } = historyTiers[tier]!;
    const nextMs = historyTiers[tier + 1]!.stepMs;
    const isFineEnough = stepMs !== null && stepMs >= nextMs;
    const isTooMuch = (toMs - fromMs) / ownMs > pointsOfOneMax;
    const edges = store.edges(tier);
    const coarser = store.edges(tier + 1);
    // A coarser tier is better only where it reaches further back.
    const reaches = edges !== null && edges.firstMs - ownMs <= Math.max(fromMs, 0);
    const isBest = coarser === null || (edges !== null && edges.firstMs <= coarser.firstMs);
    if (!isFineEnough && !isTooMuch && (reaches || isBest)) return tier;
  }
  return last;
}

function shown(points: HistorySeries['points']): number[][] {
  return points.map(({ atMs, spanMs, figures }) => [
    atMs,
    spanMs,
    ...Array.from(figures, (value) => Math.round(value)),
  ]);
}
