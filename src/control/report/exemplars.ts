import type { SlowRequest } from '../../model/messages.ts';
import { boundFor, type Exemplar, type Labels } from './exposition.ts';

/** An exemplar is shown so long: a scrape or two at the usual intervals. */
const SHOWN_MS = 60_000;

/** The last slow request of each route in each bucket. Bound: fifteen of each route that has traffic. */
export class Exemplars {
  readonly #byRoute = new Map<number, Map<number, SlowRequest>>();

  take(found: readonly SlowRequest[]): void {
    for (const request of found) {
      const known = this.#byRoute.get(request.route) ?? new Map<number, SlowRequest>();
      known.set(boundFor(request.us / 1e6), request);
      this.#byRoute.set(request.route, known);
    }
  }

  /** Those of a route's slot that are recent; older ones are forgotten. */
  of(route: number, nowMs: number): readonly Exemplar[] {
    const known = this.#byRoute.get(route);
    if (known === undefined) return [];
    for (const [bound, { atMs }] of known) if (nowMs - atMs > SHOWN_MS) known.delete(bound);
    return [...known.values()].map((request) => ({
      labels: labelsOf(request),
      seconds: request.us / 1e6,
      atSeconds: request.atMs / 1000,
    }));
  }
}

function labelsOf({ request, trace }: SlowRequest): Labels {
  return {
    ...(request === null ? {} : { request_id: request }),
    ...(trace === null ? {} : { trace_id: trace }),
  };
}
