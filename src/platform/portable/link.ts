import type { Socket } from 'node:net';

import { limits } from '../../model/limits.ts';
import type { Link, LinkHandler } from '../driver.ts';
import type { PlainBuffers } from '../plain-buffers.ts';
import { unwrittenBytes } from './descriptors.ts';
import { linuxErrno } from './errno.ts';
import { SendQueue } from './send-queue.ts';

/** What a link needs of its driver. */
export interface LinkHost {
  readonly buffers: PlainBuffers;
  /** Refreshes the driver's time and returns it; every event begins with it. */
  enter(): number;
  /** Calls `link.pump()` once when a buffer may be free. */
  waitForBuffer(link: PortableLink): void;
  /** From now on / no longer: call `link.pollProgress()` on every tick. */
  watch(link: PortableLink): void;
  unwatch(link: PortableLink): void;
  /** The socket is connected: its descriptor is known. */
  onConnected(socket: Socket): void;
  onGone(link: PortableLink): void;
}

/** Where a link leads, and whether it is connected already. */
export interface LinkEnds {
  readonly isConnected: boolean;
  readonly isUnix: boolean;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
}

/**
 * A `Link` on a socket of `node:net`. Events of the socket lead to handler calls; methods of the link only
 * ever note, queue and schedule, so that no handler is called from inside them.
 *
 *   socket 'data' → #rest (what of the chunk is not yet handed over) → pump(): pool buffers → onReceive
 *   send, sendCopy → SendQueue → #flush() at the end of the turn: one gathered write at a time → socket
 */
export class PortableLink implements Link {
  handler: LinkHandler;
  context: unknown = null;
  isConnected: boolean;
  isOpen = true;
  sentBytes = 0;
  receivedBytes = 0;
  progressAtMs: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  readonly #host: LinkHost;
  readonly #socket: Socket;
  readonly #isUnix: boolean;
  readonly #queue: SendQueue;
  #rest: Uint8Array | null = null;
  #errno = 0;
  #isPaused = false;
  #isWaiting = false;
  #isPumpDue = false;
  #isFlushDue = false;
  #isEnding = false;
  #isClosing = false;
  #isAborted = false;
  #isAboveHigh = false;
  #isEndPending = false;
  #isSocketClosed = false;
  #isGone = false;

  constructor(host: LinkHost, socket: Socket, handler: LinkHandler, ends: LinkEnds) {
    this.#host = host;
    this.#socket = socket;
    this.handler = handler;
    this.#queue = new SendQueue(host.buffers);
    this.#isUnix = ends.isUnix;
    this.isConnected = ends.isConnected;
    this.remoteAddress = ends.remoteAddress;
    this.remotePort = ends.remotePort;
    this.localPort = ends.localPort;
    this.progressAtMs = host.enter();
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onSocketClosed);
    if (!ends.isConnected) socket.on('connect', this.#onConnect);
  }

  get queuedBytes(): number {
    return this.#queue.queuedBytes;
  }

  send(id: number, offset: number, length: number): void {
    if (!this.isOpen || this.#isEnding) {
      this.#host.buffers.release(id);
      return;
    }
    this.#queue.push(id, offset, length);
    this.#afterQueued();
  }

  sendCopy(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.isOpen || this.#isEnding || start === end) return true;
    if (!this.#queue.pushCopy(bytes, start, end)) return false;
    this.#afterQueued();
    return true;
  }

  pause(): void {
    if (this.#isPaused || !this.isOpen) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused || !this.isOpen) return;
    this.#isPaused = false;
    if (this.#rest === null && !this.#isEndPending) this.#socket.resume();
    else this.#schedulePump();
  }

  end(): void {
    if (!this.isOpen || this.#isEnding) return;
    this.#isEnding = true;
    this.#scheduleFlush();
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#isClosing = true;
    this.#rest = null;
    if (this.#isSocketClosed) {
      process.nextTick(this.#finish);
    } else if (!this.isConnected && this.#queue.isEmpty) {
      this.#socket.destroy();
    } else {
      // What still arrives is read and dropped: unread bytes would turn the FIN into a reset.
      this.#socket.resume();
      this.#scheduleFlush();
    }
  }

  abort(): void {
    // After close() it is still of use: it ends a link whose peer does not take what is queued.
    if (this.#isAborted || this.#isGone || !(this.isOpen || this.#isClosing)) return;
    this.isOpen = false;
    this.#isAborted = true;
    this.#rest = null;
    this.#queue.dropUnsent();
    const socket = this.#socket;
    if (this.#isSocketClosed) {
      process.nextTick(this.#finish);
    } else if (socket.writableEnded && !socket.writableFinished && !this.#queue.hasBatch) {
      // A reset is refused while the half-close is under way, which takes one turn of the loop.
      socket.once('finish', this.#reset);
    } else {
      this.#reset();
    }
  }

  /** Hands over what waits in `#rest`, as far as buffers go. The driver calls it, never a link method. */
  pump(): void {
    this.#isWaiting = false;
    const nowMs = this.#host.enter();
    const { buffers } = this.#host;
    while (this.#rest !== null && this.isOpen && !this.#isPaused) {
      const id = buffers.acquire();
      if (id < 0) {
        this.#isWaiting = true;
        this.#socket.pause();
        this.#host.waitForBuffer(this);
        return;
      }
      const length = Math.min(this.#rest.length, buffers.sizeBytes);
      const offset = buffers.startOf(id) + buffers.headroomBytes;
      buffers.bytes.set(this.#rest.subarray(0, length), offset);
      this.#rest = length === this.#rest.length ? null : this.#rest.subarray(length);
      this.receivedBytes += length;
      this.progressAtMs = nowMs;
      this.handler.onReceive(this, id, offset, length);
    }
    this.#afterPump();
  }

  /** Notes how far a write has come: many small steps of a slow peer are progress too. */
  pollProgress(): void {
    if (!this.isConnected || !this.#queue.hasBatch || this.#isSocketClosed) return;
    const leftBytes = unwrittenBytes(this.#socket);
    if (leftBytes >= 0) this.#advance(this.#queue.noteProgress(leftBytes));
  }

  #afterPump(): void {
    if (this.#rest !== null || !this.isOpen) return;
    if (this.#isEndPending) {
      this.#isEndPending = false;
      this.handler.onEnd(this);
    }
    if (this.#isSocketClosed) this.#finish();
    else if (this.isOpen && !this.#isPaused && this.#socket.isPaused()) this.#socket.resume();
  }

  #afterQueued(): void {
    if (this.#queue.queuedBytes > limits.queueHighBytes) this.#isAboveHigh = true;
    this.#scheduleFlush();
  }

  #scheduleFlush(): void {
    if (this.#isFlushDue || !this.isConnected) return;
    this.#isFlushDue = true;
    process.nextTick(this.#flush);
  }

  #schedulePump(): void {
    if (this.#isPumpDue || this.#isWaiting) return;
    this.#isPumpDue = true;
    process.nextTick(this.#pumpDue);
  }

  #advance(takenBytes: number): void {
    if (takenBytes === 0) return;
    this.sentBytes += takenBytes;
    this.progressAtMs = this.#host.enter();
    if (!this.#isAboveHigh || this.#queue.queuedBytes > limits.queueLowBytes) return;
    this.#isAboveHigh = false;
    if (this.isOpen) this.handler.onDrain(this);
  }

  readonly #pumpDue = (): void => {
    this.#isPumpDue = false;
    if (!this.#isPaused && !this.#isWaiting) this.pump();
  };

  readonly #flush = (): void => {
    this.#isFlushDue = false;
    const socket = this.#socket;
    if (this.#isAborted || this.#isSocketClosed || socket.destroyed || this.#queue.hasBatch) return;
    const batch = this.#queue.takeBatch();
    if (batch.length === 0) {
      if (this.#isClosing) socket.destroySoon();
      else if (this.#isEnding) socket.end();
      return;
    }
    this.#host.watch(this);
    const { buffer } = this.#host.buffers.bytes;
    socket.cork();
    for (let index = 0; index < batch.length; index++) {
      const { id: _id, offset, length } = batch[index] as (typeof batch)[number];
      const bytes = Buffer.from(buffer, offset, length);
      if (index < batch.length - 1) socket.write(bytes);
      else socket.write(bytes, this.#onWritten);
    }
    socket.uncork();
  };

  readonly #onWritten = (error?: Error | null): void => {
    // Failed writes are followed by 'close', which gives the buffers back.
    if (error || this.#isGone || !this.#queue.hasBatch) return;
    this.#host.unwatch(this);
    const takenBytes = this.#queue.finishBatch();
    if (!this.#queue.isEmpty || this.#isEnding || this.#isClosing) this.#scheduleFlush();
    this.#advance(takenBytes);
  };

  readonly #onConnect = (): void => {
    this.progressAtMs = this.#host.enter();
    this.isConnected = true;
    this.#host.onConnected(this.#socket);
    if (!this.#queue.isEmpty || this.#isEnding || this.#isClosing) this.#scheduleFlush();
    if (this.isOpen) this.handler.onConnected(this);
  };

  readonly #onData = (chunk: Buffer): void => {
    if (!this.isOpen) return;
    this.#rest = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.#isWaiting) this.pump();
  };

  readonly #onEnd = (): void => {
    if (!this.isOpen) return;
    this.#host.enter();
    // The end can overtake bytes that wait for a buffer or for resume().
    if (this.#rest === null) this.handler.onEnd(this);
    else this.#isEndPending = true;
  };

  readonly #onError = (error: Error): void => {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#rest = null;
    this.#errno = linuxErrno(error);
  };

  readonly #onSocketClosed = (): void => {
    this.#isSocketClosed = true;
    // Both sides have ended, but bytes that arrived before are not handed over yet.
    if (this.isOpen && (this.#rest !== null || this.#isEndPending)) return;
    this.#finish();
  };

  readonly #finish = (): void => {
    if (this.#isGone) return;
    this.#isGone = true;
    this.isOpen = false;
    this.#rest = null;
    this.#host.enter();
    this.#host.unwatch(this);
    this.#queue.dropAll();
    this.#host.onGone(this);
    this.handler.onClosed(this, this.#errno);
  };

  readonly #reset = (): void => {
    if (this.#socket.destroyed) return;
    // There is no reset for Unix sockets, and a connecting one would first wait for its connection.
    if (this.#isUnix || !this.isConnected) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  };
}
