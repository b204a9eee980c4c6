import { limits } from '../model/limits.ts';
import type { SlowRequest } from '../model/messages.ts';
import type { Exchange } from './exchange.ts';
import type { Plane } from './plane.ts';

/** A tenth less each second: after half a minute of quicker requests a slow one is not held against them any more. */
const FADE = 0.9;

/**
 * The slowest request of each route lately, for exemplars. A request that is not slower than the last
 * one noted costs a compare; routes that are always equally slow note one a second or so.
 */
export class SlowRequests {
  /** By route slot: what a request must exceed to be noted, µs. */
  readonly leastUs: Int32Array = new Int32Array(limits.routes);
  readonly #found = new Map<number, SlowRequest>();

  /** The request took longer than `leastUs` of its route. Cost: texts are made; rare. */
  note(plane: Plane, exchange: Exchange, route: number, us: number): void {
    this.leastUs[route] = us;
    const { requestNumber, trace } = exchange;
    // Without an id nobody could look it up.
    if (requestNumber < 0 && trace === null) return;
    this.#found.set(route, {
      route,
      us,
      request: requestNumber < 0 ? null : plane.requestIdText(requestNumber),
      trace: trace === null ? null : trace.start.trace.map(word).join(''),
      atMs: plane.wallClock(),
    });
  }

  /** What was noted since the last call. Call it once a second. Cost: one pass over all route slots. */
  take(): readonly SlowRequest[] {
    for (let route = 0; route < limits.routes; route++) {
      if (this.leastUs[route] !== 0) this.leastUs[route] = this.leastUs[route]! * FADE;
    }
    const found = [...this.#found.values()];
    this.#found.clear();
    return found;
  }
}

function word(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}
