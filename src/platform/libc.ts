import { createRequire } from 'node:module';

/**
 * The functions of the C library that the uring driver calls, through koffi (decision 0005).
 * Addresses and lengths are plain numbers (user space ends below 2^47). A result below zero is a
 * failure; `errno()` right after it tells which. Cost: some 50 ns of FFI plus the system call.
 */
export interface Libc {
  syscall(n: number, a: number, b: number, c: number, d: number, e: number, f: number): number;
  /** The address, or 2^64-1 (as a number) on failure. */
  mmap(at: number, bytes: number, protection: number, flags: number, fd: number, o: number): number;
  munmap(at: number, bytes: number): number;
  close(fd: number): number;
  fcntl(fd: number, command: number, value: number): number;
  socket(family: number, type: number, protocol: number): number;
  socketpair(family: number, type: number, protocol: number, pairAt: number): number;
  bind(fd: number, addressAt: number, bytes: number): number;
  listen(fd: number, backlog: number): number;
  accept4(fd: number, addressAt: number, lengthAt: number, flags: number): number;
  connect(fd: number, addressAt: number, bytes: number): number;
  shutdown(fd: number, how: number): number;
  setsockopt(fd: number, level: number, name: number, valueAt: number, bytes: number): number;
  getpeername(fd: number, addressAt: number, lengthAt: number): number;
  getsockname(fd: number, addressAt: number, lengthAt: number): number;
  eventfd(initial: number, flags: number): number;
  read(fd: number, at: number, bytes: number): number;
  errno(): number;
  /** `bytes` of memory at `at` as an ArrayBuffer. It must be detached before the memory is unmapped. */
  view(at: number, bytes: number): ArrayBuffer;
  /** Calls back from libuv while `fd` is readable. What the callback throws is lost: only schedule in it. */
  poll(fd: number, onReadable: () => void): { close(): void };
}

type Koffi = typeof import('koffi');

let loaded: Libc | undefined;

/**
 * Loads koffi and binds the functions, once per thread. Errors: throws where koffi or a function is
 * missing (another platform, an unsupported C library); importing this module never throws.
 */
export function loadLibc(): Libc {
  loaded ??= bindLibc(createRequire(import.meta.url)('koffi') as Koffi);
  return loaded;
}

function bindLibc(koffi: Koffi): Libc {
  const c = koffi.load(null);
  return {
    syscall: c.func(
      'int64_t syscall(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t)',
    ),
    mmap: c.func('uintptr_t mmap(uintptr_t, size_t, int, int, int, int64_t)'),
    munmap: c.func('int munmap(uintptr_t, size_t)'),
    close: c.func('int close(int)'),
    fcntl: c.func('int fcntl(int, int, int64_t)'),
    socket: c.func('int socket(int, int, int)'),
    socketpair: c.func('int socketpair(int, int, int, uintptr_t)'),
    bind: c.func('int bind(int, uintptr_t, int)'),
    listen: c.func('int listen(int, int)'),
    accept4: c.func('int accept4(int, uintptr_t, uintptr_t, int)'),
    connect: c.func('int connect(int, uintptr_t, int)'),
    shutdown: c.func('int shutdown(int, int)'),
    setsockopt: c.func('int setsockopt(int, int, int, uintptr_t, int)'),
    getpeername: c.func('int getpeername(int, uintptr_t, uintptr_t)'),
    getsockname: c.func('int getsockname(int, uintptr_t, uintptr_t)'),
    eventfd: c.func('int eventfd(unsigned int, int)'),
    read: c.func('int64_t read(int, uintptr_t, size_t)'),
    errno: () => koffi.errno(),
    view: (at, bytes) => koffi.view(BigInt(at), bytes),
    poll: (fd, onReadable) => koffi.node.poll(fd, { readable: true }, onReadable),
  };
}
