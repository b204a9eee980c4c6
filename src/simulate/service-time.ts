/** How long a server works on a request. */
export interface ServiceTime {
  readonly distribution: 'constant' | 'exponential' | 'lognormal';
  readonly meanUs: number;
  /** Standard deviation of the logarithm; `lognormal` only. */
  readonly spread: number;
}

/** Draws one service time, µs. `random`: 0 ≤ x < 1. Cost: up to two logarithms. */
export function drawServiceUs(time: ServiceTime, random: () => number): number {
  switch (time.distribution) {
    case 'constant':
      return time.meanUs;
    case 'exponential':
      return drawExponential(time.meanUs, random);
    case 'lognormal':
      // The mean of a lognormal variable is exp(µ + σ²/2): µ is chosen so that it is `meanUs`.
      return time.meanUs * Math.exp(time.spread * drawNormal(random) - time.spread ** 2 / 2);
  }
}

/** Time to the next event of a Poisson process with this mean distance. */
export function drawExponential(mean: number, random: () => number): number {
  return -mean * Math.log(1 - random());
}

/** A normal deviate by Box and Muller (1958); the second one of each pair is thrown away. */
function drawNormal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
