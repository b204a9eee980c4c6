import { invariant } from '../../base/invariant.ts';
import type { Link, LinkHandler, Listening } from '../driver.ts';
import { hostOf, portOf, SOCKADDR_BYTES_MAX } from './addresses.ts';
import { Cqe, Errno, Kind, Posix } from './constants.ts';
import type { Core, SlotOwner } from './core.ts';
import { forgetListener, noteDescriptor, noteListener } from './ledger.ts';
import { UringLink } from './link.ts';
import { prepareAccept, prepareCancel, prepareClose, setNoDelay } from './operations.ts';

/** Connections taken when accepting ends. */
const LAST_ACCEPTS_MAX = 64;
/** Place of a socket address and its length in the scratch memory. */
const ADDRESS_AT = 64;
const LENGTH_AT = 32;

/** Before `onAccept` has set a handler nothing may happen on a link. */
const NO_HANDLER: LinkHandler = {
  onConnected: refuse,
  onReceive: refuse,
  onEnd: refuse,
  onDrain: refuse,
  onClosed: refuse,
};

function refuse(): void {
  invariant(false, 'onAccept sets a handler before it returns');
}

/** What the driver's listeners have in common. */
export interface AcceptBook {
  readonly core: Core;
  readonly ledger: Int32Array;
  /** At an accepted descriptor of this number almost none is free. */
  readonly descriptorCeiling: number;
  /** Descriptors ran out: all listeners rest until there are some. */
  starve(): void;
  /** The listener is gone: its descriptor is closed and no completion is due. */
  onGone(listener: UringListener): void;
}

/**
 * A listening socket of this worker (a dup of its own) with one multishot accept armed.
 *
 *   armed ⇄ (paused or resting: cancelled) → stopped: cancel → last completion → CLOSE → gone
 *
 * A connection that the kernel accepted before a cancel took hold is still handed over: it is already
 * ours, nobody else would serve it.
 */
export class UringListener implements Listening, SlotOwner {
  readonly fd: number;
  readonly slot: number;
  readonly generation: number;
  readonly port: number;
  readonly #book: AcceptBook;
  readonly #core: Core;
  readonly #onAccept: (link: Link) => void;
  readonly #ledgerPlace: number;
  readonly #isOwn: boolean;
  #isArmed = false;
  #isCancelling = false;
  #isPaused = false;
  #isStopped = false;
  #isTouched = false;
  #isCloseSubmitted = false;
  #isResting = false;

  /** Takes `fd` over: a socket of the driver's own, or a duplicate of a stored one (`isOwn` false). */
  constructor(
    book: AcceptBook,
    start: { readonly fd: number; readonly isOwn: boolean },
    onAccept: (link: Link) => void,
  ) {
    const { fd, isOwn } = start;
    const { core } = book;
    this.fd = fd;
    this.slot = core.listeners.take();
    this.generation = core.listeners.generationOf(this.slot);
    this.#book = book;
    this.#core = core;
    this.#isOwn = isOwn;
    this.#onAccept = onAccept;
    this.port = this.#readAddress('getsockname', fd) ? this.#port() : 0;
    this.#ledgerPlace = noteListener(book.ledger, fd);
    // Accepted sockets inherit it: one call per listener instead of one per connection.
    setNoDelay(core, fd);
    core.listeners.put(this);
    this.#touch();
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    // Refuses from now on. Never on a stored socket: it would end for everyone who shares it.
    if (this.#isOwn) this.#core.libc.shutdown(this.fd, Posix.SHUT_RDWR);
    this.#touch();
  }

  pause(): void {
    this.#isPaused = true;
    if (this.#isArmed) this.#touch();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#touch();
  }

  /** Descriptors are needed for other things. */
  rest(): void {
    this.#isResting = true;
    this.#touch();
  }

  /** There are descriptors again. */
  endRest(): void {
    if (!this.#isResting) return;
    this.#isResting = false;
    this.#touch();
  }

  complete(kind: number, result: number, flags: number): void {
    if (kind === Kind.ACCEPT) this.#onAccepted(result, flags);
    else if (kind === Kind.LISTENER_CANCEL) this.#isCancelling = false;
    else if (kind === Kind.LISTENER_CLOSE) {
      this.#core.listeners.drop(this.slot);
      this.#book.onGone(this);
      return;
    }
    const isOver = this.#isStopped && !this.#isArmed && !this.#isCancelling;
    if (isOver && !this.#isCloseSubmitted) this.#acceptLast();
    this.#touch();
  }

  flush(): void {
    this.#isTouched = false;
    const isWanted = !this.#isPaused && !this.#isStopped && !this.#isResting;
    if (this.#isArmed) {
      if (isWanted || this.#isCancelling) return;
      this.#isCancelling = true;
      prepareCancel(this.#core, this, Kind.ACCEPT, Kind.LISTENER_CANCEL);
    } else if (isWanted) {
      this.#isArmed = true;
      prepareAccept(this.#core, this);
    } else if (this.#isStopped && !this.#isCancelling && !this.#isCloseSubmitted) {
      this.#isCloseSubmitted = true;
      forgetListener(this.#book.ledger, this.#ledgerPlace);
      prepareClose(this.#core, this, Kind.LISTENER_CLOSE);
    }
  }

  /**
   * Where others share the socket, the kernel may have woken our accept for a connection just when it
   * was cancelled, and would wake nobody else for it: it is taken here. More than a few are a stream
   * that wakes the others too.
   */
  #acceptLast(): void {
    const { libc } = this.#core;
    // A blocking socket would hold the thread where nothing waits.
    const isNonBlocking = (libc.fcntl(this.fd, Posix.F_GETFL, 0) & Posix.O_NONBLOCK) !== 0;
    if (this.#isOwn || !isNonBlocking) return;
    for (let i = 0; i < LAST_ACCEPTS_MAX; i++) {
      const fd = libc.accept4(this.fd, 0, 0, Posix.SOCK_CLOEXEC);
      if (fd < 0) return;
      this.#handOver(fd);
    }
  }

  #touch(): void {
    if (this.#isTouched) return;
    this.#isTouched = true;
    this.#core.touch(this);
  }

  #onAccepted(result: number, flags: number): void {
    if ((flags & Cqe.MORE) === 0) this.#isArmed = false;
    if (result >= 0) {
      this.#handOver(result);
      return;
    }
    if (result === -Errno.ECANCELED || result === -Errno.EAGAIN || result === -Errno.EINTR) return;
    if (result === -Errno.ECONNABORTED) return;
    // Out of descriptors or memory: the kernel's queue keeps the connection; trying at once would spin.
    this.#book.starve();
    this.rest();
  }

  #handOver(fd: number): void {
    noteDescriptor(this.#core.descriptorBits, fd);
    if (fd >= this.#book.descriptorCeiling) this.#book.starve();
    const isKnown = this.#readAddress('getpeername', fd);
    const { bytes } = this.#core.scratch;
    const link = new UringLink(this.#core, {
      fd,
      handler: NO_HANDLER,
      isConnected: true,
      remoteAddress: isKnown ? hostOf(bytes, ADDRESS_AT) : '',
      remotePort: isKnown ? this.#port() : 0,
      localPort: this.port,
    });
    this.#onAccept(link);
    invariant(link.handler !== NO_HANDLER, 'onAccept sets a handler before it returns');
  }

  /** False when the peer is gone already: the first receive tells the rest. */
  #readAddress(call: 'getpeername' | 'getsockname', fd: number): boolean {
    const { libc, scratch } = this.#core;
    scratch.words[LENGTH_AT >>> 2] = SOCKADDR_BYTES_MAX;
    const at = scratch.at(ADDRESS_AT, SOCKADDR_BYTES_MAX);
    return libc[call](fd, at, scratch.at(LENGTH_AT, 4)) === 0;
  }

  #port(): number {
    return portOf(this.#core.scratch.bytes, ADDRESS_AT);
  }
}
