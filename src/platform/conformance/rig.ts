import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';

import type { Driver, Link, LinkHandler, Listening } from '../driver.ts';
import { closeDescriptor, openListeners } from '../sockets.ts';
import { PatternReader } from './pattern.ts';

/** Ticks that a wait may take before the test fails: 10 s, far above what any step needs. */
const WAIT_TICKS_MAX = 200;

/** Registers one case of the suite; each gets a driver of its own. */
export type AddCase = (title: string, run: (rig: Rig) => Promise<void>) => void;

/**
 * What a case works with: a driver, plain `node:net` peers around it, and waiting by the driver's own ticks
 * and events instead of time. `finish()` checks what must hold after every case.
 */
export class Rig {
  readonly driver: Driver;
  tickCount = 0;
  /** Broken rules seen inside handlers, where a throw could be lost in the loop. */
  readonly violations: string[] = [];
  /** Most buffers in use and most bytes queued on one link at any event. */
  buffersPeak = 0;
  queuedBytesPeak = 0;
  #methodDepth = 0;
  readonly #fds: number[] = [];
  readonly #servers: Server[] = [];
  readonly #peers: Socket[] = [];
  readonly #links: Link[] = [];
  readonly #waiters = new Set<() => void>();

  constructor(driver: Driver) {
    this.driver = driver;
    driver.onTick = () => {
      this.tickCount++;
      this.wake();
    };
  }

  /** Lets every waiting condition be looked at again. */
  wake(): void {
    for (const look of this.#waiters) look();
  }

  /** Waits until `condition` holds. */
  until(what: string, condition: () => boolean): Promise<void> {
    const lastTick = this.tickCount + WAIT_TICKS_MAX;
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const isMet = condition();
        if (!isMet && this.tickCount < lastTick) return;
        this.#waiters.delete(look);
        if (isMet) resolve();
        else reject(new Error(`waited in vain for: ${what}`));
      };
      this.#waiters.add(look);
      look();
    });
  }

  /** Waits for `count` ticks of the driver. */
  ticks(count: number): Promise<void> {
    const target = this.tickCount + count;
    return this.until(`${count} ticks`, () => this.tickCount >= target);
  }

  /** Runs calls of link methods; a handler that is called meanwhile is a violation. */
  call<Result>(calls: () => Result): Result {
    this.#methodDepth++;
    const result = calls();
    this.#methodDepth--;
    return result;
  }

  check(isRight: boolean, what: string): void {
    if (!isRight) this.violations.push(what);
  }

  get isInsideMethod(): boolean {
    return this.#methodDepth > 0;
  }

  /** A stored listening socket on `host`, port chosen by the system. */
  openStored(host = '127.0.0.1'): { fd: number; port: number } {
    const { fds, port } = openListeners({ kind: 'ip', host, port: 0 }, 1);
    const fd = fds[0] as number;
    this.#fds.push(fd);
    return { fd, port };
  }

  /** Listens on a stored socket; every accepted link gets a recorder from `accept`. */
  serve(accept: (link: Link) => Recorder): { port: number; fd: number; listening: Listening } {
    const { fd, port } = this.openStored();
    return { fd, port, listening: this.listen(fd, accept) };
  }

  listen(fd: number, accept: (link: Link) => Recorder): Listening {
    return this.driver.listen({ kind: 'descriptor', fd }, (link) => {
      this.check(!this.isInsideMethod, 'onAccept inside a method');
      link.handler = accept(this.track(link));
      this.wake();
    });
  }

  /** A plain peer that connects to us. */
  peer(port: number, host = '127.0.0.1'): Peer {
    return this.adopt(connect({ port, host, allowHalfOpen: true, noDelay: true }));
  }

  adopt(socket: Socket): Peer {
    this.#peers.push(socket);
    return new Peer(this, socket);
  }

  /** A plain server that we dial; resolves to its port. */
  async peerServer(onPeer: (peer: Peer) => void): Promise<number> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      onPeer(this.adopt(socket));
      this.wake();
    });
    this.#servers.push(server);
    server.listen(0, '127.0.0.1', () => this.wake());
    await this.until('the peer server listens', () => server.address() !== null);
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    return address.port;
  }

  dial(port: number, handler: LinkHandler): Link {
    const address = { kind: 'ip', host: '127.0.0.1', port } as const;
    return this.track(this.call(() => this.driver.dial(this.driver.prepare(address), handler)));
  }

  /** Sees to it that the link is aborted at the end if it is still open. */
  track(link: Link): Link {
    this.#links.push(link);
    return link;
  }

  /** A buffer with `bytes` in it behind the headroom, ready for `send`. */
  fill(bytes: Uint8Array): { id: number; offset: number } {
    const { buffers } = this.driver;
    const id = buffers.acquire();
    assert.ok(id >= 0, 'the pool has a buffer');
    const offset = buffers.startOf(id) + buffers.headroomBytes;
    buffers.bytes.set(bytes, offset);
    return { id, offset };
  }

  /** Ends everything and checks what must hold after every case: nothing open, no buffer lost. */
  async finish(): Promise<void> {
    for (const socket of this.#peers) socket.destroy();
    for (const server of this.#servers) server.close();
    for (const link of this.#links) if (link.isOpen) this.call(() => link.abort());
    const isIdle = (): boolean => this.driver.openLinks === 0 && this.driver.buffers.inUse === 0;
    try {
      await this.until('all links gone and all buffers free', isIdle);
    } finally {
      this.driver.close();
      for (const fd of this.#fds) closeDescriptor(fd);
    }
    assert.deepEqual(this.violations, []);
  }
}

/** A handler that counts, checks the order of events, and does what a case asks of it. */
export class Recorder implements LinkHandler {
  readonly #rig: Rig;
  readonly reader: PatternReader = new PatternReader();
  connects = 0;
  ends = 0;
  drains = 0;
  /** The errno of every `onClosed`: one entry at the end, if all is right. */
  readonly closes: number[] = [];
  /** What a case does with an event. `take` owns the buffer's reference. */
  take: (link: Link, id: number, offset: number, length: number) => void;
  connected: (link: Link) => void = ignore;
  ended: (link: Link) => void = ignore;
  drained: (link: Link) => void = ignore;

  constructor(rig: Rig) {
    this.#rig = rig;
    this.take = (_link, id) => rig.driver.buffers.release(id);
  }

  get isClosed(): boolean {
    return this.closes.length > 0;
  }

  onConnected(link: Link): void {
    this.#note(link, 'onConnected');
    this.#rig.check(link.isConnected, 'onConnected before the link is connected');
    this.connects++;
    this.connected(link);
    this.#rig.wake();
  }

  onReceive(link: Link, id: number, offset: number, length: number): void {
    this.#note(link, 'onReceive');
    this.#rig.check(this.ends === 0, 'onReceive after onEnd');
    this.#rig.check(length > 0, 'onReceive without bytes');
    const { bytes, headroomBytes, sizeBytes } = this.#rig.driver.buffers;
    const start = this.#rig.driver.buffers.startOf(id) + headroomBytes;
    const isInside = offset >= start && offset + length <= start + sizeBytes;
    this.#rig.check(isInside, 'received bytes leave their buffer');
    this.reader.take(bytes.subarray(offset, offset + length));
    this.take(link, id, offset, length);
    this.#rig.wake();
  }

  onEnd(link: Link): void {
    this.#note(link, 'onEnd');
    this.ends++;
    this.#rig.check(this.ends === 1, 'onEnd twice');
    this.ended(link);
    this.#rig.wake();
  }

  onDrain(link: Link): void {
    this.#note(link, 'onDrain');
    this.drains++;
    this.drained(link);
    this.#rig.wake();
  }

  onClosed(link: Link, errno: number): void {
    this.#rig.check(!this.#rig.isInsideMethod, 'onClosed inside a method');
    this.#rig.check(!link.isOpen, 'onClosed on an open link');
    this.#rig.check(this.closes.length === 0, 'onClosed twice');
    this.closes.push(errno);
    this.#rig.wake();
  }

  #note(link: Link, event: string): void {
    const rig = this.#rig;
    rig.check(!rig.isInsideMethod, `${event} inside a method`);
    rig.check(link.isOpen && this.closes.length === 0, `${event} on a closed link`);
    rig.buffersPeak = Math.max(rig.buffersPeak, rig.driver.buffers.inUse);
    rig.queuedBytesPeak = Math.max(rig.queuedBytesPeak, link.queuedBytes);
  }
}

/** A `node:net` socket that counts what it sees. */
export class Peer {
  readonly socket: Socket;
  readonly reader: PatternReader = new PatternReader();
  isConnected = false;
  isEnded = false;
  isClosed = false;
  errorCode = '';

  constructor(rig: Rig, socket: Socket) {
    this.socket = socket;
    socket.on('connect', () => {
      this.isConnected = true;
      rig.wake();
    });
    socket.on('data', (bytes) => {
      this.reader.take(bytes);
      rig.wake();
    });
    socket.on('end', () => {
      this.isEnded = true;
      rig.wake();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.errorCode = error.code ?? 'unknown';
      rig.wake();
    });
    socket.on('close', () => {
      this.isClosed = true;
      rig.wake();
    });
  }
}

/** Makes a recorder's link send back what it receives, with back-pressure, until the peer ends. */
export function echo(recorder: Recorder): Recorder {
  recorder.take = (link, id, offset, length) => {
    link.send(id, offset, length);
    if (link.queuedBytes > ECHO_QUEUE_BYTES) link.pause();
  };
  recorder.drained = (link) => link.resume();
  // Not end(): whether a link closes by itself once both sides have ended is left to the driver.
  recorder.ended = (link) => link.close();
  return recorder;
}

/** Above `limits.queueHighBytes`, so that `onDrain` is sure to follow a pause. */
const ECHO_QUEUE_BYTES = 131_072;

/** Open descriptors of this process. Linux only, as the suite is. */
export function descriptorCount(): number {
  return readdirSync('/proc/self/fd').length;
}

function ignore(): void {}
