import { suspect } from '../../base/invariant.ts';

/** Linux numbers of the errors that sockets meet: other systems number them differently. */
const numberByCode = new Map<string, number>([
  ['EINTR', 4],
  ['EIO', 5],
  ['EAGAIN', 11],
  ['ENOMEM', 12],
  ['EACCES', 13],
  ['ENOENT', 2],
  ['EINVAL', 22],
  ['ENFILE', 23],
  ['EMFILE', 24],
  ['EPIPE', 32],
  ['ENAMETOOLONG', 36],
  ['EADDRINUSE', 98],
  ['EADDRNOTAVAIL', 99],
  ['ENETDOWN', 100],
  ['ENETUNREACH', 101],
  ['ECONNABORTED', 103],
  ['ECONNRESET', 104],
  ['ENOBUFS', 105],
  ['ETIMEDOUT', 110],
  ['ECONNREFUSED', 111],
  ['EHOSTUNREACH', 113],
]);

/** EIO: for an error that carries no number we know. */
const UNKNOWN_ERRNO = 5;

/**
 * The positive Linux errno of a socket error of Node, whatever the system we run on (`ECONNREFUSED` → 111).
 * Errors without one give 5 (EIO) and are reported as a suspicion.
 */
export function linuxErrno(error: Error): number {
  const { code, errno } = error as NodeJS.ErrnoException;
  const known = numberByCode.get(code ?? '');
  if (known !== undefined) return known;
  // libuv numbers its own errors below -3000; on Linux all others are negated errnos.
  if (process.platform === 'linux' && errno !== undefined && errno < 0 && errno > -3000) {
    return -errno;
  }
  suspect(false, `a socket error without a number: ${code ?? error.message}`);
  return UNKNOWN_ERRNO;
}
