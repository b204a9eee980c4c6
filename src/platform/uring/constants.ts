/**
 * Numbers of the Linux kernel's interface that the driver uses. Source: the kernel's public headers
 * `linux/io_uring.h`, `asm-generic/{unistd,mman-common,socket,errno}.h`, `linux/{socket,tcp,eventpoll}.h`;
 * they are the same on x64 and arm64.
 */
export const Sys = { IO_URING_SETUP: 425, IO_URING_ENTER: 426, IO_URING_REGISTER: 427 } as const;

/** Operation codes of a submission entry. */
export const Op = {
  SENDMSG: 9,
  ACCEPT: 13,
  ASYNC_CANCEL: 14,
  CONNECT: 16,
  CLOSE: 19,
  SEND: 26,
  RECV: 27,
} as const;

/** `sqe.flags`, `sqe.ioprio` and operation flags. */
export const Sqe = {
  BUFFER_SELECT: 0x20,
  ACCEPT_MULTISHOT: 1,
  RECV_MULTISHOT: 0x2,
  CANCEL_ALL: 1,
  CANCEL_FD: 0x2,
  /** Bytes of one submission entry; its words are `Uint32Array` indexes in `Ring.prepare`. */
  BYTES: 64,
} as const;

/** `cqe.flags`; the upper half is the buffer id when `BUFFER` is set. */
export const Cqe = { BUFFER: 1, MORE: 2, BUFFER_SHIFT: 16, WORDS: 4 } as const;

/** Set-up flags, ring flags and calls of `io_uring_register`. */
export const Uring = {
  SETUP_CQSIZE: 0x8,
  SETUP_SUBMIT_ALL: 0x80,
  SETUP_TASKRUN_FLAG: 0x200,
  SETUP_SINGLE_ISSUER: 0x1000,
  SETUP_DEFER_TASKRUN: 0x2000,
  FEATURE_NODROP: 0x2,
  FEATURE_SUBMIT_STABLE: 0x4,
  SQ_CQ_OVERFLOW: 0x2,
  SQ_TASKRUN: 0x4,
  CQ_EVENTFD_DISABLED: 1,
  ENTER_GETEVENTS: 1,
  REGISTER_EVENTFD: 4,
  UNREGISTER_EVENTFD: 5,
  REGISTER_PROBE: 8,
  REGISTER_PBUF_RING: 22,
  OFFSET_SQES: 0x10000000,
} as const;

/** Memory, socket and file constants. */
export const Posix = {
  PROT_READ_WRITE: 3,
  MAP_SHARED_POPULATE: 0x8001,
  MAP_PRIVATE_ANONYMOUS: 0x22,
  MAP_NORESERVE: 0x4000,
  F_DUPFD_CLOEXEC: 1030,
  F_GETFL: 3,
  O_NONBLOCK: 0o4000,
  SOCK_CLOEXEC: 0o2000000,
  AF_UNSPEC: 0,
  AF_UNIX: 1,
  AF_INET: 2,
  AF_INET6: 10,
  SOCK_STREAM_CLOEXEC: 0o2000001,
  SOL_SOCKET: 1,
  SO_REUSEADDR: 2,
  SO_LINGER: 13,
  SO_REUSEPORT: 15,
  IPPROTO_TCP: 6,
  TCP_NODELAY: 1,
  SHUT_WR: 1,
  SHUT_RDWR: 2,
  MSG_NOSIGNAL: 0x4000,
  EFD_NONBLOCK_CLOEXEC: 0o2004000,
} as const;

/** Positive error numbers that the driver tells apart. */
export const Errno = {
  EPERM: 1,
  EINTR: 4,
  EAGAIN: 11,
  ENOMEM: 12,
  EBUSY: 16,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOSYS: 38,
  ECONNABORTED: 103,
  ENOBUFS: 105,
  ECANCELED: 125,
} as const;

/**
 * What a completion is about. `user_data` is two words: low = slot << 3 | kind, high = the slot's
 * generation, so that a completion of an earlier owner of the slot is recognised and ignored.
 */
export const Kind = {
  RECEIVE: 0,
  SEND: 1,
  CONNECT: 2,
  CANCEL: 3,
  CLOSE: 4,
  /** From here on the slot is a listener's. */
  ACCEPT: 5,
  LISTENER_CANCEL: 6,
  LISTENER_CLOSE: 7,
} as const;

/** Bits of the low word below the slot. */
export const KIND_BITS = 3;
