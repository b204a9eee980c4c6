import { TimerEntry } from '../base/timing-wheel.ts';
import type { Link, LinkHandler } from '../platform/driver.ts';
import type { Plane } from './plane.ts';

/**
 * Closes a link in order after what it has queued, and cuts it when its peer takes nothing of that for
 * `idleMs`: a peer that never reads must not hold buffers for ever. `onGone` is called once, when the link is gone.
 */
export function closeLink(plane: Plane, link: Link, idleMs: number, onGone: () => void): void {
  if (link.isOpen) link.handler = new ClosingLink(plane, link, idleMs, onGone);
  else onGone();
  link.close();
}

class ClosingLink implements LinkHandler {
  readonly #plane: Plane;
  readonly #link: Link;
  readonly #idleMs: number;
  readonly #onGone: () => void;
  readonly #sinceMs: number;
  #timer: TimerEntry | null = null;

  constructor(plane: Plane, link: Link, idleMs: number, onGone: () => void) {
    this.#plane = plane;
    this.#link = link;
    this.#idleMs = idleMs;
    this.#onGone = onGone;
    this.#sinceMs = plane.driver.now();
    if (link.queuedBytes === 0) return;
    this.#timer = new TimerEntry((nowMs) => this.#onTimer(nowMs));
    plane.wheel.schedule(this.#timer, this.#sinceMs + idleMs);
  }

  onConnected(): void {}

  onReceive(_link: Link, id: number): void {
    this.#plane.buffers.release(id);
  }

  onEnd(): void {}

  onDrain(): void {}

  onClosed(): void {
    if (this.#timer !== null) this.#plane.wheel.cancel(this.#timer);
    this.#onGone();
  }

  #onTimer(nowMs: number): void {
    const dueMs = Math.max(this.#sinceMs, this.#link.progressAtMs) + this.#idleMs;
    if (this.#timer !== null && nowMs < dueMs) this.#plane.wheel.schedule(this.#timer, dueMs);
    else this.#link.abort();
  }
}
