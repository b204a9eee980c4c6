import { limits } from '../model/limits.ts';
import type { DialAddress } from '../model/snapshot.ts';
import type {
  BufferPool,
  DialTarget,
  Driver,
  Link,
  LinkHandler,
  Listening,
  ListenTarget,
} from '../platform/driver.ts';
import { PlainBuffers } from '../platform/plain-buffers.ts';

/** Bytes that were sent and that the peer has not taken: `id, offset, length`, each with a reference. */
type Waiting = [id: number, offset: number, length: number];

/**
 * A link without a socket: what is sent waits until the peer takes it (at once unless `isHeld`), what
 * arrives is put in by the test. Bytes are read when they are taken, as by a kernel, so that a buffer
 * that is overwritten too early shows.
 */
export class FakeLink implements Link {
  handler!: LinkHandler;
  context: unknown = null;
  isConnected: boolean;
  isOpen = true;
  queuedBytes = 0;
  sentBytes = 0;
  receivedBytes = 0;
  progressAtMs: number;
  /** What was dialled; null for accepted links. */
  target: DialTarget | null = null;
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 40_000;
  readonly localPort = 80;
  isPaused = false;
  /** We said our last: `end()` was called. */
  hasEnded = false;
  wasAborted = false;
  /** `onClosed` was called. */
  isGone = false;
  /** Sends on a closed link: allowed by the interface, though the data plane should know better. */
  lateSends = 0;
  /** All that the peer took, as latin1 text; not kept when `keepsText` is false. */
  text = '';
  keepsText = true;
  /** The peer reads nothing until `take` or `release`. */
  isHeld = false;
  #isClosing = false;
  #wasHigh = false;
  readonly #queue: Waiting[] = [];
  /** The copy that was queued last: more may be copied behind it while it is the last to wait. */
  #lastCopy: Waiting | null = null;
  readonly #driver: FakeDriver;

  constructor(driver: FakeDriver, isConnected: boolean) {
    this.#driver = driver;
    this.isConnected = isConnected;
    this.progressAtMs = driver.nowMs;
  }

  send(id: number, offset: number, length: number): void {
    if (!this.isOpen) {
      this.lateSends++;
      this.#driver.buffers.release(id);
      return;
    }
    if (!this.isHeld && this.isConnected && this.#queue.length === 0) {
      this.progressAtMs = this.#driver.nowMs;
      this.#read(offset, length);
      this.#driver.buffers.release(id);
      return;
    }
    this.#queue.push([id, offset, length]);
    this.#queued(length);
  }

  sendCopy(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.isOpen) {
      this.lateSends++;
      return true;
    }
    const pool = this.#driver.buffers;
    const pieces: Waiting[] = [];
    let at = Math.min(end, start + this.#tailBytes());
    const appended = at - start;
    while (at < end) {
      const id = pool.acquire();
      if (id < 0) {
        for (const piece of pieces) pool.release(piece[0]);
        return false;
      }
      const length = Math.min(pool.sizeBytes, end - at);
      pool.bytes.set(bytes.subarray(at, at + length), pool.startOf(id));
      pieces.push([id, pool.startOf(id), length]);
      at += length;
    }
    if (appended > 0) {
      const last = this.#queue.at(-1)!;
      pool.bytes.set(bytes.subarray(start, start + appended), last[1] + last[2]);
      last[2] += appended;
    }
    if (pieces.length > 0) this.#lastCopy = pieces.at(-1)!;
    this.#queue.push(...pieces);
    this.#queued(end - start);
    return true;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(): void {
    this.hasEnded = true;
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#isClosing = true;
    if (this.#queue.length === 0) this.#closed();
  }

  abort(): void {
    if (this.#driver.isStrict && this.isGone) throw new Error('abort() after onClosed');
    if (!this.isOpen && !this.#isClosing) return;
    this.wasAborted = true;
    this.isOpen = false;
    this.#drop();
    this.#closed();
  }

  /** Bytes arrive. */
  receive(text: string | Uint8Array): void {
    if (!this.isOpen) return;
    const pool = this.#driver.buffers;
    const id = pool.acquire();
    if (id < 0) throw new Error('no buffer to receive into');
    const at = pool.startOf(id) + pool.headroomBytes;
    const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
    pool.bytes.set(bytes, at);
    this.receivedBytes += bytes.length;
    this.progressAtMs = this.#driver.nowMs;
    this.handler.onReceive(this, id, at, bytes.length);
    this.#driver.settle();
  }

  /** The peer's FIN arrives. */
  receiveEnd(): void {
    if (!this.isOpen) return;
    this.handler.onEnd(this);
    this.#driver.settle();
  }

  /** The dialled link connects. */
  connect(): void {
    if (this.isGone || this.isConnected) return;
    this.isConnected = true;
    this.progressAtMs = this.#driver.nowMs;
    if (this.isOpen) this.handler.onConnected(this);
    this.#takeFreely();
    this.#driver.settle();
  }

  /** The link dies. */
  die(errno: number): void {
    if (this.isGone) return;
    this.isOpen = false;
    this.isGone = true;
    this.#drop();
    this.handler.onClosed(this, errno);
    this.#driver.settle();
  }

  /** The peer reads up to `bytes` of what waits. */
  take(bytes: number): void {
    let left = this.isConnected && !this.isGone ? bytes : 0;
    while (left > 0 && this.#queue.length > 0) {
      const piece = this.#queue[0]!;
      const length = Math.min(left, piece[2]);
      this.#read(piece[1], length);
      piece[1] += length;
      piece[2] -= length;
      left -= length;
      this.queuedBytes -= length;
      this.progressAtMs = this.#driver.nowMs;
      if (piece[2] > 0) break;
      this.#queue.shift();
      this.#driver.buffers.release(piece[0]);
    }
    if (this.#wasHigh && this.queuedBytes <= limits.queueLowBytes && this.isOpen) {
      this.#wasHigh = false;
      this.#driver.later(() => {
        if (this.isOpen) this.handler.onDrain(this);
      });
    }
    if (this.#isClosing && this.#queue.length === 0) this.#closed();
  }

  /** The peer reads everything, from now on at once. */
  release(): void {
    this.isHeld = false;
    this.#takeFreely();
    this.#driver.settle();
  }

  #queued(length: number): void {
    this.queuedBytes += length;
    if (this.queuedBytes > limits.queueHighBytes) this.#wasHigh = true;
    this.#takeFreely();
  }

  #takeFreely(): void {
    if (!this.isHeld) this.take(Number.POSITIVE_INFINITY);
  }

  #read(offset: number, length: number): void {
    this.sentBytes += length;
    if (!this.keepsText) return;
    const { bytes } = this.#driver.buffers;
    this.text += Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString('latin1');
  }

  /** Bytes that fit behind the last copy. */
  #tailBytes(): number {
    const last = this.#queue.at(-1);
    if (last === undefined || last !== this.#lastCopy) return 0;
    const pool = this.#driver.buffers;
    return pool.startOf(last[0]) + pool.sizeBytes - (last[1] + last[2]);
  }

  #drop(): void {
    for (const piece of this.#queue.splice(0)) this.#driver.buffers.release(piece[0]);
    this.queuedBytes = 0;
  }

  #closed(): void {
    this.#isClosing = false;
    this.#driver.later(() => {
      if (this.isGone) return;
      this.isGone = true;
      this.handler.onClosed(this, 0);
    });
  }
}

/** A driver without a network and without a clock, for tests and benchmarks of the data plane. */
export class FakeDriver implements Driver {
  readonly name = 'portable';
  readonly buffers: BufferPool;
  onTick: (nowMs: number) => void = () => {};
  readonly acceptFailures = 0;
  readonly openListeners = 0;
  readonly openLinks = 0;
  nowMs = 0;
  /** Calls that no driver would get from a tidy data plane throw. */
  isStrict = false;
  /** Links that were dialled, oldest first. */
  readonly dialled: FakeLink[] = [];
  readonly #later: (() => void)[] = [];
  #onAccept: (link: Link) => void = () => {};
  #bell: {
    readonly words: Int32Array;
    readonly index: number;
    readonly seen: number;
    readonly ring: (nowMs: number) => void;
  } | null = null;
  #alarmAtMs = Number.POSITIVE_INFINITY;
  #ring: (nowMs: number) => void = () => {};

  constructor(buffers: BufferPool = new PlainBuffers()) {
    this.buffers = buffers;
  }

  now(): number {
    return Math.floor(this.nowMs);
  }

  nowUs(): number {
    return (this.nowMs * 1000) | 0;
  }

  preciseNow(): number {
    return this.nowMs;
  }

  alarm(ms: number, ring: (nowMs: number) => void): void {
    this.#alarmAtMs = this.nowMs + ms;
    this.#ring = ring;
  }

  whenMoved(words: Int32Array, index: number, seen: number, ring: (nowMs: number) => void): void {
    this.#bell = { words, index, seen, ring };
  }

  listen(_target: ListenTarget, onAccept: (link: Link) => void): Listening {
    this.#onAccept = onAccept;
    return { port: 80, stop: () => {}, pause: () => {}, resume: () => {} };
  }

  prepare(address: DialAddress): DialTarget {
    return { address };
  }

  dial(target: DialTarget, handler: LinkHandler): FakeLink {
    const link = new FakeLink(this, false);
    link.handler = handler;
    link.target = target;
    this.dialled.push(link);
    return link;
  }

  gauges(): Record<string, number> {
    return {};
  }

  close(): void {}

  /** A client connects. */
  accept(): FakeLink {
    const link = new FakeLink(this, true);
    this.#onAccept(link);
    this.settle();
    return link;
  }

  /** Time passes, tick by tick. */
  advance(ms: number): void {
    const until = this.nowMs + ms;
    let tickAtMs = Math.min(this.nowMs + 50, until);
    while (this.nowMs < until) {
      this.nowMs = Math.min(tickAtMs, Math.max(this.#alarmAtMs, this.nowMs));
      if (this.nowMs >= this.#alarmAtMs) {
        this.#alarmAtMs = Number.POSITIVE_INFINITY;
        this.#ring(this.nowMs);
        this.settle();
        if (this.nowMs < tickAtMs) continue;
      }
      this.onTick(this.nowMs);
      tickAtMs = Math.min(this.nowMs + 50, until);
      this.settle();
    }
  }

  later(run: () => void): void {
    this.#later.push(run);
  }

  /** Runs what a turn of the loop would have brought. */
  settle(): void {
    for (let run = this.#later.shift(); run !== undefined; run = this.#later.shift()) run();
    const bell = this.#bell;
    if (bell === null || Atomics.load(bell.words, bell.index) === bell.seen) return;
    this.#bell = null;
    bell.ring(this.nowMs);
    this.settle();
  }
}
