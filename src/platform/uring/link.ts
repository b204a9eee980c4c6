// Rule zero: some lines over 400, because sending, receiving and ending of a link share one state.
import { invariant } from '../../base/invariant.ts';
import { limits } from '../../model/limits.ts';
import type { Link, LinkHandler } from '../driver.ts';
import { Cqe, Errno, Kind, Posix } from './constants.ts';
import { type Core, type LinkStart, type SlotOwner, WAIT_OVER } from './core.ts';
import { forgetDescriptor } from './ledger.ts';
import {
  prepareCancel,
  prepareCancelAll,
  prepareClose,
  prepareConnect,
  prepareReceive,
  prepareSend,
  resetOnClose,
} from './operations.ts';
import { bufferOf } from './ring.ts';
import { SendQueue } from './send-queue.ts';

/**
 * Bytes that one multishot receive may bring before it is armed anew: what a sender can place in our
 * buffers before a pause takes hold. 512 KiB: with 128 KiB bodies of 1 MiB cost a fifth more CPU, with
 * no limit they cost the same (bench/micro/relay.ts). All links together are bounded by the kernel's
 * 1,024 buffers.
 */
const RECEIVE_BYTES = 524_288;

/** What a link is and waits for, one bit each: seventeen booleans would be two more cache lines of every link. */
const Flag = {
  OPEN: 1 << 0,
  CONNECTED: 1 << 1,
  /** Noted for the next flush. */
  TOUCHED: 1 << 2,
  SENDING: 1 << 3,
  SEND_FAILED: 1 << 4,
  ABOVE_HIGH: 1 << 5,
  /** A receive is outstanding, and which kind. */
  ARMED: 1 << 6,
  ARMED_MULTISHOT: 1 << 7,
  CANCELLING: 1 << 8,
  PAUSED: 1 << 9,
  EVER_PAUSED: 1 << 10,
  /** For a receive buffer. */
  WAITING: 1 << 11,
  PEER_ENDED: 1 << 12,
  WANTS_END: 1 << 13,
  SHUT_DOWN: 1 << 14,
  CLOSING: 1 << 15,
  TEARING_DOWN: 1 << 16,
  CANCELLED_ALL: 1 << 17,
  CLOSE_SUBMITTED: 1 << 18,
} as const;

/**
 * A link on the ring. Methods and completions only change the state and note the link; `flush`, once
 * per batch, prepares the operations that the state asks for, so that several sends leave as one and
 * nothing is submitted from within a handler.
 *
 *   dialling → open → (ended, half-closed) → closing: queue empties → tearing down: cancel all,
 *   zero operations outstanding → CLOSE → onClosed
 *
 * A descriptor is closed at zero outstanding operations only: a receive that is still armed would
 * keep the socket alive and no FIN would leave.
 */
export class UringLink extends SendQueue implements Link, SlotOwner {
  handler: LinkHandler;
  readonly fd: number;
  readonly slot: number;
  readonly generation: number;
  progressAtMs: number;
  readonly #core: Core;
  #flags: number;
  /** Operations whose last completion has not come. */
  #outstanding = 0;
  sentBytes = 0;
  receivedBytes = 0;
  #errno = 0;
  context: unknown = null;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;

  constructor(core: Core, start: LinkStart) {
    super(core.buffers);
    this.handler = start.handler;
    this.fd = start.fd;
    this.slot = core.links.take();
    this.generation = core.links.generationOf(this.slot);
    this.progressAtMs = core.nowMs;
    this.#core = core;
    this.#flags = start.isConnected ? Flag.OPEN | Flag.CONNECTED : Flag.OPEN;
    this.remoteAddress = start.remoteAddress;
    this.remotePort = start.remotePort;
    this.localPort = start.localPort;
    core.links.put(this);
    core.openLinks++;
    this.#touch();
  }

  get isConnected(): boolean {
    return this.#has(Flag.CONNECTED);
  }

  get isOpen(): boolean {
    return this.#has(Flag.OPEN);
  }

  send(id: number, offset: number, length: number): void {
    if (!this.#acceptsBytes() || length <= 0) {
      this.#core.buffers.release(id);
      return;
    }
    if (this.append(id, offset, length)) this.#queued();
    else {
      this.#core.buffers.release(id);
      this.fail(Errno.ENOBUFS);
    }
  }

  sendCopy(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.#acceptsBytes() || end <= start) return true;
    if (!this.appendCopy(bytes, start, end)) return false;
    this.#queued();
    return true;
  }

  pause(): void {
    this.#set(Flag.PAUSED);
    this.#set(Flag.EVER_PAUSED);
    if (this.#has(Flag.ARMED_MULTISHOT)) this.#touch();
  }

  resume(): void {
    if (!this.#has(Flag.PAUSED)) return;
    this.#clear(Flag.PAUSED);
    this.#touch();
  }

  end(): void {
    if (!this.isOpen || this.#has(Flag.WANTS_END)) return;
    this.#set(Flag.WANTS_END);
    this.#touch();
  }

  close(): void {
    if (this.#has(Flag.CLOSING) || this.#has(Flag.TEARING_DOWN)) return;
    if (this.#has(Flag.SEND_FAILED)) {
      this.fail(this.#errno);
      return;
    }
    this.#clear(Flag.OPEN);
    this.#set(Flag.CLOSING);
    this.#touch();
  }

  abort(): void {
    if (this.#has(Flag.TEARING_DOWN)) return;
    resetOnClose(this.#core, this.fd);
    this.#errno = 0;
    this.#tearDownSoon();
  }

  /** Starts to connect to `address` (socket address bytes); once, on a fresh dialled link. */
  connect(address: Uint8Array): void {
    this.#outstanding++;
    prepareConnect(this.#core, this, address);
  }

  complete(kind: number, result: number, flags: number): void {
    switch (kind) {
      case Kind.RECEIVE:
        this.#onReceived(result, flags);
        break;
      case Kind.SEND:
        this.#onSent(result);
        break;
      case Kind.CONNECT:
        this.#onConnected(result);
        break;
      case Kind.CANCEL:
        this.#onCancelled(result);
        break;
      case Kind.CLOSE:
        this.#onClosed();
        return;
      default:
        invariant(kind === WAIT_OVER, 'a completion has a known kind');
        this.#clear(Flag.WAITING);
        this.#touch();
    }
    if (this.#has(Flag.TEARING_DOWN) && this.#outstanding === 0) this.#touch();
  }

  flush(): void {
    this.#clear(Flag.TOUCHED);
    if (!this.#has(Flag.TEARING_DOWN) && this.#isFinished()) this.#set(Flag.TEARING_DOWN);
    if (this.#has(Flag.TEARING_DOWN)) {
      this.#tearDown();
      return;
    }
    if (!this.isConnected) return;
    if (!this.#has(Flag.SENDING)) {
      if (this.queuedSegments > 0) this.#startSend();
      else if (this.#has(Flag.WANTS_END) && !this.#has(Flag.SHUT_DOWN)) this.#shutDown();
    }
    if (this.#has(Flag.ARMED)) {
      if (this.#has(Flag.PAUSED) && this.#has(Flag.ARMED_MULTISHOT) && !this.#has(Flag.CANCELLING))
        this.#cancelReceive();
    } else if (!this.#has(Flag.PAUSED) && !this.#has(Flag.PEER_ENDED) && !this.#has(Flag.WAITING))
      this.#arm();
  }

  #has(flag: number): boolean {
    return (this.#flags & flag) !== 0;
  }

  #set(flag: number): void {
    this.#flags |= flag;
  }

  #clear(flag: number): void {
    this.#flags &= ~flag;
  }

  #acceptsBytes(): boolean {
    return this.isOpen && !this.#has(Flag.WANTS_END);
  }

  /** Nothing left to send, and we are closing or both sides have said their last. */
  #isFinished(): boolean {
    if (this.queuedSegments > 0 || this.#has(Flag.SENDING)) return false;
    return this.#has(Flag.CLOSING) || (this.#has(Flag.PEER_ENDED) && this.#has(Flag.WANTS_END));
  }

  #touch(): void {
    if (this.#has(Flag.TOUCHED)) return;
    this.#set(Flag.TOUCHED);
    this.#core.touch(this);
  }

  #queued(): void {
    if (this.queuedBytes > limits.queueHighBytes) this.#set(Flag.ABOVE_HIGH);
    if (!this.#has(Flag.SENDING)) this.#touch();
  }

  #startSend(): void {
    this.#set(Flag.SENDING);
    this.#outstanding++;
    prepareSend(this.#core, this);
  }

  #arm(): void {
    const { hasReceiveLimit } = this.#core;
    // Without a limit a paused link could be flooded again before its next pause: one buffer at a time.
    if (hasReceiveLimit || !this.#has(Flag.EVER_PAUSED)) this.#set(Flag.ARMED_MULTISHOT);
    this.#set(Flag.ARMED);
    this.#outstanding++;
    const bytes = hasReceiveLimit ? RECEIVE_BYTES : 0;
    prepareReceive(this.#core.ring, this, this.#has(Flag.ARMED_MULTISHOT), bytes);
  }

  #cancelReceive(): void {
    this.#set(Flag.CANCELLING);
    this.#outstanding++;
    prepareCancel(this.#core, this, Kind.RECEIVE, Kind.CANCEL);
  }

  /** Called directly: the ring would hand SHUTDOWN to a kernel thread, which costs more than the call. */
  #shutDown(): void {
    this.#set(Flag.SHUT_DOWN);
    this.#core.libc.shutdown(this.fd, Posix.SHUT_WR);
  }

  #onReceived(result: number, flags: number): void {
    const isLast = (flags & Cqe.MORE) === 0;
    if (isLast) {
      this.#clear(Flag.ARMED);
      this.#clear(Flag.ARMED_MULTISHOT);
      this.#outstanding--;
    }
    const id = bufferOf(flags);
    if (id >= 0) this.#core.buffers.take(id);
    if (result > 0) this.#deliver(id, result);
    else {
      if (id >= 0) this.#core.buffers.release(id);
      this.#onReceiveOver(result);
    }
    if (isLast && !this.#has(Flag.TEARING_DOWN)) this.#touch();
  }

  #deliver(id: number, length: number): void {
    const { buffers } = this.#core;
    invariant(id >= 0, 'received bytes come in a buffer');
    this.receivedBytes += length;
    this.progressAtMs = this.#core.nowMs;
    // After close() bytes are read and dropped until the queue has left: unread ones would make a RST.
    if (this.#has(Flag.CLOSING) || this.#has(Flag.TEARING_DOWN)) {
      buffers.release(id);
      return;
    }
    const offset = buffers.startOf(id) + buffers.headroomBytes;
    this.handler.onReceive(this, id, offset, length);
  }

  /** A receive ended without bytes: FIN, no buffer, cancelled, or an error. */
  #onReceiveOver(result: number): void {
    if (result === -Errno.ENOBUFS) {
      this.#set(Flag.WAITING);
      this.#core.waitForBuffer(this);
      return;
    }
    if (this.#has(Flag.TEARING_DOWN)) return;
    if (this.#has(Flag.SEND_FAILED)) {
      this.fail(this.#errno);
      return;
    }
    if (result === 0) {
      this.#set(Flag.PEER_ENDED);
      if (!this.#has(Flag.CLOSING)) this.handler.onEnd(this);
      return;
    }
    const isPassing =
      result === -Errno.ECANCELED || result === -Errno.EAGAIN || result === -Errno.EINTR;
    if (!isPassing) this.fail(-result);
  }

  #onSent(result: number): void {
    this.#clear(Flag.SENDING);
    this.#outstanding--;
    if (this.#has(Flag.TEARING_DOWN)) {
      this.inFlightSegments = 0;
      this.drop();
      return;
    }
    if (result <= 0) {
      this.#onSendFailed(result);
      return;
    }
    this.sentBytes += result;
    this.progressAtMs = this.#core.nowMs;
    this.consume(result);
    if (this.queuedSegments > 0 || this.#has(Flag.CLOSING) || this.#has(Flag.WANTS_END))
      this.#touch();
    if (this.#has(Flag.ABOVE_HIGH) && this.queuedBytes <= limits.queueLowBytes) {
      this.#clear(Flag.ABOVE_HIGH);
      if (this.isOpen) this.handler.onDrain(this);
    }
  }

  #onSendFailed(result: number): void {
    this.inFlightSegments = 0;
    if (result === -Errno.EINTR || result === -Errno.EAGAIN) {
      this.#touch();
      return;
    }
    // The peer may have answered before it reset: what it sent is read before the link is given up.
    // The socket is dead, so the armed receive is sure to end.
    this.#errno = -result;
    this.#clear(Flag.OPEN);
    this.#set(Flag.SEND_FAILED);
    this.drop();
    if (!this.#has(Flag.ARMED) || this.#has(Flag.CLOSING)) this.fail(-result);
  }

  #onConnected(result: number): void {
    this.#outstanding--;
    if (this.#has(Flag.TEARING_DOWN)) return;
    if (result < 0) {
      this.fail(-result);
      return;
    }
    this.#set(Flag.CONNECTED);
    this.progressAtMs = this.#core.nowMs;
    this.#touch();
    if (this.isOpen) this.handler.onConnected(this);
  }

  #onCancelled(result: number): void {
    this.#outstanding--;
    this.#clear(Flag.CANCELLING);
    // Nothing found although operations are outstanding: they are between two states and might arm
    // themselves again. A shut-down socket ends them for certain.
    if (this.#has(Flag.CANCELLED_ALL) && result < 0 && this.#outstanding > 0) {
      this.#core.libc.shutdown(this.fd, Posix.SHUT_RDWR);
    }
  }

  #onClosed(): void {
    this.#core.links.drop(this.slot);
    this.#core.openLinks--;
    this.handler.onClosed(this, this.#errno);
  }

  /** The link ends with `errno`; also when there was no descriptor to dial with. */
  fail(errno: number): void {
    if (this.#has(Flag.TEARING_DOWN)) return;
    const isLost =
      !this.#has(Flag.CLOSING) || this.queuedSegments > 0 || this.#has(Flag.SEND_FAILED);
    this.#errno = isLost ? errno : 0;
    this.#tearDownSoon();
  }

  #tearDownSoon(): void {
    this.#clear(Flag.OPEN);
    this.#set(Flag.TEARING_DOWN);
    this.drop();
    this.#touch();
  }

  #tearDown(): void {
    this.#clear(Flag.OPEN);
    if (this.#has(Flag.CLOSE_SUBMITTED)) return;
    if (this.#outstanding > 0) {
      if (this.#has(Flag.CANCELLED_ALL)) return;
      this.#set(Flag.CANCELLED_ALL);
      this.#outstanding++;
      prepareCancelAll(this.#core, this);
      return;
    }
    this.#set(Flag.CLOSE_SUBMITTED);
    // Before the number can be another's; from here to the submission no handler runs.
    if (this.fd >= 0) forgetDescriptor(this.#core.descriptorBits, this.fd);
    prepareClose(this.#core, this, Kind.CLOSE);
  }
}
