import { invariant } from '../../base/invariant.ts';
import type { Libc } from '../libc.ts';
import { Cqe, Errno, Posix, Sqe, Sys, Uring } from './constants.ts';
import { Mapping } from './memory.ts';

/** Completion entries per submission entry: bursts of multishot results must fit without overflow. */
const COMPLETIONS_PER_SUBMISSION = 4;
/** Struct sizes: io_uring_params. */
const PARAMS_WORDS = 30;

/** Word offsets of the completion ring within its mapping: what reclaiming a dead ring needs. */
export interface CompletionLayout {
  readonly headWord: number;
  readonly tailWord: number;
  readonly mask: number;
  readonly entriesWord: number;
}

/**
 * One io_uring: submission and completion queues in memory shared with the kernel, driven by the
 * thread that made it. Every word that the kernel writes or watches is read and written with
 * `Atomics` (plain access would be reordered on ARM64).
 *
 *   prepare … prepare → submit → kernel → completions[head … tail) → advance
 */
export class Ring {
  readonly fd: number;
  readonly features: number;
  /** The shared words of both rings, for the turn's loop that reads completions in place. */
  readonly words: Int32Array<ArrayBuffer>;
  readonly layout: CompletionLayout;
  readonly mappings: readonly Mapping[];
  readonly #libc: Libc;
  readonly #sqes: Uint32Array<ArrayBuffer>;
  readonly #entries: number;
  readonly #submissionTailWord: number;
  readonly #submissionFlagsWord: number;
  readonly #completionFlagsWord: number;
  #isAnnouncing = true;
  #tail = 0;
  #pending = 0;
  /** Calls of io_uring_enter so far. */
  enters = 0;
  /** Called after the kernel has consumed all entries: what they pointed to may be reused. */
  onSubmitted: () => void = () => {};

  /** `entries`: a power of two. Errors: throws with the reason where the kernel refuses. */
  constructor(libc: Libc, entries: number) {
    invariant(entries >= 8 && (entries & (entries - 1)) === 0, 'ring entries are a power of two');
    const params = Mapping.anonymous(libc, 4096);
    const p = params.words.subarray(0, PARAMS_WORDS);
    p[1] = entries * COMPLETIONS_PER_SUBMISSION;
    p[2] =
      Uring.SETUP_CQSIZE |
      Uring.SETUP_SUBMIT_ALL |
      Uring.SETUP_TASKRUN_FLAG |
      Uring.SETUP_SINGLE_ISSUER |
      Uring.SETUP_DEFER_TASKRUN;
    const fd = libc.syscall(Sys.IO_URING_SETUP, entries, params.address, 0, 0, 0, 0);
    if (fd < 0) {
      const errno = libc.errno();
      params.unmap();
      throw new RingRefused(errno);
    }
    // io_uring_params: sq_entries, cq_entries, flags, …, features at word 5; sq_off from word 10 (head,
    // tail, mask, entries, flags, dropped, array), cq_off from word 20 (head, tail, mask, entries,
    // overflow, cqes, flags).
    const word = (index: number): number => p[index] as number;
    const [sqEntries, cqEntries, arrayAt, cqesAt] = [word(0), word(1), word(16), word(25)];
    const ringBytes = Math.max(cqesAt + cqEntries * 16, arrayAt + sqEntries * 4);
    const rings = new Mapping(libc, ringBytes, Posix.MAP_SHARED_POPULATE, fd, 0);
    const sqesBytes = sqEntries * Sqe.BYTES;
    const sqes = new Mapping(libc, sqesBytes, Posix.MAP_SHARED_POPULATE, fd, Uring.OFFSET_SQES);
    this.fd = fd;
    this.features = word(5);
    this.mappings = [rings, sqes];
    this.words = new Int32Array(rings.bytes.buffer);
    this.layout = {
      headWord: word(20) >>> 2,
      tailWord: word(21) >>> 2,
      mask: cqEntries - 1,
      entriesWord: cqesAt >>> 2,
    };
    this.#libc = libc;
    this.#sqes = sqes.words;
    this.#entries = sqEntries;
    this.#submissionTailWord = word(11) >>> 2;
    this.#submissionFlagsWord = word(14) >>> 2;
    this.#completionFlagsWord = word(26) >>> 2;
    params.unmap();
    // The array maps queue positions to entries; here position i is always entry i.
    for (let i = 0; i < sqEntries; i++) this.words[(arrayAt >>> 2) + i] = i;
  }

  /**
   * Fills the next submission entry. Words as in struct io_uring_sqe: offset 0 op/flags/ioprio, 4 fd,
   * 8 off, 16 addr, 24 len, 28 op flags, 32 user_data, 40 buf_group, 44 optlen; the rest stays zero.
   */
  prepare(
    head: number,
    fd: number,
    off: number,
    addressLow: number,
    addressHigh: number,
    length: number,
    flags: number,
    userLow: number,
    userHigh: number,
    bufferGroup: number,
    totalBytes: number,
  ): void {
    this.ensureRoom();
    const s = this.#sqes;
    const o = (this.#tail & (this.#entries - 1)) << 4;
    s[o] = head;
    s[o + 1] = fd;
    s[o + 2] = off;
    s[o + 4] = addressLow;
    s[o + 5] = addressHigh;
    s[o + 6] = length;
    s[o + 7] = flags;
    s[o + 8] = userLow;
    s[o + 9] = userHigh;
    s[o + 10] = bufferGroup;
    s[o + 11] = totalBytes;
    this.#tail = (this.#tail + 1) | 0;
    this.#pending++;
  }

  /** Entries prepared and not yet taken by the kernel. */
  get pending(): number {
    return this.#pending;
  }

  /** True when entering would do something: entries to take, work to run, or overflowed completions. */
  get hasWork(): boolean {
    if (this.#pending > 0) return true;
    const flags = Atomics.load(this.words, this.#submissionFlagsWord);
    return (flags & (Uring.SQ_TASKRUN | Uring.SQ_CQ_OVERFLOW)) !== 0;
  }

  /** True when completions wait to be handled. */
  get hasCompletions(): boolean {
    const { headWord, tailWord } = this.layout;
    return this.words[headWord] !== Atomics.load(this.words, tailWord);
  }

  /** Makes sure that the next `prepare` needs no submission in between. */
  ensureRoom(): void {
    if (this.#pending === this.#entries) this.#makeRoom();
  }

  /** Hands the prepared entries over without running deferred work. */
  submit(): void {
    this.#submit(0);
  }

  /** Hands the prepared entries over and runs the kernel's deferred work; never blocks. */
  enter(): void {
    this.#submit(Uring.ENTER_GETEVENTS);
  }

  /** Whether completions are announced on the eventfd: only while the loop sleeps. */
  announce(isWanted: boolean): void {
    if (isWanted === this.#isAnnouncing) return;
    this.#isAnnouncing = isWanted;
    const flags = isWanted ? 0 : Uring.CQ_EVENTFD_DISABLED;
    Atomics.store(this.words, this.#completionFlagsWord, flags);
  }

  /** io_uring_register. Returns a value ≥ 0 or the negative errno. */
  register(call: number, address: number, count: number): number {
    const result = this.#libc.syscall(Sys.IO_URING_REGISTER, this.fd, call, address, count, 0, 0);
    return result < 0 ? -this.#libc.errno() : result;
  }

  /** Unmaps and closes; outstanding operations die with it. The ring is unusable afterwards. */
  close(): void {
    for (const mapping of this.mappings) mapping.unmap();
    this.#libc.close(this.fd);
  }

  #submit(enterFlags: number): void {
    Atomics.store(this.words, this.#submissionTailWord, this.#tail);
    this.enters++;
    const taken = this.#libc.syscall(
      Sys.IO_URING_ENTER,
      this.fd,
      this.#pending,
      0,
      enterFlags,
      0,
      0,
    );
    if (taken >= 0) this.#pending -= taken;
    else this.#checkRefusal(this.#libc.errno());
    if (this.#pending === 0) this.onSubmitted();
  }

  /** The kernel may be short of memory or busy with overflowed completions: the next turn tries again. */
  #checkRefusal(errno: number): void {
    const isPassing =
      errno === Errno.EAGAIN ||
      errno === Errno.EBUSY ||
      errno === Errno.EINTR ||
      errno === Errno.ENOMEM;
    invariant(isPassing, `the kernel takes submissions (errno ${errno})`);
  }

  /** The queue is full in the middle of a turn: submit without running work, which needs no completions read. */
  #makeRoom(): void {
    for (let tries = 0; tries < 8 && this.#pending === this.#entries; tries++) {
      this.#submit(tries === 0 ? 0 : Uring.ENTER_GETEVENTS);
    }
    invariant(this.#pending < this.#entries, 'the kernel takes entries from a full queue');
  }
}

/** `io_uring_setup` said no. */
export class RingRefused extends Error {
  override readonly name = 'RingRefused';
  readonly errno: number;
  constructor(errno: number) {
    super(`Cannot set up io_uring as the kernel refuses: errno ${errno}`);
    this.errno = errno;
  }
}

/** First word of a submission entry. */
export function headWord(operation: number, flags: number, ioprio: number): number {
  return operation | (flags << 8) | (ioprio << 16);
}

/** Buffer id of a completion that has one, else -1. */
export function bufferOf(completionFlags: number): number {
  return (completionFlags & Cqe.BUFFER) !== 0 ? completionFlags >>> Cqe.BUFFER_SHIFT : -1;
}
