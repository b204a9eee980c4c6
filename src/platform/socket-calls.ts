import { createRequire } from 'node:module';
import { constants } from 'node:os';

/**
 * The calls of the C library that sockets and descriptor passing need and Node does not offer.
 * Results below 0 are failures; `errno()` then tells which, before any other call.
 */
export interface SocketCalls {
  socket(family: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  listen(fd: number, backlog: number): number;
  connect(fd: number, address: Uint8Array, length: number): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, length: number): number;
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number;
  socketpair(family: number, type: number, protocol: number, pair: Uint8Array): number;
  close(fd: number): number;
  dup(fd: number): number;
  dup2(fd: number, as: number): number;
  sendmsg(fd: number, message: number, flags: number): number;
  recvmsg(fd: number, message: number, flags: number): number;
  errno(): number;
  /** Zeroed memory at a fixed address, for structures that hold pointers. Never freed. */
  memory(bytes: number): { readonly at: number; readonly bytes: Uint8Array };
  /** Calls `onReadable` from the event loop while `fd` has something to read (level-triggered). */
  poll(fd: number, onReadable: () => void): PollHandle;
}

/** A watched descriptor; close it before the descriptor. */
export interface PollHandle {
  close(): void;
  ref(): void;
  unref(): void;
}

/** Socket constants of Linux, the same on x64 and arm64. */
export const sys = {
  AF_UNIX: 1,
  AF_INET: 2,
  AF_INET6: 10,
  SOCK_STREAM: 1,
  SOCK_SEQPACKET: 5,
  SOCK_NONBLOCK: 0o4000,
  SOCK_CLOEXEC: 0o2000000,
  SOL_SOCKET: 1,
  SO_REUSEADDR: 2,
  SO_REUSEPORT: 15,
  SO_BINDTOIFINDEX: 62,
  SCM_RIGHTS: 1,
  IPPROTO_IPV6: 41,
  IPV6_V6ONLY: 26,
  MSG_CTRUNC: 0x8,
  MSG_TRUNC: 0x20,
  MSG_DONTWAIT: 0x40,
  MSG_NOSIGNAL: 0x4000,
  MSG_CMSG_CLOEXEC: 0x40000000,
} as const;

const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;

let loaded: SocketCalls | null = null;

/** Name of an errno: `EADDRINUSE`; the number as text where it has no name. */
export function errnoName(errno: number): string {
  for (const [name, value] of Object.entries(constants.errno)) if (value === errno) return name;
  return `errno ${errno}`;
}

/** True where listening sockets can be made as descriptors and passed between processes. */
export function canPassDescriptors(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    socketCalls();
    return true;
  } catch {
    // No koffi for this machine: the caller then works with one listener handle, which it reports.
    return false;
  }
}

/**
 * The calls, loaded on first use. Errors: throws where koffi has no build for this machine.
 * Cost: some 25 ms once, then a property read.
 */
export function socketCalls(): SocketCalls {
  if (loaded === null) loaded = loadCalls();
  return loaded;
}

function loadCalls(): SocketCalls {
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  const libc = koffi.load(null);
  const mmap = libc.func('uintptr_t mmap(uintptr_t, size_t, int, int, int, int64_t)');
  return {
    socket: libc.func('int socket(int, int, int)'),
    bind: libc.func('int bind(int, const void*, uint32_t)'),
    listen: libc.func('int listen(int, int)'),
    connect: libc.func('int connect(int, const void*, uint32_t)'),
    setsockopt: libc.func('int setsockopt(int, int, int, const void*, uint32_t)'),
    getsockname: libc.func('int getsockname(int, void*, void*)'),
    socketpair: libc.func('int socketpair(int, int, int, void*)'),
    close: libc.func('int close(int)'),
    dup: libc.func('int dup(int)'),
    dup2: libc.func('int dup2(int, int)'),
    sendmsg: libc.func('int64_t sendmsg(int, uintptr_t, int)'),
    recvmsg: libc.func('int64_t recvmsg(int, uintptr_t, int)'),
    errno: () => koffi.errno(),
    memory: (bytes) => {
      const at = Number(mmap(0, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0));
      if (at <= 0) throw new Error(`Cannot map ${bytes} bytes: ${errnoName(koffi.errno())}`);
      return { at, bytes: new Uint8Array(koffi.view(BigInt(at), bytes) as ArrayBuffer) };
    },
    // Whatever throws inside the poll callback is lost, so the work is done one step later.
    poll: (fd, onReadable) =>
      koffi.node.poll(
        fd,
        { readable: true, disconnect: true },
        () => void setImmediate(onReadable),
      ),
  };
}
