import { bucketOf, histogramBuckets, quantile } from '../base/histogram.ts';

/** How a request ended for its client. */
export type Outcome = 'ok' | 'error' | 'gave-up' | 'cut';

/** Points of a course over time. */
const POINTS = 120;

/** What happened within one stretch of the run. */
export interface CoursePoint {
  readonly atUs: number;
  requests: number;
  failures: number;
  p99Us: number;
}

/**
 * Counts how requests end for clients. Latencies are those of good answers, and of clients that gave up,
 * by when they did; a quick 503 would only make them look better.
 */
export class Tally {
  ok = 0;
  /** Answers of 500 and above. */
  errors = 0;
  gaveUp = 0;
  /** The link was closed before the answer was whole. */
  cut = 0;
  readonly latency: Uint32Array = new Uint32Array(histogramBuckets);
  readonly course: CoursePoint[] = [];
  latencyLongestUs = 0;
  readonly #pointUs: number;
  readonly #fromUs: number;
  readonly #pointLatency: Uint32Array = new Uint32Array(histogramBuckets);

  /** Requests that began before `fromUs` are in the course only. */
  constructor(durationUs: number, fromUs: number) {
    this.#pointUs = Math.max(1_000_000, Math.ceil(durationUs / POINTS));
    this.#fromUs = fromUs;
  }

  get requests(): number {
    return this.ok + this.errors + this.gaveUp + this.cut;
  }

  /** Share of requests that did not end well; 0 for none. */
  get failureRatio(): number {
    return this.requests === 0 ? 0 : 1 - this.ok / this.requests;
  }

  /** A request ended now. */
  record(outcome: Outcome, startedAtUs: number, nowUs: number): void {
    const latencyUs = nowUs - startedAtUs;
    const isTimed = outcome === 'ok' || outcome === 'gave-up';
    const point = this.#pointAt(nowUs);
    point.requests++;
    if (outcome !== 'ok') point.failures++;
    if (isTimed) this.#pointLatency[bucketOf(latencyUs)]! += 1;
    if (startedAtUs < this.#fromUs) return;
    if (outcome === 'ok') this.ok++;
    else if (outcome === 'error') this.errors++;
    else if (outcome === 'gave-up') this.gaveUp++;
    else this.cut++;
    if (!isTimed) return;
    this.latency[bucketOf(latencyUs)]! += 1;
    this.latencyLongestUs = Math.max(this.latencyLongestUs, latencyUs);
  }

  /** Ends the course; call it once, after the last request. */
  finish(): void {
    this.#closePoint();
  }

  /** Latency below which the share `q` of requests ended, µs. */
  latencyUs(q: number): number {
    return quantile(this.latency, q);
  }

  #pointAt(nowUs: number): CoursePoint {
    const atUs = Math.floor(nowUs / this.#pointUs) * this.#pointUs;
    let last = this.course.at(-1);
    if (last === undefined || last.atUs !== atUs) {
      this.#closePoint();
      last = { atUs, requests: 0, failures: 0, p99Us: 0 };
      this.course.push(last);
    }
    return last;
  }

  #closePoint(): void {
    const last = this.course.at(-1);
    if (last === undefined) return;
    last.p99Us = quantile(this.#pointLatency, 0.99);
    this.#pointLatency.fill(0);
  }
}
