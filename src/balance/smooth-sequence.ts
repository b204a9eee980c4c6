import type { Candidate } from './policy.ts';

/** Length of a sequence at most, or so many turns per server if that is more. */
const PERIOD_MAX = 8192;
const TURNS_MAX = 32;
const GOLDEN = 0.618_033_988_749_895;
/** Turns × servers that the exact way may cost (about 10 ms). */
const STEPS_MAX = 4_000_000;

/**
 * One period of smooth weighted round robin as indexes of candidates. At each step every server's
 * credit grows by its weight; the largest credit is picked (the first one of equals) and falls by
 * the sum of weights. After as many steps as that sum all credits are zero again, so the sequence
 * repeats and can be worked out once.
 *
 * Shape: weights 5:1:1 give `a a b a c a a`. Range: weights are divided by their common divisor;
 * when their sum still exceeds 8,192 (or 32 per server, if that is more) they are scaled down to
 * it, at least 1 each. Cost: O(period × servers), once per change of the eligible set; above 4
 * million steps the turns are laid out evenly and sorted instead, O(period).
 * Source: nginx's smooth weighted round robin, without its lowering of weights on errors.
 */
export function smoothSequence(candidates: readonly Candidate[]): Uint16Array {
  const count = candidates.length;
  const weights = reducedWeights(candidates);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  // All weights 1: the credits would only replay the written order, in quadratic time.
  if (sum === count) return Uint16Array.from(candidates.keys());
  if (sum * count > STEPS_MAX) return sortedTurns(weights, sum);
  const sequence = new Uint16Array(sum);
  const credits = new Float64Array(count);
  for (let step = 0; step < sum; step++) {
    let best = 0;
    for (let at = 0; at < count; at++) {
      credits[at]! += weights[at]!;
      if (credits[at]! > credits[best]!) best = at;
    }
    credits[best]! -= sum;
    sequence[step] = best;
  }
  return sequence;
}

/**
 * The k-th turn of a server of weight w comes at (k + phase) / w of the period. Phases are spread by
 * the golden ratio, or all servers of one weight would come in a row. A counting sort, so linear.
 */
function sortedTurns(weights: readonly number[], sum: number): Uint16Array {
  const placeOf = (at: number, nth: number, weight: number): number =>
    Math.floor(((nth + ((at * GOLDEN) % 1)) / weight) * sum);
  const ends = new Uint32Array(sum + 1);
  for (const [at, weight] of weights.entries()) {
    for (let nth = 0; nth < weight; nth++) ends[placeOf(at, nth, weight) + 1]! += 1;
  }
  for (let place = 1; place <= sum; place++) ends[place]! += ends[place - 1]!;
  const sequence = new Uint16Array(sum);
  for (const [at, weight] of weights.entries()) {
    for (let nth = 0; nth < weight; nth++) {
      const place = placeOf(at, nth, weight);
      sequence[ends[place]!] = at;
      ends[place]! += 1;
    }
  }
  return sequence;
}

function reducedWeights(candidates: readonly Candidate[]): number[] {
  const divisor = candidates.reduce((common, { weight }) => commonDivisor(common, weight), 0) || 1;
  const weights = candidates.map(({ weight }) => weight / divisor);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const count = candidates.length;
  const periodMax = Math.max(TURNS_MAX * count, PERIOD_MAX);
  if (sum <= periodMax) return weights;
  return weights.map((weight) => Math.max(1, Math.floor((weight * (periodMax - count)) / sum)));
}

/**
 * Euclid. Weights are whole; a fraction would end as a tiny divisor and is scaled down like any
 * long period.
 */
function commonDivisor(one: number, other: number): number {
  let [large, small] = [one, other];
  while (small > 0) [large, small] = [small, large % small];
  return large;
}
