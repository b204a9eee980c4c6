import { bellOf } from '../limit/shared-queue.ts';
import type { Plane } from './plane.ts';

/**
 * Wakes this worker's queues when another worker rings: listens only while somebody waits here, so that a worker
 * without waiters hears and pays nothing.
 */
export class TurnBell {
  readonly #plane: Plane;
  readonly #at: number;
  #isListening = false;

  constructor(plane: Plane) {
    this.#plane = plane;
    this.#at = bellOf(plane.worker);
  }

  /** Call it after the waiter's ticket is shown and before its first look for a place. */
  listen(): void {
    if (!this.#isListening) this.#listenFrom(Atomics.load(this.#plane.words.doorbell, this.#at));
  }

  /** One look for places for all who wait here; true when some still do. */
  serve(): boolean {
    let hasWaiters = false;
    for (const gate of this.#plane.gates.values()) {
      if (gate.count === 0) continue;
      gate.serve();
      if (gate.count > 0) hasWaiters = true;
    }
    return hasWaiters;
  }

  #listenFrom(seen: number): void {
    this.#isListening = true;
    this.#plane.driver.whenMoved(this.#plane.words.doorbell, this.#at, seen, () => {
      this.#isListening = false;
      // Before the look: a ring that comes during it is heard afterwards.
      const next = Atomics.load(this.#plane.words.doorbell, this.#at);
      if (this.serve()) this.#listenFrom(next);
    });
  }
}
