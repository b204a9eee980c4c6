import { limits } from '../model/limits.ts';
import type { DialAddress } from '../model/snapshot.ts';
import type { RunningTimer } from '../platform/clock.ts';
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
import type { SimulatedThread } from './thread.ts';
import { ThreadEvent } from './thread.ts';

/** Errno of a reset connection. */
export const RESET = 104;

/**
 * The far end of a link of the balancer. Its methods are called from inside the data plane, so they
 * only note and schedule.
 */
export interface Peer {
  /** Bytes that the balancer sent; gone after the call. */
  take(bytes: Uint8Array, start: number, end: number): void;
  /** The balancer will send no more, or nothing goes either way any more. */
  closed(link: SimulatedLink): void;
}

/** The simulated network: what a driver dials into. */
export interface Network {
  /** A link was dialled: sets its peer and, in time, connects it or lets it die. */
  dialled(link: SimulatedLink, address: DialAddress): void;
}

/** One byte stream of the balancer over the simulated network. Small messages only: nothing ever queues. */
export class SimulatedLink implements Link {
  handler!: LinkHandler;
  context: unknown = null;
  isConnected: boolean;
  isOpen = true;
  queuedBytes = 0;
  sentBytes = 0;
  receivedBytes = 0;
  progressAtMs: number;
  readonly remoteAddress: string;
  readonly remotePort = 40_000;
  readonly localPort = 80;
  peer: Peer | null = null;
  /** Whose thread it belongs to. */
  readonly driver: SimulatedDriver;
  #isGone = false;
  #isPaused = false;
  /** Sent before it was connected. */
  #early: Uint8Array[] = [];
  /** Arrived while it was paused. */
  #held: Uint8Array[] = [];

  constructor(driver: SimulatedDriver, isConnected: boolean, remoteAddress: string) {
    this.driver = driver;
    this.isConnected = isConnected;
    this.remoteAddress = remoteAddress;
    this.progressAtMs = driver.now();
  }

  send(id: number, offset: number, length: number): void {
    this.sendCopy(this.driver.buffers.bytes, offset, offset + length);
    this.driver.buffers.release(id);
  }

  sendCopy(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.isOpen) return true;
    if (!this.isConnected) {
      this.#early.push(bytes.slice(start, end));
      this.queuedBytes += end - start;
      return true;
    }
    this.sentBytes += end - start;
    this.progressAtMs = this.driver.now();
    this.peer?.take(bytes, start, end);
    return true;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.driver.thread.after(0, () => {
      for (const bytes of this.#held.splice(0)) this.deliver(bytes);
    });
  }

  end(): void {
    this.peer?.closed(this);
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.peer?.closed(this);
    this.driver.thread.after(0, () => this.#closed(0));
  }

  abort(): void {
    this.close();
  }

  /** The dialled link connects. */
  connect(): void {
    if (!this.isOpen || this.isConnected) return;
    this.isConnected = true;
    this.progressAtMs = this.driver.now();
    this.handler.onConnected(this);
    this.queuedBytes = 0;
    for (const bytes of this.#early.splice(0)) this.sendCopy(bytes, 0, bytes.length);
  }

  /** Bytes of the peer arrive. */
  deliver(bytes: Uint8Array): void {
    if (!this.isOpen) return;
    if (this.#isPaused) {
      this.#held.push(bytes);
      return;
    }
    const pool = this.driver.buffers;
    const id = pool.acquire();
    if (id < 0) {
      // As in a kernel's socket buffer: it comes when there is room.
      this.driver.thread.after(1000, () => this.deliver(bytes));
      return;
    }
    const at = pool.startOf(id) + pool.headroomBytes;
    pool.bytes.set(bytes, at);
    this.receivedBytes += bytes.length;
    this.progressAtMs = this.driver.now();
    this.handler.onReceive(this, id, at, bytes.length);
  }

  /** The peer's FIN arrives. */
  deliverEnd(): void {
    if (this.isOpen) this.handler.onEnd(this);
  }

  /** The link dies by the network or by its peer. */
  die(errno: number): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.peer?.closed(this);
    this.#closed(errno);
  }

  #closed(errno: number): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.driver.openLinks--;
    this.handler.onClosed(this, errno);
  }
}

/** Turns the timers of one worker. */
class Tick extends ThreadEvent {
  readonly #driver: SimulatedDriver;

  constructor(driver: SimulatedDriver) {
    super(driver.thread);
    this.#driver = driver;
  }

  protected override run(): void {
    if (this.#driver.isClosed) return;
    this.thread.timeline.schedule(limits.timerTickMs * 1000, this);
    this.#driver.onTick(this.#driver.now());
  }
}

/** How long a thread takes to wake another, about. */
const WAKE_US = 200;

/** The driver of one simulated worker: the third one beside `uring` and `portable`. */
export class SimulatedDriver implements Driver {
  readonly name = 'portable';
  readonly buffers: BufferPool = new PlainBuffers();
  readonly thread: SimulatedThread;
  readonly acceptFailures = 0;
  readonly openListeners = 0;
  openLinks = 0;
  isClosed = false;
  onTick: (nowMs: number) => void = () => {};
  readonly #network: Network;
  #alarm: RunningTimer | null = null;
  #onAccept: (link: Link) => void = () => {};

  constructor(thread: SimulatedThread, network: Network) {
    this.thread = thread;
    this.#network = network;
    thread.timeline.schedule(limits.timerTickMs * 1000, new Tick(this));
  }

  now(): number {
    return Math.floor(this.thread.timeline.nowUs / 1000);
  }

  nowUs(): number {
    return this.thread.timeline.nowUs | 0;
  }

  preciseNow(): number {
    return this.thread.timeline.nowUs / 1000;
  }

  alarm(ms: number, ring: (nowMs: number) => void): void {
    this.#alarm?.stop();
    this.#alarm = this.thread.after(ms * 1000, () => ring(this.now()));
  }

  /** All simulated threads are one real one, so nothing can wake it: the word is looked at now and then. */
  whenMoved(words: Int32Array, index: number, seen: number, ring: (nowMs: number) => void): void {
    this.thread.after(WAKE_US, () => {
      if (words[index] === seen) this.whenMoved(words, index, seen, ring);
      else ring(this.now());
    });
  }

  listen(_target: ListenTarget, onAccept: (link: Link) => void): Listening {
    this.#onAccept = onAccept;
    return { port: 80, stop: () => {}, pause: () => {}, resume: () => {} };
  }

  prepare(address: DialAddress): DialTarget {
    return { address };
  }

  dial(target: DialTarget, handler: LinkHandler): Link {
    const link = new SimulatedLink(this, false, '10.0.0.1');
    link.handler = handler;
    this.openLinks++;
    this.#network.dialled(link, target.address);
    return link;
  }

  gauges(): Record<string, number> {
    return {};
  }

  close(): void {
    this.isClosed = true;
  }

  /** A client connects. */
  accept(remoteAddress: string, peer: Peer): SimulatedLink {
    const link = new SimulatedLink(this, true, remoteAddress);
    link.peer = peer;
    this.openLinks++;
    this.#onAccept(link);
    return link;
  }
}
