import { errnoName, type PollHandle, socketCalls, sys } from './socket-calls.ts';

/**
 * One received message: its JSON value and the descriptors that came with it, now ours to close.
 */
export interface ChannelMessage {
  readonly value: unknown;
  readonly fds: readonly number[];
}

/** What a channel reports. After `onClosed` nothing more comes. */
export interface ChannelHandler {
  onMessage(message: ChannelMessage): void;
  /** The other end is gone, or broke the protocol (`why`). */
  onClosed(why: string): void;
}

/**
 * Bytes of one message. 128 listeners of 300 bytes each fit; the kernel takes up to some 200 KiB.
 */
const MESSAGE_BYTES_MAX = 65_536;
/** Descriptors of one message: one per worker (64 at most), far below the kernel's 253. */
const MESSAGE_DESCRIPTORS_MAX = 64;
/** Messages read before other work of the loop gets its turn. */
const MESSAGES_PER_TURN = 16;

/** What one end may have sent and nobody has read is bounded by the socket's buffer. */
const TURNS_MAX = 64;

/*
 * One block of memory per process, used by one call at a time:
 *
 *   0      struct msghdr (56 bytes: name, iov at 16, control at 32, flags at 48)
 *   64     struct iovec  (base, length)
 *   128    control: struct cmsghdr (length, level, type), then descriptors
 *   4096   bytes of the message
 */
const IOVEC_AT = 64;
const CONTROL_AT = 128;
const CONTROL_HEAD_BYTES = 16;
const CONTROL_BYTES_MAX = CONTROL_HEAD_BYTES + MESSAGE_DESCRIPTORS_MAX * 4;
const BODY_AT = 4096;

interface Scratch {
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly longs: BigInt64Array;
}
let scratch: Scratch | null = null;

function scratchMemory(): Scratch {
  if (scratch === null) {
    const { at, bytes } = socketCalls().memory(BODY_AT + MESSAGE_BYTES_MAX);
    const { buffer, byteOffset } = bytes;
    scratch = {
      at,
      bytes,
      words: new Int32Array(buffer, byteOffset, bytes.length >>> 2),
      longs: new BigInt64Array(buffer, byteOffset, bytes.length >>> 3),
    };
  }
  return scratch;
}

/** Two connected ends of a channel, as descriptors that are closed on exec. Errors: throws. */
export function createChannelPair(): readonly [number, number] {
  const pair = new Int32Array(2);
  const type = sys.SOCK_SEQPACKET | sys.SOCK_NONBLOCK | sys.SOCK_CLOEXEC;
  const calls = socketCalls();
  if (calls.socketpair(sys.AF_UNIX, type, 0, new Uint8Array(pair.buffer)) < 0) {
    throw new Error(`Cannot make a socket pair: ${errnoName(calls.errno())}`);
  }
  return [pair[0] as number, pair[1] as number];
}

/**
 * One end of a channel that carries JSON values with descriptors (SCM_RIGHTS, unix(7)). The socket
 * keeps message boundaries, so a message is whole or absent. Both ends take turns (a request, then
 * its answer), which is why a full socket is an error here and not a queue.
 */
export class DescriptorChannel {
  readonly #fd: number;
  readonly #handler: ChannelHandler;
  readonly #poll: PollHandle;
  #isOpen = true;

  constructor(fd: number, handler: ChannelHandler) {
    this.#fd = fd;
    this.#handler = handler;
    this.#poll = socketCalls().poll(fd, () => this.#read());
  }

  /** False after the other end went away or `close()`. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Sends one value with copies of `fds`, which stay open here. Errors: false when it could not be
   * sent; the channel is then closed and `onClosed` follows. Throws for a message over the limits.
   */
  send(value: unknown, fds: readonly number[] = []): boolean {
    if (!this.#isOpen) return false;
    const body = new TextEncoder().encode(JSON.stringify(value));
    if (body.length > MESSAGE_BYTES_MAX || fds.length > MESSAGE_DESCRIPTORS_MAX) {
      throw new RangeError(
        `Cannot send ${body.length} bytes with ${fds.length} descriptors as the limits are ` +
          `${MESSAGE_BYTES_MAX} and ${MESSAGE_DESCRIPTORS_MAX}`,
      );
    }
    const memory = scratchMemory();
    memory.bytes.set(body, BODY_AT);
    const controlBytes = fds.length === 0 ? 0 : CONTROL_HEAD_BYTES + fds.length * 4;
    prepare(memory, body.length, controlBytes);
    if (controlBytes > 0) {
      memory.longs[CONTROL_AT >>> 3] = BigInt(controlBytes);
      memory.words[(CONTROL_AT >>> 2) + 2] = sys.SOL_SOCKET;
      memory.words[(CONTROL_AT >>> 2) + 3] = sys.SCM_RIGHTS;
      memory.words.set(fds, (CONTROL_AT + CONTROL_HEAD_BYTES) >>> 2);
    }
    const calls = socketCalls();
    if (Number(calls.sendmsg(this.#fd, memory.at, sys.MSG_DONTWAIT | sys.MSG_NOSIGNAL)) >= 0)
      return true;
    const why = errnoName(calls.errno());
    setImmediate(() => this.#end(`cannot send: ${why}`));
    return false;
  }

  /** Takes what has arrived and waits to be read, before an end that is known otherwise. */
  readAll(): void {
    for (let turns = 0; turns < TURNS_MAX && this.#isOpen; turns++) {
      for (let i = 0; i < MESSAGES_PER_TURN && this.#isOpen; i++) {
        const received = receive(this.#fd);
        if (typeof received === 'string') return;
        this.#handler.onMessage(received);
      }
    }
  }

  /** Closes this end; no `onClosed` follows. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#poll.close();
    socketCalls().close(this.#fd);
  }

  #end(why: string): void {
    if (!this.#isOpen) return;
    this.close();
    this.#handler.onClosed(why);
  }

  #read(): void {
    for (let i = 0; i < MESSAGES_PER_TURN && this.#isOpen; i++) {
      const received = receive(this.#fd);
      if (received === 'nothing') return;
      if (typeof received === 'string') {
        this.#end(received);
        return;
      }
      this.#handler.onMessage(received);
    }
  }
}

/** Fills msghdr and iovec. Sizes are 64-bit words; the upper half of every one we use is 0. */
function prepare(memory: Scratch, bodyBytes: number, controlBytes: number): void {
  const { at, longs } = memory;
  longs.fill(0n, 0, CONTROL_AT >>> 3);
  longs[2] = BigInt(at + IOVEC_AT);
  longs[3] = 1n;
  longs[4] = controlBytes === 0 ? 0n : BigInt(at + CONTROL_AT);
  longs[5] = BigInt(controlBytes);
  longs[IOVEC_AT >>> 3] = BigInt(at + BODY_AT);
  longs[(IOVEC_AT >>> 3) + 1] = BigInt(bodyBytes);
}

/** One message, `nothing` when none waits, or the reason why no more will come. */
function receive(fd: number): ChannelMessage | string {
  const calls = socketCalls();
  const memory = scratchMemory();
  prepare(memory, MESSAGE_BYTES_MAX, CONTROL_BYTES_MAX);
  const count = Number(calls.recvmsg(fd, memory.at, sys.MSG_DONTWAIT | sys.MSG_CMSG_CLOEXEC));
  if (count < 0) {
    const name = errnoName(calls.errno());
    return name === 'EAGAIN' || name === 'EINTR' ? 'nothing' : `cannot receive: ${name}`;
  }
  if (count === 0) return 'the other end closed';
  const fds = receivedDescriptors(memory);
  const flags = memory.words[12] as number;
  const text = new TextDecoder().decode(memory.bytes.slice(BODY_AT, BODY_AT + count));
  const value = (flags & (sys.MSG_CTRUNC | sys.MSG_TRUNC)) === 0 ? parseJson(text) : undefined;
  if (value !== undefined) return { value, fds };
  for (const each of fds) calls.close(each);
  return 'a message was cut or not JSON';
}

function receivedDescriptors(memory: Scratch): number[] {
  const controlBytes = Number(memory.longs[5]);
  const at = CONTROL_AT >>> 2;
  const isRights =
    memory.words[at + 2] === sys.SOL_SOCKET && memory.words[at + 3] === sys.SCM_RIGHTS;
  if (controlBytes <= CONTROL_HEAD_BYTES || !isRights) return [];
  const bytes = Math.min(Number(memory.longs[CONTROL_AT >>> 3]), CONTROL_BYTES_MAX);
  const first = (CONTROL_AT + CONTROL_HEAD_BYTES) >>> 2;
  return Array.from(memory.words.subarray(first, first + ((bytes - CONTROL_HEAD_BYTES) >>> 2)));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The other end is another version or broken: the caller ends the channel and says so.
    return undefined;
  }
}
