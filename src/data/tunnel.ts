import { TimerEntry } from '../base/timing-wheel.ts';
import type { FailureCode } from '../model/failure.ts';
import { limits } from '../model/limits.ts';
import type { BufferPool, Link, LinkHandler } from '../platform/driver.ts';
import type { Plane } from './plane.ts';
import { sendSparing } from './send-sparing.ts';

/** Bytes that a tunnel has carried each way. */
export interface TunnelBytes {
  readonly toNear: number;
  readonly toFar: number;
}

/**
 * Two links that pass bytes on to each other: TCP listeners and upgraded HTTP links. Buffers go through
 * untouched; a slow side pauses the other; each half ends by itself; no progress for
 * `timeouts.tunnel` ends both.
 */
export class Tunnel {
  readonly #plane: Plane;
  readonly #near: TunnelHalf;
  readonly #far: TunnelHalf;
  readonly #timer: TimerEntry;
  readonly #onEnd: (bytes: TunnelBytes, failure: FailureCode | null) => void;
  #isOver = false;

  constructor(
    plane: Plane,
    near: Link,
    far: Link,
    onEnd: (bytes: TunnelBytes, failure: FailureCode | null) => void,
  ) {
    this.#plane = plane;
    this.#onEnd = onEnd;
    this.#near = new TunnelHalf(this, near);
    this.#far = new TunnelHalf(this, far);
    this.#near.other = this.#far;
    this.#far.other = this.#near;
    near.handler = this.#near;
    far.handler = this.#far;
    this.#timer = new TimerEntry((nowMs) => this.#onTimer(nowMs));
    plane.wheel.schedule(this.#timer, plane.driver.now() + this.#idleMs);
  }

  get buffers(): BufferPool {
    return this.#plane.buffers;
  }

  get #idleMs(): number {
    return this.#plane.tunnelIdleMs;
  }

  /** Passes on what had already arrived on either side: `id, offset, length` triples with their references. */
  start(fromNear: readonly number[], fromFar: readonly number[]): void {
    this.#near.passAll(fromNear, this.#plane);
    this.#far.passAll(fromFar, this.#plane);
  }

  /** The near side had ended before the tunnel began. */
  nearEnded(): void {
    this.#near.onEnd();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Ends both sides at once, for a reason of ours. */
  end(code: FailureCode): void {
    this.#failure ??= code;
    this.#near.link.abort();
    this.#far.link.abort();
  }

  /** One half is gone: the other ends too, in order when the first did. */
  halfClosed(half: TunnelHalf, errno: number): void {
    const other = half.other;
    if (other.isClosed) {
      this.#over();
      return;
    }
    if (errno !== 0) {
      this.#failure ??= half === this.#near ? 'client-aborted' : 'upstream-body-cut';
      other.link.abort();
    } else other.link.close();
  }

  /** Both directions have ended in order. */
  bothEnded(): void {
    this.#near.link.close();
    this.#far.link.close();
  }

  #failure: FailureCode | null = null;

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#plane.wheel.cancel(this.#timer);
    this.#onEnd({ toNear: this.#far.passedBytes, toFar: this.#near.passedBytes }, this.#failure);
  }

  #onTimer(nowMs: number): void {
    const progressMs = Math.max(this.#near.link.progressAtMs, this.#far.link.progressAtMs);
    if (nowMs - progressMs < this.#idleMs) {
      this.#plane.wheel.schedule(this.#timer, progressMs + this.#idleMs);
      return;
    }
    this.#failure = 'upstream-body-stalled';
    this.#near.link.abort();
    this.#far.link.abort();
  }
}

/** One side of a tunnel: passes what arrives to the other. */
class TunnelHalf implements LinkHandler {
  readonly link: Link;
  other!: TunnelHalf;
  isClosed = false;
  hasEnded = false;
  /** Bytes that arrived here and were passed on. */
  passedBytes = 0;
  #isPaused = false;
  readonly #tunnel: Tunnel;

  constructor(tunnel: Tunnel, link: Link) {
    this.#tunnel = tunnel;
    this.link = link;
  }

  passAll(pieces: readonly number[], plane: Plane): void {
    for (let i = 0; i < pieces.length; i += 3) {
      if (pieces[i + 2] === 0) plane.buffers.release(pieces[i]!);
      else this.onReceive(this.link, pieces[i]!, pieces[i + 1]!, pieces[i + 2]!);
    }
  }

  onConnected(): void {}

  onReceive(_link: Link, id: number, offset: number, length: number): void {
    this.passedBytes += length;
    const to = this.other.link;
    sendSparing(this.#tunnel.buffers, to, id, offset, length);
    if (!this.#isPaused && to.queuedBytes > limits.queueHighBytes) {
      this.#isPaused = true;
      this.link.pause();
    }
  }

  onEnd(): void {
    this.hasEnded = true;
    if (this.other.hasEnded) this.#tunnel.bothEnded();
    else this.other.link.end();
  }

  onDrain(): void {
    const source = this.other;
    if (!source.#isPaused) return;
    source.#isPaused = false;
    source.link.resume();
  }

  onClosed(_link: Link, errno: number): void {
    this.isClosed = true;
    this.#tunnel.halfClosed(this, errno);
  }
}
