import { unlinkSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { errnoName, type SocketCalls, socketCalls, sys } from './socket-calls.ts';

/** Where to listen: an address, any address (both families), or a Unix socket. */
export type ListenAddress =
  | { readonly kind: 'ip'; readonly host: string; readonly port: number }
  | { readonly kind: 'any'; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Listening sockets of one address. `port` is the one in use; 0 for Unix sockets. */
export interface OpenedListeners {
  readonly kind: 'descriptor';
  readonly fds: readonly number[];
  readonly port: number;
}

/** An address on which we cannot listen. `code` is the errno's name: `EADDRINUSE`, `EACCES` … */
export class ListenRefusal extends Error {
  override readonly name = 'ListenRefusal';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Connections that may wait for us; the kernel cuts it to somaxconn, so read that for the truth.
 */
const BACKLOG = 4096;

/** Room of `struct sockaddr_un`: two bytes of family, then the path with its NUL. */
const UNIX_PATH_BYTES_MAX = 107;

/**
 * Opens `count` listening sockets on one address, non-blocking and closed on exec. All share the
 * port that the first one got. A Unix socket is one for all. Errors: throws `ListenRefusal` after
 * closing what was opened.
 *
 * The first socket binds and listens without SO_REUSEPORT, so that the kernel refuses an address
 * that another program has, even one of the same user that allows sharing; only then the option is
 * set on it and the others join.
 */
export function openListeners(address: ListenAddress, count: number): OpenedListeners {
  if (address.kind === 'unix') return openUnix(address.path);
  const calls = socketCalls();
  const text = formatAddress(address);
  const fds: number[] = [];
  try {
    const family = familyOf(address, calls);
    const first = bound(calls, family, address, text, false);
    fds.push(first);
    listenOn(calls, first, text);
    setOption(calls, first, sys.SOL_SOCKET, sys.SO_REUSEPORT, 1, text);
    const port = portOf(calls, first);
    for (let i = 1; i < count; i++) {
      const fd = bound(calls, family, { ...address, port }, text, true);
      fds.push(fd);
      listenOn(calls, fd, text);
    }
    return { kind: 'descriptor', fds, port };
  } catch (error) {
    for (const fd of fds) calls.close(fd);
    throw error;
  }
}

/** No machine has an interface of this index: they count up from 1. */
const NO_INTERFACE = 0x7fffffff;

/**
 * Refuses new connections on a listening socket, in every process that shares it and for good, while
 * connections that the kernel has completed, or whose handshake runs, stay to be accepted. False
 * where the kernel cannot (before 5.7, or not Linux's own): then nothing has changed.
 *
 * Closing would reset what is queued, and so would `shutdown`. A socket that is bound to an interface
 * which does not exist is found by no packet that opens a connection: the kernel answers as for a
 * closed port. Source: Linux, net/core/sock.c (`sock_bindtoindex` looks the index up nowhere) and
 * net/ipv4/inet_hashtables.c (`compute_score`).
 *
 * What remains: with several sockets on one port, for the microseconds until the last one is called,
 * a new connection may be given to one that refuses already; its client tries again after a second
 * and is refused then. Connections under SYN cookies (a flood) are refused at their last packet.
 */
export function refuseConnections(fd: number): boolean {
  const index = new Uint8Array(new Int32Array([NO_INTERFACE]).buffer);
  return socketCalls().setsockopt(fd, sys.SOL_SOCKET, sys.SO_BINDTOIFINDEX, index, 4) === 0;
}

/** Closes a descriptor of ours. */
export function closeDescriptor(fd: number): void {
  socketCalls().close(fd);
}

/**
 * What was `as` is from now on what `fd` is, and `fd` is closed: a descriptor that we were started with
 * takes the place of another. Nothing happens for a number that is none.
 */
export function takeDescriptor(fd: number, as: number): void {
  if (!Number.isInteger(fd) || fd <= 2) return;
  const calls = socketCalls();
  if (calls.dup2(fd, as) >= 0) calls.close(fd);
}

/** How an address is written for people and as a key of stored sockets. */
export function formatAddress(address: ListenAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  if (address.kind === 'any') return `:${address.port}`;
  return isIPv6(address.host)
    ? `[${address.host}]:${address.port}`
    : `${address.host}:${address.port}`;
}

function familyOf(address: Exclude<ListenAddress, { kind: 'unix' }>, calls: SocketCalls): number {
  if (address.kind === 'ip') return isIPv6(address.host) ? sys.AF_INET6 : sys.AF_INET;
  const fd = calls.socket(sys.AF_INET6, sys.SOCK_STREAM | sys.SOCK_CLOEXEC, 0);
  if (fd < 0) return sys.AF_INET;
  // A kernel may know the family and still have it disabled: only a bind tells.
  const answer = calls.bind(fd, ipSockaddr('::', 0), 28);
  calls.close(fd);
  return answer === 0 ? sys.AF_INET6 : sys.AF_INET;
}

function bound(
  calls: SocketCalls,
  family: number,
  address: Exclude<ListenAddress, { kind: 'unix' }>,
  text: string,
  isShared: boolean,
): number {
  const fd = calls.socket(family, sys.SOCK_STREAM | sys.SOCK_NONBLOCK | sys.SOCK_CLOEXEC, 0);
  if (fd < 0) throw refuseErrno(calls, text);
  try {
    setOption(calls, fd, sys.SOL_SOCKET, sys.SO_REUSEADDR, 1, text);
    if (isShared) setOption(calls, fd, sys.SOL_SOCKET, sys.SO_REUSEPORT, 1, text);
    if (family === sys.AF_INET6) {
      setOption(calls, fd, sys.IPPROTO_IPV6, sys.IPV6_V6ONLY, address.kind === 'any' ? 0 : 1, text);
    }
    const host = address.kind === 'ip' ? address.host : family === sys.AF_INET6 ? '::' : '0.0.0.0';
    const name = ipSockaddr(host, address.port);
    if (calls.bind(fd, name, name.length) < 0) throw refuseErrno(calls, text);
    return fd;
  } catch (error) {
    calls.close(fd);
    throw error;
  }
}

function openUnix(path: string): OpenedListeners {
  const calls = socketCalls();
  const text = `unix:${path}`;
  const name = unixSockaddr(path, text);
  const fd = calls.socket(sys.AF_UNIX, sys.SOCK_STREAM | sys.SOCK_NONBLOCK | sys.SOCK_CLOEXEC, 0);
  if (fd < 0) throw refuseErrno(calls, text);
  try {
    if (calls.bind(fd, name, name.length) < 0) {
      const isTaken = errnoName(calls.errno()) === 'EADDRINUSE';
      if (!isTaken) throw refuseErrno(calls, text);
      if (!isStale(calls, name)) throw refuse(text, 'EADDRINUSE', reasons['EADDRINUSE'] as string);
      unlinkSync(path);
      if (calls.bind(fd, name, name.length) < 0) throw refuseErrno(calls, text);
    }
    listenOn(calls, fd, text);
    return { kind: 'descriptor', fds: [fd], port: 0 };
  } catch (error) {
    calls.close(fd);
    throw error;
  }
}

/** A socket file is left over when it is a socket and nobody answers there. */
function isStale(calls: SocketCalls, name: Uint8Array): boolean {
  const fd = calls.socket(sys.AF_UNIX, sys.SOCK_STREAM | sys.SOCK_NONBLOCK | sys.SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const isRefused =
    calls.connect(fd, name, name.length) < 0 && errnoName(calls.errno()) === 'ECONNREFUSED';
  calls.close(fd);
  return isRefused;
}

function listenOn(calls: SocketCalls, fd: number, text: string): void {
  if (calls.listen(fd, BACKLOG) < 0) throw refuseErrno(calls, text);
}

function setOption(
  calls: SocketCalls,
  fd: number,
  level: number,
  name: number,
  value: number,
  text: string,
): void {
  const bytes = new Uint8Array(new Int32Array([value]).buffer);
  if (calls.setsockopt(fd, level, name, bytes, 4) < 0) throw refuseErrno(calls, text);
}

function portOf(calls: SocketCalls, fd: number): number {
  const name = new Uint8Array(128);
  calls.getsockname(fd, name, new Uint8Array(new Int32Array([128]).buffer));
  return ((name[2] as number) << 8) | (name[3] as number);
}

/** `sockaddr_in` or `sockaddr_in6`: family in host order, port and address in network order. */
function ipSockaddr(host: string, port: number): Uint8Array {
  const isSix = isIPv6(host);
  const bytes = new Uint8Array(isSix ? 28 : 16);
  new Uint16Array(bytes.buffer, 0, 1)[0] = isSix ? sys.AF_INET6 : sys.AF_INET;
  bytes[2] = port >>> 8;
  bytes[3] = port & 255;
  if (isSix) bytes.set(ipv6Bytes(host), 8);
  else bytes.set(host.split('.').map(Number), 4);
  return bytes;
}

/** Only for texts that `isIPv6` accepts; a zone is not part of what we bind. */
function ipv6Bytes(text: string): Uint8Array {
  let address = text.split('%')[0] as string;
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  if (dotted !== null) {
    const [, lead, a, b, c, d] = dotted;
    const pair = (x: string | undefined, y: string | undefined): string =>
      ((Number(x) << 8) | Number(y)).toString(16);
    address = `${lead}${pair(a, b)}:${pair(c, d)}`;
  }
  const [left = '', right] = address.split('::');
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const head = groups(left);
  const tail = right === undefined ? [] : groups(right);
  const all = [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
  return Uint8Array.from(all.flatMap((group) => [group >>> 8, group & 255]));
}

function unixSockaddr(path: string, text: string): Uint8Array {
  const encoded = new TextEncoder().encode(path);
  if (encoded.length > UNIX_PATH_BYTES_MAX) {
    throw refuse(
      text,
      'ENAMETOOLONG',
      `the path must be at most ${UNIX_PATH_BYTES_MAX} bytes long`,
    );
  }
  const bytes = new Uint8Array(2 + encoded.length + 1);
  new Uint16Array(bytes.buffer, 0, 1)[0] = sys.AF_UNIX;
  bytes.set(encoded, 2);
  return bytes;
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program already listens there',
  EACCES: 'this user may not listen there',
  EADDRNOTAVAIL: 'this machine does not have that address',
  ENOENT: 'the directory of the socket does not exist',
  EMFILE: 'this process has no free descriptors',
};

function refuseErrno(calls: SocketCalls, text: string): ListenRefusal {
  const code = errnoName(calls.errno());
  return refuse(text, code, reasons[code] ?? 'the system refuses it');
}

function refuse(text: string, code: string, why: string): ListenRefusal {
  return new ListenRefusal(code, `Cannot listen on ${text} as ${why} (${code})`);
}
