import { loadAt, type QueueCurve, saturationOf } from './queue-curve.ts';

/** A measurement of one server over some time. */
export interface LoadPoint {
  /** Requests per second that it answered. */
  readonly rate: number;
  /** Mean of what was in it. */
  readonly inServer: number;
  /** Requests that this is made of. */
  readonly weight: number;
}

const ITERATIONS = 60;
/** The formula and the world differ by about this much, however many requests were counted. */
const MODEL_ERROR = 0.01;
/** How sure `variability` is known beforehand: within about a third. */
const PRIOR_SPREAD = 0.3;

/** What a fit begins with. */
export interface FitStart {
  readonly serviceMs: number;
  /** Highest rate seen. */
  readonly rateMax: number;
  readonly variability: number;
}

/**
 * The curve that explains points best, by least squares over the logarithms of saturation, service
 * time and variability (Levenberg–Marquardt). What is compared is the rate that the curve gives at
 * the concurrency that was seen: below the knee both tell the service time, above it only the
 * saturation, so that points of an overloaded server count for what they are worth. `factors`: where to
 * begin, over the highest rate. Cost: some 10 ms for 200 points and a start.
 */
export function fitCurve(
  points: readonly LoadPoint[],
  start: FitStart,
  factors: readonly number[] = startFactors,
): QueueCurve {
  let best: QueueCurve | null = null;
  let bestCost = Number.POSITIVE_INFINITY;
  for (const factor of factors) {
    const { curve, cost } = descend(points, start, start.rateMax * factor);
    if (cost < bestCost) {
      best = curve;
      bestCost = cost;
    }
  }
  return best as QueueCurve;
}

/** Over the highest rate seen. The valley is bent: from one start alone the fit may stop half-way. */
const startFactors = [1.05, 1.5, 3];

type Parameters = readonly [saturation: number, serviceMs: number, variability: number];

function descend(
  points: readonly LoadPoint[],
  start: FitStart,
  saturation: number,
): { readonly curve: QueueCurve; readonly cost: number } {
  let at: Parameters = [
    Math.log(saturation),
    Math.log(start.serviceMs),
    Math.log(start.variability),
  ];
  let residuals = residualsAt(points, at, start);
  let cost = costOf(residuals);
  let damping = 1e-2;
  for (let i = 0; i < ITERATIONS && damping < 1e8; i++) {
    const next = step(points, at, residuals, { start, damping });
    const nextResiduals = residualsAt(points, next, start);
    const nextCost = costOf(nextResiduals);
    if (nextCost < cost) {
      const isDone = cost - nextCost < 1e-9 * cost;
      at = next;
      residuals = nextResiduals;
      cost = nextCost;
      damping /= 5;
      if (isDone) break;
    } else damping *= 4;
  }
  return { curve: curveAt(at), cost };
}

function curveAt([saturation, serviceMs, variability]: Parameters): QueueCurve {
  const service = Math.exp(serviceMs);
  const places = (Math.exp(saturation) * service) / 1_000;
  return { places, serviceMs: service, variability: Math.exp(variability) };
}

function residualsAt(points: readonly LoadPoint[], at: Parameters, start: FitStart): Float64Array {
  const curve = curveAt(at);
  const saturation = saturationOf(curve);
  const residuals = new Float64Array(points.length + 1);
  for (const [index, { rate, inServer, weight }] of points.entries()) {
    const expected = saturation * loadAt(curve, inServer);
    const spread = Math.hypot(MODEL_ERROR, 1 / Math.sqrt(weight));
    residuals[index] = (Math.log(rate) - Math.log(Math.max(expected, 1e-9))) / spread;
  }
  residuals[points.length] = (at[2] - Math.log(start.variability)) / PRIOR_SPREAD;
  return residuals;
}

function costOf(residuals: Float64Array): number {
  let sum = 0;
  for (const residual of residuals) sum += residual * residual;
  return sum;
}

/** One damped Gauss–Newton step; derivatives by differences. */
function step(
  points: readonly LoadPoint[],
  at: Parameters,
  residuals: Float64Array,
  { start, damping }: { readonly start: FitStart; readonly damping: number },
): Parameters {
  const width = 1e-5;
  const slopes = at.map((_, axis) => {
    const moved = at.map((value, i) => (i === axis ? value + width : value));
    const there = residualsAt(points, moved as unknown as Parameters, start);
    return there.map((value, i) => (value - residuals[i]!) / width);
  });
  const matrix = slopes.map((a, i) =>
    slopes.map((b, j) => dot(a, b) * (i === j ? 1 + damping : 1)),
  );
  const move = solve3(
    matrix,
    slopes.map((slope) => -dot(slope, residuals)),
  );
  // At most a factor of two a step: a far leap lands where the curve is flat and tells nothing.
  return at.map(
    (value, i) => value + Math.max(-0.7, Math.min(0.7, move[i]!)),
  ) as unknown as Parameters;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Solves three equations by elimination with pivots; what is not determined stays 0. */
function solve3(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  for (let column = 0; column < 3; column++) {
    let pivot = column;
    for (let row = column + 1; row < 3; row++) {
      if (Math.abs(rows[row]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = row;
    }
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    const head = rows[column]!;
    if (Math.abs(head[column]!) < 1e-12) continue;
    for (let row = 0; row < 3; row++) {
      if (row === column) continue;
      const factor = rows[row]![column]! / head[column]!;
      for (let i = column; i < 4; i++) rows[row]![i]! -= factor * head[i]!;
    }
  }
  return rows.map((row, i) => (Math.abs(row[i]!) < 1e-12 ? 0 : row[3]! / row[i]!));
}
