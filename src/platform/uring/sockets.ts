import type { DialAddress } from '../../model/snapshot.ts';
import type { Libc } from '../libc.ts';
import { encodeAddress } from './addresses.ts';
import { Posix } from './constants.ts';
import type { Mapping } from './memory.ts';

/** Length of the kernel's queue; it caps the value at net.core.somaxconn. */
const BACKLOG = 4096;

/**
 * Opens a listening socket (SO_REUSEADDR and SO_REUSEPORT on TCP) where no inherited one is given.
 * Errors: throws with the errno where the address cannot be used.
 */
export function openListeningSocket(libc: Libc, scratch: Mapping, address: DialAddress): number {
  const { family, bytes } = encodeAddress(address);
  const fd = libc.socket(family, Posix.SOCK_STREAM_CLOEXEC, 0);
  if (fd < 0) throw new Error(`Cannot open a socket: errno ${libc.errno()}`);
  if (family !== Posix.AF_UNIX) {
    scratch.words[0] = 1;
    for (const option of [Posix.SO_REUSEADDR, Posix.SO_REUSEPORT]) {
      libc.setsockopt(fd, Posix.SOL_SOCKET, option, scratch.at(0, 4), 4);
    }
  }
  scratch.bytes.set(bytes, 64);
  const isBound = libc.bind(fd, scratch.at(64, bytes.length), bytes.length) === 0;
  if (isBound && libc.listen(fd, BACKLOG) === 0) return fd;
  const errno = libc.errno();
  libc.close(fd);
  throw new Error(`Cannot listen as the address cannot be used: errno ${errno}`);
}
