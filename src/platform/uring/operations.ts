import { BUFFER_GROUP } from './buffers.ts';
import { KIND_BITS, Kind, Op, Posix, Sqe } from './constants.ts';
import type { Core } from './core.ts';
import { headWord, type Ring } from './ring.ts';
import type { SendQueue } from './send-queue.ts';

const ACCEPT = headWord(Op.ACCEPT, 0, Sqe.ACCEPT_MULTISHOT);
const CANCEL = headWord(Op.ASYNC_CANCEL, 0, 0);
const CLOSE = headWord(Op.CLOSE, 0, 0);
const CONNECT = headWord(Op.CONNECT, 0, 0);
const RECEIVE = headWord(Op.RECV, Sqe.BUFFER_SELECT, 0);
const RECEIVE_MULTISHOT = headWord(Op.RECV, Sqe.BUFFER_SELECT, Sqe.RECV_MULTISHOT);
const SEND = headWord(Op.SEND, 0, 0);
const SENDMSG = headWord(Op.SENDMSG, 0, 0);

/** A descriptor with the two words that its completions carry (the low one without the kind). */
export interface Target {
  readonly fd: number;
  readonly slot: number;
  readonly generation: number;
}

function tagOf(target: Target, kind: number): number {
  return (target.slot << KIND_BITS) | kind;
}

/**
 * Sends from the front of the link's queue: one segment plainly, up to 16 as one message. Never
 * MSG_WAITALL: progress on a slow link must be seen. Sets `inFlightSegments`.
 */
export function prepareSend(core: Core, link: Target & SendQueue): void {
  const { ring, messages } = core;
  const tag = tagOf(link, Kind.SEND);
  const { fd, generation } = link;
  // First room, then the slot: making room frees all slots.
  ring.ensureRoom();
  const slot = link.queuedSegments > 1 ? messages.take() : -1;
  if (slot < 0) {
    const { mapping } = core.buffers;
    const offset = link.firstOffset;
    const length = link.firstLength;
    link.inFlightSegments = 1;
    const low = mapping.low(offset, length);
    const high = mapping.high(offset);
    ring.prepare(SEND, fd, 0, low, high, length, Posix.MSG_NOSIGNAL, tag, generation, 0, 0);
    return;
  }
  link.inFlightSegments = link.fillMessage(messages, slot);
  const low = messages.headerLow(slot);
  const high = messages.headerHigh(slot);
  ring.prepare(SENDMSG, fd, 0, low, high, 1, Posix.MSG_NOSIGNAL, tag, generation, 0, 0);
}

/** Receives into provided buffers; `totalBytes` limits a multishot receive where not 0. */
export function prepareReceive(
  ring: Ring,
  target: Target,
  isMultishot: boolean,
  totalBytes: number,
): void {
  const head = isMultishot ? RECEIVE_MULTISHOT : RECEIVE;
  const tag = tagOf(target, Kind.RECEIVE);
  const { fd, generation } = target;
  ring.prepare(head, fd, 0, 0, 0, 0, 0, tag, generation, BUFFER_GROUP, totalBytes);
}

/** Cancels the operation of `kind`; both complete, the cancelling one as `ownKind`. */
export function prepareCancel(core: Core, target: Target, kind: number, ownKind: number): void {
  const { generation } = target;
  const victim = tagOf(target, kind);
  const tag = tagOf(target, ownKind);
  core.ring.prepare(CANCEL, -1, 0, victim, generation, 0, 0, tag, generation, 0, 0);
}

/** Cancels everything outstanding on the descriptor. */
export function prepareCancelAll(core: Core, target: Target): void {
  const flags = Sqe.CANCEL_FD | Sqe.CANCEL_ALL;
  const tag = tagOf(target, Kind.CANCEL);
  core.ring.prepare(CANCEL, target.fd, 0, 0, 0, 0, flags, tag, target.generation, 0, 0);
}

/** Closes the descriptor; completes as `ownKind`. */
export function prepareClose(core: Core, target: Target, ownKind: number): void {
  const tag = tagOf(target, ownKind);
  core.ring.prepare(CLOSE, target.fd, 0, 0, 0, 0, 0, tag, target.generation, 0, 0);
}

/** Accepts until cancelled or out of descriptors. `target.slot` is a listener's. */
export function prepareAccept(core: Core, target: Target): void {
  const tag = tagOf(target, Kind.ACCEPT);
  // A program that a probe runs must not inherit clients' sockets.
  core.ring.prepare(
    ACCEPT,
    target.fd,
    0,
    0,
    0,
    0,
    Posix.SOCK_CLOEXEC,
    tag,
    target.generation,
    0,
    0,
  );
}

/** Connects to `address` (socket address bytes, copied). */
export function prepareConnect(core: Core, target: Target, address: Uint8Array): void {
  const { ring, messages } = core;
  ring.ensureRoom();
  let slot = messages.take();
  if (slot < 0) {
    ring.submit();
    slot = messages.take();
  }
  messages.setAddress(slot, address);
  const low = messages.addressLow(slot, address.length);
  const high = messages.addressHigh(slot);
  const tag = tagOf(target, Kind.CONNECT);
  ring.prepare(CONNECT, target.fd, address.length, low, high, 0, 0, tag, target.generation, 0, 0);
}

/** Makes the close of `fd` a reset: struct linger { on, seconds } as { 1, 0 }. */
export function resetOnClose(core: Core, fd: number): void {
  const { libc, scratch } = core;
  scratch.words[0] = 1;
  scratch.words[1] = 0;
  libc.setsockopt(fd, Posix.SOL_SOCKET, Posix.SO_LINGER, scratch.at(0, 8), 8);
}

/** Sets TCP_NODELAY; on a listening socket the accepted ones inherit it. No effect on Unix sockets. */
export function setNoDelay(core: Core, fd: number): void {
  const { libc, scratch } = core;
  scratch.words[0] = 1;
  libc.setsockopt(fd, Posix.IPPROTO_TCP, Posix.TCP_NODELAY, scratch.at(0, 4), 4);
}
