import { createRequire } from 'node:module';

/** What we use of koffi; its own types would load it. */
interface Library {
  func(prototype: string): (...values: readonly unknown[]) => number;
}
interface Koffi {
  load(path: string | null): Library;
  errno(): number;
}

/** `F_DUPFD_CLOEXEC`: Linux's number, and that of macOS (their `fcntl.h`). */
const DUPLICATE_COMMAND = process.platform === 'darwin' ? 67 : 1030;

let duplicateOnce: ((fd: number) => { fd: number; errno: number }) | null = null;

/**
 * A second descriptor for the same open socket, closed on exec; the caller owns it.
 * Node has no call for it (`/proc/self/fd/N` cannot be opened for sockets), so libc is called by FFI, loaded
 * at the first use. Errors: `errno` is positive and `fd` -1 when the system refuses; throws an `Error` that
 * says so where the FFI library cannot be loaded. Cost: a microsecond; the first call some milliseconds.
 */
export function duplicate(fd: number): { fd: number; errno: number } {
  duplicateOnce ??= loadDuplicate();
  return duplicateOnce(fd);
}

function loadDuplicate(): (fd: number) => { fd: number; errno: number } {
  let koffi: Koffi;
  let control: (...values: readonly unknown[]) => number;
  try {
    koffi = createRequire(import.meta.url)('koffi') as Koffi;
    control = koffi.load(null).func('int fcntl(int fd, int cmd, ...)');
  } catch (cause) {
    throw new Error(
      'Cannot duplicate a listening socket as the FFI library koffi must be installed for this ' +
        `system: current value is ${process.platform}-${process.arch} without it`,
      { cause },
    );
  }
  return (fd) => {
    const copy = control(fd, DUPLICATE_COMMAND, 'int', 0);
    return copy >= 0 ? { fd: copy, errno: 0 } : { fd: -1, errno: koffi.errno() };
  };
}
