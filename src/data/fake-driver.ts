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

/** A link without a socket: what is sent is kept, what arrives is put in by the test. */
export class FakeLink implements Link {
  handler!: LinkHandler;
  context: unknown = null;
  isConnected: boolean;
  isOpen = true;
  queuedBytes = 0;
  sentBytes = 0;
  receivedBytes = 0;
  progressAtMs = 0;
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 40_000;
  readonly localPort = 80;
  isPaused = false;
  hasEnded = false;
  wasAborted = false;
  /** All that was sent, as latin1 text; not kept when `keepsText` is false. */
  text = '';
  keepsText = true;
  readonly #driver: FakeDriver;

  constructor(driver: FakeDriver, isConnected: boolean) {
    this.#driver = driver;
    this.isConnected = isConnected;
  }

  send(id: number, offset: number, length: number): void {
    if (this.isOpen && this.keepsText) {
      const { bytes } = this.#driver.buffers;
      this.text += Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString('latin1');
    }
    this.sentBytes += length;
    this.#driver.buffers.release(id);
  }

  sendCopy(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.isOpen && this.keepsText) this.text += Buffer.from(bytes.subarray(start, end)).toString('latin1');
    this.sentBytes += end - start;
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
    this.#closed();
  }

  abort(): void {
    this.wasAborted = this.isOpen;
    this.#closed();
  }

  /** Bytes arrive. */
  receive(text: string | Uint8Array): void {
    const pool = this.#driver.buffers;
    const id = pool.acquire();
    const at = pool.startOf(id) + pool.headroomBytes;
    const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
    pool.bytes.set(bytes, at);
    this.receivedBytes += bytes.length;
    this.handler.onReceive(this, id, at, bytes.length);
    this.#driver.settle();
  }

  /** The peer's FIN arrives. */
  receiveEnd(): void {
    this.handler.onEnd(this);
    this.#driver.settle();
  }

  /** The dialled link connects. */
  connect(): void {
    this.isConnected = true;
    this.handler.onConnected(this);
    this.#driver.settle();
  }

  /** The link dies. */
  die(errno: number): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.handler.onClosed(this, errno);
    this.#driver.settle();
  }

  #closed(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#driver.later(() => this.handler.onClosed(this, 0));
  }
}

/** A driver without a network and without a clock, for tests and benchmarks of the data plane. */
export class FakeDriver implements Driver {
  readonly name = 'portable';
  readonly buffers: BufferPool = new PlainBuffers();
  onTick: (nowMs: number) => void = () => {};
  readonly acceptFailures = 0;
  readonly openLinks = 0;
  nowMs = 0;
  /** Links that were dialled, oldest first. */
  readonly dialled: FakeLink[] = [];
  readonly #later: (() => void)[] = [];
  #onAccept: (link: Link) => void = () => {};

  now(): number {
    return this.nowMs;
  }

  preciseNow(): number {
    return this.nowMs;
  }

  listen(_target: ListenTarget, onAccept: (link: Link) => void): Listening {
    this.#onAccept = onAccept;
    return { port: 80, stop: () => {}, pause: () => {}, resume: () => {} };
  }

  prepare(address: DialAddress): DialTarget {
    return { address };
  }

  dial(_target: DialTarget, handler: LinkHandler): FakeLink {
    const link = new FakeLink(this, false);
    link.handler = handler;
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
    while (this.nowMs < until) {
      this.nowMs = Math.min(this.nowMs + 50, until);
      this.onTick(this.nowMs);
      this.settle();
    }
  }

  later(run: () => void): void {
    this.#later.push(run);
  }

  /** Runs what a turn of the loop would have brought. */
  settle(): void {
    for (let run = this.#later.shift(); run !== undefined; run = this.#later.shift()) run();
  }
}
