/**
 * A server as a queue: `places` requests are worked on at a time, each for `serviceMs`; the others
 * wait in it. All of what a plan says of a server comes from these three numbers.
 */
export interface QueueCurve {
  /** Requests that it works on at a time; a fraction where that is what fits best. */
  readonly places: number;
  /** Time of one request when nothing waits, ms. */
  readonly serviceMs: number;
  /** Half the sum of the squared variations of arrivals and of work: 0.5 for regular work, 1 for exponential. */
  readonly variability: number;
}

/** Requests per second at which it is busy all the time: more cannot be had. */
export function saturationOf({ places, serviceMs }: QueueCurve): number {
  return (places * 1_000) / serviceMs;
}

/**
 * Mean requests in it (worked on and waiting) at a share of its saturation, 0 ≤ load < 1.
 *
 *     N = c·ρ + V · ρ^√(2(c+1)) / (1 − ρ)
 *
 * Source: Sakasegawa's approximation of waiting in G/G/c (H. Sakasegawa, "An approximation formula
 * Lq ≈ α·ρ^β/(1−ρ)", 1977), which is exact for one place and exponential times.
 */
export function inServerAt({ places, variability }: QueueCurve, load: number): number {
  return places * load + (variability * load ** Math.sqrt(2 * (places + 1))) / (1 - load);
}

/** The share of saturation at which the mean in it is `inServer`; rises towards 1 and never gets there. */
export function loadAt(curve: QueueCurve, inServer: number): number {
  let low = 0;
  let high = 1;
  // Neither the line without waiting nor the pole is ever exceeded; then secants, kept between.
  let load = Math.min(inServer / curve.places, inServer / (inServer + curve.variability));
  for (let i = 0; i < ITERATIONS; i++) {
    const error = inServerAt(curve, load) - inServer;
    if (Math.abs(error) < 1e-9 * inServer) break;
    if (error > 0) high = load;
    else low = load;
    const next = load - error / slopeAt(curve, load);
    load = next > low && next < high ? next : (low + high) / 2;
  }
  return load;
}

const ITERATIONS = 40;

function slopeAt({ places, variability }: QueueCurve, load: number): number {
  const power = Math.sqrt(2 * (places + 1));
  const waiting = (variability * load ** power) / (1 - load);
  return places + waiting * (power / Math.max(load, 1e-12) + 1 / (1 - load));
}
