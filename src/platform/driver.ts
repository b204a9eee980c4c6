import type { DialAddress } from '../model/snapshot.ts';

/**
 * What the data plane asks of the outside: buffers, links, listeners, time. Two implementations
 * (`uring/`, `portable/`) pass one conformance suite (`driver.conformance.ts`).
 *
 * Buffers are numbered windows of one byte array per worker, counted by references:
 *
 *   startOf(id)          startOf(id)+headroom                    startOf(id)+headroom+size
 *   | headroom (1 KiB)   | received bytes land here (16 KiB)     |
 *
 * The headroom lets a rewritten head stand directly before the body it came with, so that both leave
 * in one send from the very buffer they arrived in.
 */
export interface BufferPool {
  /** All buffers of this worker. The same object for the life of the driver. */
  readonly bytes: Uint8Array;
  /** Usable bytes of a buffer behind its headroom. */
  readonly sizeBytes: number;
  readonly headroomBytes: number;
  /** First byte of buffer `id`, headroom included. */
  startOf(id: number): number;
  /** A buffer with one reference, or -1 when the budget (`limits.buffersMax`) is used up. */
  acquire(): number;
  /** One more reference. */
  retain(id: number): void;
  /** One reference less; at zero the buffer is free. */
  release(id: number): void;
  /** Buffers now referenced by the data plane. */
  readonly inUse: number;
  /** True while fewer than a quarter of the budget is free: holders of optional references give them up. */
  readonly isScarce: boolean;
}

/** What happens on a link. All calls come from the driver's turn, never from inside a `Link` method. */
export interface LinkHandler {
  /** A dialled link is connected. Never called for accepted links. */
  onConnected(link: Link): void;
  /** Bytes `[offset, offset+length)` of `buffers.bytes` arrived in buffer `id`; the callee owns one reference. */
  onReceive(link: Link, id: number, offset: number, length: number): void;
  /** The peer will send no more (FIN). Sending is still possible. */
  onEnd(link: Link): void;
  /** `queuedBytes` fell to the low water mark or below after having been above the high one. */
  onDrain(link: Link): void;
  /**
   * The link is gone; called exactly once per link, also after `close()` and `abort()`, nothing after it.
   * `errno`: 0 for an orderly end or our own close/abort, else the positive Linux errno (111 ECONNREFUSED, 104 ECONNRESET …).
   */
  onClosed(link: Link, errno: number): void;
}

/** One byte stream with writes in order. */
export interface Link {
  handler: LinkHandler;
  /** Of the data plane: what this link belongs to. The driver never reads it. */
  context: unknown;
  /** Dialled and not yet connected: false. */
  readonly isConnected: boolean;
  /** True from creation until `close()`, `abort()` or the peer's error. */
  readonly isOpen: boolean;
  /** Bytes given to `send` that the kernel has not taken. */
  readonly queuedBytes: number;
  /** All bytes ever taken by the kernel / handed to `onReceive`: for counters and progress. Plain doubles. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Driver time of the last byte sent or received (ms, `Driver.now()`): progress time-outs. */
  readonly progressAtMs: number;
  /** Numeric peer address (`192.0.2.1`, `2001:db8::1`, mapped ones as IPv4; '' for Unix sockets) and port. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Local port of an accepted link; 0 for Unix sockets. */
  readonly localPort: number;
  /** Queues bytes of buffer `id` and takes over one reference of it. Allowed before the link is connected. No-op (releases) on a closed link. */
  send(id: number, offset: number, length: number): void;
  /** Queues a copy of `bytes[start, end)`, any length, using pool buffers (coalesces small pieces into the last unsent copy). False: no buffer; nothing was queued. */
  sendCopy(bytes: Uint8Array, start: number, end: number): boolean;
  /** Stops `onReceive` soon (bounded overrun: what the kernel already gave); idempotent. */
  pause(): void;
  resume(): void;
  /** Half-close after all queued bytes: the peer sees FIN, receiving goes on. */
  end(): void;
  /** Sends what is queued, then closes. `onClosed` follows. */
  close(): void;
  /** Drops what is queued and resets the connection at once (RST). `onClosed` follows. */
  abort(): void;
}

/** A listening socket in use by this worker. */
export interface Listening {
  /** TCP port; 0 for Unix sockets, and until the socket is bound (an `address` may bind a turn later). */
  readonly port: number;
  /** Stop accepting for good; the stored socket stays open elsewhere. Links live on. */
  stop(): void;
  /** Hold back / go on, for the connection limit. The kernel's queue waits. */
  pause(): void;
  resume(): void;
}

/** Where to listen: an inherited descriptor (Linux), or host and port where descriptors cannot be passed. */
export type ListenTarget =
  | { readonly kind: 'descriptor'; readonly fd: number }
  | { readonly kind: 'address'; readonly address: DialAddress };

/** An address prepared for dialling; made once per server and target. */
export interface DialTarget {
  readonly address: DialAddress;
}

/** One per worker thread. */
export interface Driver {
  readonly name: 'uring' | 'portable';
  readonly buffers: BufferPool;
  /**
   * Monotonic ms, refreshed once per round of the loop. A whole number: a fraction would be boxed whenever it is
   * passed on or stored, which was a fifth of the JavaScript of an exchange.
   */
  now(): number;
  /** The same clock in µs, wrapped to 32 bits: `(later - earlier) | 0` is right up to 35 minutes. */
  nowUs(): number;
  /** The same, read from the clock now. */
  preciseNow(): number;
  /** Called every `limits.timerTickMs` and at the end of each busy turn at most once per tick: advance timers here. */
  onTick: (nowMs: number) => void;
  /** Calls `ring` once, about `ms` from now; a later call replaces an earlier one. For waits finer than a tick. */
  alarm(ms: number, ring: (nowMs: number) => void): void;
  /** Calls `ring` once after `words[index]` has moved on from `seen` and was notified by another thread. */
  whenMoved(words: Int32Array, index: number, seen: number, ring: (nowMs: number) => void): void;
  /** `onAccept` gets a connected link and must set its `handler` before it returns. TCP_NODELAY is set. */
  listen(target: ListenTarget, onAccept: (link: Link) => void): Listening;
  prepare(address: DialAddress): DialTarget;
  /** Starts to connect (TCP_NODELAY). Never throws for what the network does: failures arrive as `onClosed(errno)`. */
  dial(target: DialTarget, handler: LinkHandler): Link;
  /** Accept failures for want of descriptors (EMFILE/ENFILE) so far; accepting pauses and resumes by itself. */
  readonly acceptFailures: number;
  /** Links now open. */
  readonly openLinks: number;
  /** Listening sockets from which a connection may still come, those included that are being stopped. */
  readonly openListeners: number;
  /** Named gauges for `status` and metrics: ring use, buffers, free lists. */
  gauges(): Record<string, number>;
  /** Ends the driver when no link is left; listening sockets are closed. */
  close(): void;
}
