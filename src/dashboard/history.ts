import { useEffect, useState } from 'preact/hooks';
import { Figure } from '../model/history.ts';
import { ask } from './session.ts';
import type { Point } from './store.ts';

/** What the page takes of the answer of `/v1/history`. */
interface Answer {
  readonly series: readonly { readonly points: readonly (readonly number[])[] }[];
}

/** Points asked for of any span: as many as a chart has room for. */
const pointsWanted = 600;
const askAgainMsMin = 10_000;
const stepMsMin = 1_000;

/**
 * What all routes together did in the last `spanMs`, oldest first, as the balancer remembers it; asked again now
 * and then. Percentiles are means over the routes' requests. None where no history is kept.
 */
export function useHistory(spanMs: number, isKept: boolean): readonly Point[] {
  const [points, setPoints] = useState<readonly Point[]>([]);
  useEffect(() => {
    if (!isKept) return;
    let isWanted = true;
    const step = Math.max(stepMsMin, Math.ceil(spanMs / pointsWanted / 1_000) * 1_000);
    const look = async (): Promise<void> => {
      const query = `kind=route&from=-${spanMs / 1_000}s&step=${step / 1_000}s`;
      const answer = await ask('GET', `/v1/history?${query}`);
      if (isWanted && answer.ok) setPoints(sumOf((answer.body as Answer).series));
    };
    void look();
    const timer = setInterval(() => void look(), Math.max(askAgainMsMin, step));
    return () => {
      isWanted = false;
      clearInterval(timer);
    };
  }, [spanMs, isKept]);
  return points;
}

interface Sum {
  spanMs: number;
  requests: number;
  errors: number;
  bytesOut: number;
  inFlight: number;
  /** Percentiles times requests. */
  readonly weighedUs: [number, number, number];
}

function sumOf(series: Answer['series']): Point[] {
  const sums = new Map<number, Sum>();
  for (const { points } of series) {
    for (const [atMs = 0, spanMs = 0, ...figures] of points) {
      const of = (figure: number): number => figures[figure] ?? 0;
      const sum = sums.get(atMs) ?? {
        spanMs,
        requests: 0,
        errors: 0,
        bytesOut: 0,
        inFlight: 0,
        weighedUs: [0, 0, 0],
      };
      sums.set(atMs, sum);
      const requests = of(Figure.REQUESTS);
      sum.requests += requests;
      sum.errors += of(Figure.ERRORS);
      sum.bytesOut += of(Figure.BYTES_OUT);
      sum.inFlight += of(Figure.IN_FLIGHT) / 1_000;
      sum.weighedUs[0] += of(Figure.P50_US) * requests;
      sum.weighedUs[1] += of(Figure.P90_US) * requests;
      sum.weighedUs[2] += of(Figure.P99_US) * requests;
    }
  }
  return [...sums].sort(([a], [b]) => a - b).map(([atMs, sum]) => pointOf(atMs, sum));
}

function pointOf(atMs: number, sum: Sum): Point {
  const { spanMs, requests, weighedUs } = sum;
  const perSecond = spanMs === 0 ? 0 : 1_000 / spanMs;
  const meanOf = (weighed: number): number | null => (requests === 0 ? null : weighed / requests);
  return {
    atMs,
    spanMs,
    requests: requests * perSecond,
    clientErrors: null,
    failed: sum.errors * perSecond,
    p50Us: meanOf(weighedUs[0]),
    p90Us: meanOf(weighedUs[1]),
    p99Us: meanOf(weighedUs[2]),
    inFlight: sum.inFlight,
    queued: 0,
    links: 0,
    busy: 0,
    bytesOut: sum.bytesOut * perSecond,
    heat: {},
  };
}
