import { countedFigures, Figure, figureCount, type HistoryPoint } from '../../model/history.ts';

/**
 * Makes one point of several of one series. Counts add up; what was in flight and in traffic is
 * averaged over time; percentiles are averaged over requests, which is exact only where they agree:
 * the parts' own histograms are gone. Errors: none; no points give an empty one.
 */
export function foldPoints(points: readonly HistoryPoint[]): HistoryPoint {
  const figures = new Float64Array(figureCount);
  let spanMs = 0;
  let atMs = 0;
  for (const point of points) {
    const of = point.figures;
    const requests = of[Figure.REQUESTS]!;
    for (let i = 0; i < countedFigures; i++) figures[i]! += of[i]!;
    figures[Figure.IN_FLIGHT]! += of[Figure.IN_FLIGHT]! * point.spanMs;
    figures[Figure.UP]! += of[Figure.UP]! * point.spanMs;
    for (const percentile of percentiles) figures[percentile]! += of[percentile]! * requests;
    figures[Figure.IN_FLIGHT_MAX] = Math.max(
      figures[Figure.IN_FLIGHT_MAX]!,
      of[Figure.IN_FLIGHT_MAX]!,
    );
    spanMs += point.spanMs;
    atMs = Math.max(atMs, point.atMs);
  }
  if (spanMs > 0) {
    figures[Figure.IN_FLIGHT]! /= spanMs;
    figures[Figure.UP]! /= spanMs;
  }
  const requests = figures[Figure.REQUESTS]!;
  if (requests > 0) for (const percentile of percentiles) figures[percentile]! /= requests;
  return { atMs, spanMs, figures };
}

const percentiles = [Figure.P50_US, Figure.P90_US, Figure.P99_US];

/** Folds points, oldest first, into steps that begin at whole multiples of `stepMs`. */
export function foldBy(points: readonly HistoryPoint[], stepMs: number): HistoryPoint[] {
  const folded: HistoryPoint[] = [];
  let step: HistoryPoint[] = [];
  let stepOf = Number.NaN;
  for (const point of points) {
    // A point's time is its end, which belongs to the step that it closes.
    const of = Math.ceil(point.atMs / stepMs);
    if (of !== stepOf && step.length > 0) {
      folded.push(foldPoints(step));
      step = [];
    }
    stepOf = of;
    step.push(point);
  }
  if (step.length > 0) folded.push(foldPoints(step));
  return folded;
}
