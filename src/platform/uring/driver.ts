// Rule zero: a little longer than 400 lines, because a driver's turn and all that it drives are read together.
import { performance } from 'node:perf_hooks';
import { invariant } from '../../base/invariant.ts';
import { limits } from '../../model/limits.ts';
import type { DialAddress } from '../../model/snapshot.ts';
import { Alarm } from '../alarm.ts';
import { descriptorLimit } from '../descriptor-limit.ts';
import { onceMoved } from '../doorbell.ts';
import type {
  BufferPool,
  DialTarget,
  Driver,
  Link,
  LinkHandler,
  Listening,
  ListenTarget,
} from '../driver.ts';
import { loadLibc } from '../libc.ts';
import { encodeAddress, hostOf, portOf, type SocketAddress } from './addresses.ts';
import { UringBuffers } from './buffers.ts';
import { Cqe, KIND_BITS, Kind, Posix, Uring } from './constants.ts';
import { Core, type Slots } from './core.ts';
import { DescriptorReserve } from './descriptor-reserve.ts';
import { clearLedger, noteDescriptor, openLedger } from './ledger.ts';
import { UringLink } from './link.ts';
import { type AcceptBook, UringListener } from './listener.ts';
import { loopWakeDescriptor } from './loop-wake.ts';
import { Mapping } from './memory.ts';
import { MessageSlots } from './messages.ts';
import { setNoDelay } from './operations.ts';
import { probeUring } from './probe.ts';
import { Ring } from './ring.ts';
import { openListeningSocket } from './sockets.ts';

/** Submission entries: 32 KiB of them, so that the queue stays in the first-level cache. */
const ENTRIES = 512;
/** Completions handled before what they caused is submitted: bounds the delay of the first answer. */
const BATCH_MAX = 512;
/** Rounds of submit and reap before Node's other events get their turn. */
const ROUNDS_MAX = 16;

/** A prepared address: the socket address is encoded once. */
interface UringTarget extends DialTarget {
  readonly encoded: SocketAddress;
  readonly host: string;
  readonly port: number;
}

/** `ledger`: 256 words, `descriptorBits`: one bit per descriptor, both of this worker in shared memory. */
export interface UringOptions {
  readonly worker: number;
  readonly ledger: Int32Array;
  readonly descriptorBits: Int32Array;
  /** Workers of the process, which share its descriptors; default 1. */
  readonly workers?: number;
  /** Submission queue entries, a power of two. */
  readonly entries?: number;
}

/**
 * A driver on an io_uring of its own, inside the event loop of the calling thread, which must be the
 * only one to use it. It keeps the loop alive until closed.
 * Errors: throws where koffi, Linux or a needed feature is missing; ask `probeUring` first.
 */
export function createUringDriver(options: UringOptions): Driver {
  return new UringDriver(options);
}

class UringDriver implements Driver, AcceptBook {
  readonly name = 'uring';
  readonly buffers: BufferPool;
  readonly core: Core;
  readonly ledger: Int32Array;
  acceptFailures = 0;
  onTick: (nowMs: number) => void = () => {};
  readonly #eventFd: number;
  readonly #reserve: DescriptorReserve;
  /** Wakes the loop by a handle; null once the ring signals the loop itself. */
  #poll: { close(): void } | null;
  readonly #timer: NodeJS.Timeout;
  readonly #alarm: Alarm = new Alarm();
  readonly #listeners = new Set<UringListener>();
  readonly #links: Slots;
  readonly #runTurn = (): void => this.#turn();
  #lastTickMs: number;
  #isInTurn = false;
  #isScheduled = false;
  /** The next turn, while it is pending; one that was not scheduled waits for whatever wakes the loop. */
  #immediate: NodeJS.Immediate | null = null;
  #isClosing = false;
  #isClosed = false;
  #turns = 0;
  #completions = 0;

  constructor(options: UringOptions) {
    const probe = probeUring();
    if (!probe.isUsable) throw new Error(`Cannot use io_uring as ${probe.reason}`);
    const libc = loadLibc();
    const ring = new Ring(libc, options.entries ?? ENTRIES);
    const buffers = new UringBuffers(libc, ring, limits.buffersMax);
    const messages = new MessageSlots(libc);
    const scratch = Mapping.anonymous(libc, 4096);
    const { descriptorBits } = options;
    const hasReceiveLimit = probe.features.receiveLimit;
    const parts = { libc, ring, buffers, messages, scratch, descriptorBits, hasReceiveLimit };
    this.core = new Core(parts);
    this.core.setTime(performance.now());
    this.buffers = buffers;
    this.ledger = options.ledger;
    this.#links = this.core.links;
    this.#lastTickMs = this.core.nowMs;
    this.#eventFd = libc.eventfd(0, Posix.EFD_NONBLOCK_CLOEXEC);
    invariant(this.#eventFd >= 0, 'a worker gets an event descriptor');
    const by = { limit: descriptorLimit(), workers: options.workers ?? 1 };
    this.#reserve = new DescriptorReserve(libc, descriptorBits, this.#eventFd, by);
    scratch.words[0] = this.#eventFd;
    const registered = ring.register(Uring.REGISTER_EVENTFD, scratch.address, 1);
    invariant(registered >= 0, 'the ring takes its event descriptor');
    const mappings = [
      ...ring.mappings,
      buffers.mapping,
      buffers.entries,
      messages.mapping,
      scratch,
    ];
    openLedger(this.ledger, ring, this.#eventFd, mappings);
    ring.onSubmitted = () => messages.reset();
    this.core.wake = () => {
      if (!this.#isInTurn && !this.#isScheduled) this.#schedule();
    };
    // Nothing but scheduling in this callback: what it throws would be lost.
    this.#poll = libc.poll(this.#eventFd, () => this.#awake());
    this.#timer = setInterval(() => this.#onTimer(), limits.timerTickMs);
    this.#timer.unref();
    this.#schedule();
  }

  now(): number {
    return this.core.nowMs;
  }

  nowUs(): number {
    return this.core.nowUs;
  }

  preciseNow(): number {
    return performance.now();
  }

  alarm(ms: number, ring: (nowMs: number) => void): void {
    this.#alarm.set(ms, () => ring(this.core.setTime(performance.now())));
  }

  whenMoved(words: Int32Array, index: number, seen: number, ring: (nowMs: number) => void): void {
    onceMoved(words, index, seen, () => ring(this.core.setTime(performance.now())));
  }

  listen(target: ListenTarget, onAccept: (link: Link) => void): Listening {
    invariant(!this.#isClosing, 'a closing driver opens no listener');
    const { libc, scratch } = this.core;
    const isOwn = target.kind === 'address';
    const fd = isOwn
      ? openListeningSocket(libc, scratch, target.address)
      : libc.fcntl(target.fd, Posix.F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
      throw new Error(`Cannot listen as the descriptor cannot be used: errno ${libc.errno()}`);
    }
    const listener = new UringListener(this, { fd, isOwn }, onAccept);
    this.#listeners.add(listener);
    return listener;
  }

  prepare(address: DialAddress): DialTarget {
    const encoded = encodeAddress(address);
    const host = hostOf(encoded.bytes, 0);
    const target: UringTarget = { address, encoded, host, port: portOf(encoded.bytes, 0) };
    return target;
  }

  dial(target: DialTarget, handler: LinkHandler): Link {
    const { core } = this;
    const { libc } = core;
    const { encoded, host, port } = target as UringTarget;
    let fd = libc.socket(encoded.family, Posix.SOCK_STREAM_CLOEXEC, 0);
    if (fd < 0 && this.#reserve.isHeld) {
      this.starve();
      fd = libc.socket(encoded.family, Posix.SOCK_STREAM_CLOEXEC, 0);
    }
    const errno = fd < 0 ? libc.errno() : 0;
    if (fd >= 0) {
      noteDescriptor(core.descriptorBits, fd);
      if (encoded.family !== Posix.AF_UNIX) setNoDelay(core, fd);
    }
    const link = new UringLink(core, {
      fd,
      handler,
      isConnected: false,
      remoteAddress: host,
      remotePort: port,
      localPort: 0,
    });
    if (fd >= 0) link.connect(encoded.bytes);
    else link.fail(errno);
    return link;
  }

  get openLinks(): number {
    return this.core.openLinks;
  }
  get openListeners(): number {
    return this.#listeners.size;
  }

  gauges(): Record<string, number> {
    const { core } = this;
    return {
      links: core.openLinks,
      linkSlotsFree: core.links.freeCount,
      listeners: this.#listeners.size,
      acceptFailures: this.acceptFailures,
      buffersInUse: core.buffers.inUse,
      buffersFree: core.buffers.freeCount,
      buffersOfKernel: core.buffers.kernelHeld,
      bufferMisses: core.bufferMisses,
      receivesWaiting: core.waitingCount,
      ringEnters: core.ring.enters,
      ringTurns: this.#turns,
      /** 1 when the ring wakes the loop itself, 0 when a handle of ours does. */
      ringWakesLoop: this.#poll === null ? 1 : 0,
      ringCompletions: this.#completions,
      ringPending: core.ring.pending,
    };
  }

  close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    for (const listener of this.#listeners) listener.stop();
    this.#schedule();
  }

  starve(): void {
    if (!this.#reserve.isHeld) return;
    this.acceptFailures++;
    this.#reserve.lend();
    for (const listener of this.#listeners) listener.rest();
  }

  get descriptorCeiling(): number {
    return this.#reserve.ceiling;
  }

  onGone(listener: UringListener): void {
    this.#listeners.delete(listener);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    if (this.#immediate === null) this.#immediate = setImmediate(this.#runTurn);
    else this.#immediate.ref();
  }

  /**
   * Lets the ring wake the loop without a handle of ours: a callback through FFI costs more than all the
   * rest of a wake-up (decision 0004).
   */
  #adoptLoop(): void {
    const { ring, scratch } = this.core;
    const fd = loopWakeDescriptor(this.#eventFd);
    if (fd < 0) return;
    ring.register(Uring.UNREGISTER_EVENTFD, 0, 0);
    scratch.words[0] = fd;
    const isTaken = ring.register(Uring.REGISTER_EVENTFD, scratch.address, 1) >= 0;
    if (!isTaken) {
      scratch.words[0] = this.#eventFd;
      const registered = ring.register(Uring.REGISTER_EVENTFD, scratch.address, 1);
      invariant(registered >= 0, 'the ring takes its event descriptor back');
      return;
    }
    this.#poll?.close();
    this.#poll = null;
    // What keeps the loop alive from now on.
    this.#timer.ref();
  }

  /** The eventfd is readable: the ring has work for a sleeping loop. */
  #awake(): void {
    const { libc, scratch } = this.core;
    libc.read(this.#eventFd, scratch.at(8, 8), 8);
    this.#schedule();
  }

  /**
   * One turn of Node's loop: hand over what was prepared, run the kernel's work, handle completions,
   * a few rounds while there are any; then go on after Node's other events, or sleep.
   */
  #turn(): void {
    this.#isScheduled = false;
    this.#immediate = null;
    if (this.#isClosed) return;
    this.#isInTurn = true;
    this.#turns++;
    // Between the first turn and the second the loop has polled, and so taken up our handle.
    if (this.#turns === 2) this.#adoptLoop();
    const { core } = this;
    const { ring } = core;
    let isIdle = false;
    ring.announce(false);
    // A handler that throws ends the thread; should the thread live on, the ring does too.
    try {
      for (let round = 0; round < ROUNDS_MAX && !isIdle; round++) {
        core.flush();
        if (ring.hasWork) ring.enter();
        // Per round: a server may answer within the turn that it was asked in.
        core.setTime(performance.now());
        isIdle = this.#reap() === 0 && !this.#hasMore();
      }
      if (core.nowMs - this.#lastTickMs >= limits.timerTickMs) this.#tick();
    } finally {
      this.#isInTurn = false;
      if (!isIdle || core.hasTouched) this.#schedule();
      else if (this.#isClosing && this.#isEmpty) this.#dispose();
      else if (!this.#sleep()) this.#schedule();
      else if (this.#poll === null) this.#doze();
    }
  }

  /** Handles the waiting completions, at most a batch. Returns how many. */
  #reap(): number {
    const { ring, listeners } = this.core;
    const { words, layout } = ring;
    const { headWord, tailWord, mask, entriesWord } = layout;
    const links = this.#links.owners;
    const first = words[headWord] as number;
    const waiting = (Atomics.load(words, tailWord) - first) | 0;
    const count = Math.min(waiting, BATCH_MAX);
    let head = first;
    try {
      while (((head - first) | 0) !== count) {
        const at = entriesWord + (head & mask) * Cqe.WORDS;
        const low = words[at] as number;
        const generation = words[at + 1] as number;
        const result = words[at + 2] as number;
        const flags = words[at + 3] as number;
        head = (head + 1) | 0;
        const slot = low >>> KIND_BITS;
        const kind = low & ((1 << KIND_BITS) - 1);
        if (kind >= Kind.ACCEPT) {
          // At once: should the thread die, reclaiming closes the accepted links that were not yet seen.
          Atomics.store(words, headWord, head);
          const owner = listeners.owners[slot];
          if (owner?.generation === generation) owner.complete(kind, result, flags);
          continue;
        }
        const owner = links[slot];
        if (owner != null && owner.generation === generation) owner.complete(kind, result, flags);
      }
    } finally {
      if (count > 0) Atomics.store(words, headWord, head);
      this.#completions += count;
    }
    return count;
  }

  /** True when another round would do something at once. */
  #hasMore(): boolean {
    return this.core.hasTouched || this.core.ring.hasWork;
  }

  /** Asks for the eventfd; false when work came in between. */
  #sleep(): boolean {
    const { ring } = this.core;
    ring.announce(true);
    // Elsewhere than on x64 the kernel's flag may be seen late, so ask the kernel itself.
    if (process.arch !== 'x64') ring.enter();
    return !ring.hasWork && !ring.hasCompletions;
  }

  /** The next turn comes with whatever wakes the loop; a pending immediate without a reference does not. */
  #doze(): void {
    this.#immediate = setImmediate(this.#runTurn);
    this.#immediate.unref();
  }

  #onTimer(): void {
    this.core.setTime(performance.now());
    if (this.core.nowMs - this.#lastTickMs >= limits.timerTickMs / 2) this.#tick();
  }

  #tick(): void {
    this.#lastTickMs = this.core.nowMs;
    this.#endRests();
    this.onTick(this.core.nowMs);
  }

  /** What accepting may not use up is taken back first. */
  #endRests(): void {
    if (this.#reserve.isHeld || !this.#reserve.restore()) return;
    for (const listener of this.#listeners) listener.endRest();
  }

  get #isEmpty(): boolean {
    return this.core.openLinks === 0 && this.#listeners.size === 0;
  }

  #dispose(): void {
    const { core } = this;
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#alarm.stop();
    this.#poll?.close();
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#reserve.lend();
    core.libc.close(this.#eventFd);
    core.ring.close();
    core.buffers.close();
    core.messages.mapping.unmap();
    core.scratch.unmap();
    clearLedger(this.ledger);
  }
}
