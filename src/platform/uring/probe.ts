import { release } from 'node:os';
import { type Libc, loadLibc } from '../libc.ts';
import { UringBuffers } from './buffers.ts';
import { Errno, Op, Posix, Uring } from './constants.ts';
import { Mapping } from './memory.ts';
import { prepareReceive } from './operations.ts';
import { Ring, RingRefused } from './ring.ts';

/** The oldest kernel whose ring does what the driver needs (DEFER_TASKRUN). */
const KERNEL_FLOOR = [6, 1] as const;
const PROBE_BUFFERS = 64;

/** What this machine's io_uring can do. */
export interface UringFeatures {
  /** `uname -r`; '' where there is no Linux. */
  readonly kernel: string;
  /** One multishot receive can be limited in bytes (kernel 6.17): fast senders need no cancelling. */
  readonly receiveLimit: boolean;
}

/** `reason`: why or why not, in words for people; never empty. */
export interface UringProbe {
  readonly isUsable: boolean;
  readonly reason: string;
  readonly features: UringFeatures;
}

let known: UringProbe | undefined;

/** Finds out by trying, once per thread (some ms). Never throws. */
export function probeUring(): UringProbe {
  known ??= tryUring();
  return known;
}

function tryUring(): UringProbe {
  const kernel = process.platform === 'linux' ? release() : '';
  const refuse = (reason: string): UringProbe => {
    return { isUsable: false, reason, features: { kernel, receiveLimit: false } };
  };
  if (kernel === '') return refuse(`io_uring exists on Linux only (this is ${process.platform})`);
  if (!isKernelNewEnough(kernel)) {
    return refuse(`kernel ${KERNEL_FLOOR.join('.')} or newer is needed (this is ${kernel})`);
  }
  let libc: Libc;
  try {
    libc = loadLibc();
  } catch (error) {
    return refuse(`koffi or the C library cannot be used: ${(error as Error).message}`);
  }
  try {
    const { missing, receiveLimit } = inspectRing(libc);
    if (missing !== '') return refuse(`the kernel lacks ${missing}`);
    const reason = `kernel ${kernel} allows io_uring`;
    return { isUsable: true, reason, features: { kernel, receiveLimit } };
  } catch (error) {
    if (error instanceof RingRefused) return refuse(explainRefusal(error.errno));
    return refuse((error as Error).message);
  }
}

function isKernelNewEnough(kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  return major > KERNEL_FLOOR[0] || (major === KERNEL_FLOOR[0] && minor >= KERNEL_FLOOR[1]);
}

/** What an errno of io_uring_setup means to the person who runs the balancer. */
export function explainRefusal(errno: number): string {
  switch (errno) {
    case Errno.EPERM:
      return 'io_uring is forbidden here (EPERM: a seccomp profile or kernel.io_uring_disabled)';
    case Errno.ENOSYS:
      return 'the kernel has no io_uring or a sandbox hides it (ENOSYS)';
    case Errno.EINVAL:
      return 'the kernel does not know SINGLE_ISSUER and DEFER_TASKRUN (EINVAL)';
    case Errno.ENOMEM:
      return 'memory for the ring is refused (ENOMEM: the limit of locked memory)';
    default:
      return `io_uring_setup failed with errno ${errno}`;
  }
}

function inspectRing(libc: Libc): { missing: string; receiveLimit: boolean } {
  const ring = new Ring(libc, 8);
  let buffers: UringBuffers | null = null;
  try {
    const needed = Uring.FEATURE_NODROP | Uring.FEATURE_SUBMIT_STABLE;
    if ((ring.features & needed) !== needed) {
      return { missing: 'NODROP or SUBMIT_STABLE', receiveLimit: false };
    }
    const missing = missingOperations(libc, ring);
    if (missing !== '') return { missing, receiveLimit: false };
    buffers = new UringBuffers(libc, ring, PROBE_BUFFERS);
    buffers.refill();
    return { missing, receiveLimit: hasReceiveLimit(libc, ring) };
  } finally {
    ring.close();
    buffers?.close();
  }
}

/** struct io_uring_probe: a head of 16 bytes, then 8 bytes per operation with flags in the third byte. */
function missingOperations(libc: Libc, ring: Ring): string {
  const memory = Mapping.anonymous(libc, 4096);
  const result = ring.register(Uring.REGISTER_PROBE, memory.address, 64);
  const missing = Object.entries(Op).filter(([, op]) => {
    return result < 0 || ((memory.bytes[16 + op * 8 + 2] as number) & 1) === 0;
  });
  memory.unmap();
  return missing.map(([name]) => name).join(', ');
}

/** Arms a limited multishot receive on a socket pair: older kernels refuse it with EINVAL at once. */
function hasReceiveLimit(libc: Libc, ring: Ring): boolean {
  const memory = Mapping.anonymous(libc, 4096);
  const made = libc.socketpair(Posix.AF_UNIX, Posix.SOCK_STREAM_CLOEXEC, 0, memory.address);
  const [left = -1, right = -1] = memory.words;
  memory.unmap();
  if (made !== 0) return false;
  prepareReceive(ring, { fd: left, slot: 0, generation: 0 }, true, 1);
  ring.enter();
  const { headWord, tailWord, mask, entriesWord } = ring.layout;
  const head = ring.words[headWord] as number;
  const isRefused = ring.hasCompletions;
  if (isRefused) {
    const result = ring.words[entriesWord + (head & mask) * 4 + 2];
    Atomics.store(ring.words, headWord, Atomics.load(ring.words, tailWord));
    if (result !== -Errno.EINVAL) throw new Error(`an idle receive completed with ${result}`);
  }
  libc.close(left);
  libc.close(right);
  return !isRefused;
}
