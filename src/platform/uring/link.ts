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
export class UringLink implements Link, SlotOwner {
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
  readonly fd: number;
  readonly slot: number;
  readonly generation: number;
  readonly #core: Core;
  readonly #queue: SendQueue;
  #errno = 0;
  /** Operations whose last completion has not come. */
  #outstanding = 0;
  #isTouched = false;
  #isSending = false;
  #hasSendFailed = false;
  #isAboveHigh = false;
  #isArmed = false;
  #isArmedMultishot = false;
  #isCancelling = false;
  #isPaused = false;
  #hasPaused = false;
  #isWaiting = false;
  #hasEnded = false;
  #wantsEnd = false;
  #hasShutDown = false;
  #isClosing = false;
  #isTearingDown = false;
  #hasCancelledAll = false;
  #isCloseSubmitted = false;

  constructor(core: Core, start: LinkStart) {
    this.handler = start.handler;
    this.isConnected = start.isConnected;
    this.progressAtMs = core.nowMs;
    this.remoteAddress = start.remoteAddress;
    this.remotePort = start.remotePort;
    this.localPort = start.localPort;
    this.fd = start.fd;
    this.slot = core.links.take();
    this.generation = core.links.generationOf(this.slot);
    this.#core = core;
    this.#queue = new SendQueue(core.buffers);
    core.links.put(this);
    core.openLinks++;
    this.#touch();
  }

  get queuedBytes(): number {
    return this.#queue.queuedBytes;
  }

  send(id: number, offset: number, length: number): void {
    if (!this.#acceptsBytes || length <= 0) {
      this.#core.buffers.release(id);
      return;
    }
    if (this.#queue.append(id, offset, length)) this.#queued();
    else {
      this.#core.buffers.release(id);
      this.fail(Errno.ENOBUFS);
    }
  }

  sendCopy(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.#acceptsBytes || end <= start) return true;
    if (!this.#queue.appendCopy(bytes, start, end)) return false;
    this.#queued();
    return true;
  }

  pause(): void {
    this.#isPaused = true;
    this.#hasPaused = true;
    if (this.#isArmedMultishot) this.#touch();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#touch();
  }

  end(): void {
    if (!this.isOpen || this.#wantsEnd) return;
    this.#wantsEnd = true;
    this.#touch();
  }

  close(): void {
    if (this.#isClosing || this.#isTearingDown) return;
    if (this.#hasSendFailed) {
      this.fail(this.#errno);
      return;
    }
    this.isOpen = false;
    this.#isClosing = true;
    this.#touch();
  }

  abort(): void {
    if (this.#isTearingDown) return;
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
        this.#isWaiting = false;
        this.#touch();
    }
    if (this.#isTearingDown && this.#outstanding === 0) this.#touch();
  }

  flush(): void {
    this.#isTouched = false;
    if (!this.#isTearingDown && this.#isFinished) this.#isTearingDown = true;
    if (this.#isTearingDown) {
      this.#tearDown();
      return;
    }
    if (!this.isConnected) return;
    if (!this.#isSending) {
      if (this.#queue.count > 0) this.#startSend();
      else if (this.#wantsEnd && !this.#hasShutDown) this.#shutDown();
    }
    if (this.#isArmed) {
      if (this.#isPaused && this.#isArmedMultishot && !this.#isCancelling) this.#cancelReceive();
    } else if (!this.#isPaused && !this.#hasEnded && !this.#isWaiting) this.#arm();
  }

  get #acceptsBytes(): boolean {
    return this.isOpen && !this.#wantsEnd;
  }

  /** Nothing left to send, and we are closing or both sides have said their last. */
  get #isFinished(): boolean {
    if (this.#queue.count > 0 || this.#isSending) return false;
    return this.#isClosing || (this.#hasEnded && this.#wantsEnd);
  }

  #touch(): void {
    if (this.#isTouched) return;
    this.#isTouched = true;
    this.#core.touch(this);
  }

  #queued(): void {
    if (this.#queue.queuedBytes > limits.queueHighBytes) this.#isAboveHigh = true;
    if (!this.#isSending) this.#touch();
  }

  #startSend(): void {
    this.#isSending = true;
    this.#outstanding++;
    prepareSend(this.#core, this, this.#queue);
  }

  #arm(): void {
    const { hasReceiveLimit } = this.#core;
    // Without a limit a paused link could be flooded again before its next pause: one buffer at a time.
    this.#isArmedMultishot = hasReceiveLimit || !this.#hasPaused;
    this.#isArmed = true;
    this.#outstanding++;
    const bytes = hasReceiveLimit ? RECEIVE_BYTES : 0;
    prepareReceive(this.#core.ring, this, this.#isArmedMultishot, bytes);
  }

  #cancelReceive(): void {
    this.#isCancelling = true;
    this.#outstanding++;
    prepareCancel(this.#core, this, Kind.RECEIVE, Kind.CANCEL);
  }

  /** Called directly: the ring would hand SHUTDOWN to a kernel thread, which costs more than the call. */
  #shutDown(): void {
    this.#hasShutDown = true;
    this.#core.libc.shutdown(this.fd, Posix.SHUT_WR);
  }

  #onReceived(result: number, flags: number): void {
    const isLast = (flags & Cqe.MORE) === 0;
    if (isLast) {
      this.#isArmed = false;
      this.#isArmedMultishot = false;
      this.#outstanding--;
    }
    const id = bufferOf(flags);
    if (id >= 0) this.#core.buffers.take(id);
    if (result > 0) this.#deliver(id, result);
    else {
      if (id >= 0) this.#core.buffers.release(id);
      this.#onReceiveOver(result);
    }
    if (isLast && !this.#isTearingDown) this.#touch();
  }

  #deliver(id: number, length: number): void {
    const { buffers } = this.#core;
    invariant(id >= 0, 'received bytes come in a buffer');
    this.receivedBytes += length;
    this.progressAtMs = this.#core.nowMs;
    // After close() bytes are read and dropped until the queue has left: unread ones would make a RST.
    if (this.#isClosing || this.#isTearingDown) {
      buffers.release(id);
      return;
    }
    const offset = buffers.startOf(id) + buffers.headroomBytes;
    this.handler.onReceive(this, id, offset, length);
  }

  /** A receive ended without bytes: FIN, no buffer, cancelled, or an error. */
  #onReceiveOver(result: number): void {
    if (result === -Errno.ENOBUFS) {
      this.#isWaiting = true;
      this.#core.waitForBuffer(this);
      return;
    }
    if (this.#isTearingDown) return;
    if (this.#hasSendFailed) {
      this.fail(this.#errno);
      return;
    }
    if (result === 0) {
      this.#hasEnded = true;
      if (!this.#isClosing) this.handler.onEnd(this);
      return;
    }
    const isPassing =
      result === -Errno.ECANCELED || result === -Errno.EAGAIN || result === -Errno.EINTR;
    if (!isPassing) this.fail(-result);
  }

  #onSent(result: number): void {
    this.#isSending = false;
    this.#outstanding--;
    if (this.#isTearingDown) {
      this.#queue.inFlight = 0;
      this.#queue.drop();
      return;
    }
    if (result <= 0) {
      this.#onSendFailed(result);
      return;
    }
    this.sentBytes += result;
    this.progressAtMs = this.#core.nowMs;
    this.#queue.consume(result);
    if (this.#queue.count > 0 || this.#isClosing || this.#wantsEnd) this.#touch();
    if (this.#isAboveHigh && this.#queue.queuedBytes <= limits.queueLowBytes) {
      this.#isAboveHigh = false;
      if (this.isOpen) this.handler.onDrain(this);
    }
  }

  #onSendFailed(result: number): void {
    this.#queue.inFlight = 0;
    if (result === -Errno.EINTR || result === -Errno.EAGAIN) {
      this.#touch();
      return;
    }
    // The peer may have answered before it reset: what it sent is read before the link is given up.
    // The socket is dead, so the armed receive is sure to end.
    this.#errno = -result;
    this.isOpen = false;
    this.#hasSendFailed = true;
    this.#queue.drop();
    if (!this.#isArmed || this.#isClosing) this.fail(-result);
  }

  #onConnected(result: number): void {
    this.#outstanding--;
    if (this.#isTearingDown) return;
    if (result < 0) {
      this.fail(-result);
      return;
    }
    this.isConnected = true;
    this.progressAtMs = this.#core.nowMs;
    this.#touch();
    if (this.isOpen) this.handler.onConnected(this);
  }

  #onCancelled(result: number): void {
    this.#outstanding--;
    this.#isCancelling = false;
    // Nothing found although operations are outstanding: they are between two states and might arm
    // themselves again. A shut-down socket ends them for certain.
    if (this.#hasCancelledAll && result < 0 && this.#outstanding > 0) {
      this.#core.libc.shutdown(this.fd, Posix.SHUT_RDWR);
    }
  }

  #onClosed(): void {
    this.#core.links.drop(this.slot);
    this.#core.openLinks--;
    this.#core.onDescriptorFreed();
    this.handler.onClosed(this, this.#errno);
  }

  /** The link ends with `errno`; also when there was no descriptor to dial with. */
  fail(errno: number): void {
    if (this.#isTearingDown) return;
    const isLost = !this.#isClosing || this.#queue.count > 0 || this.#hasSendFailed;
    this.#errno = isLost ? errno : 0;
    this.#tearDownSoon();
  }

  #tearDownSoon(): void {
    this.isOpen = false;
    this.#isTearingDown = true;
    this.#queue.drop();
    this.#touch();
  }

  #tearDown(): void {
    this.isOpen = false;
    if (this.#isCloseSubmitted) return;
    if (this.#outstanding > 0) {
      if (this.#hasCancelledAll) return;
      this.#hasCancelledAll = true;
      this.#outstanding++;
      prepareCancelAll(this.#core, this);
      return;
    }
    this.#isCloseSubmitted = true;
    // Before the number can be another's; from here to the submission no handler runs.
    if (this.fd >= 0) forgetDescriptor(this.#core.descriptorBits, this.fd);
    prepareClose(this.#core, this, Kind.CLOSE);
  }
}
