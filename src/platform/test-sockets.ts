import { createRequire } from 'node:module';
import { networkInterfaces } from 'node:os';

import { closeDescriptor, openListeners } from './sockets.ts';

/** A listening socket for tests; `close()` it at the end. */
export interface TestSocket {
  readonly fd: number;
  readonly port: number;
  close(): void;
}

/** A socket that listens on all addresses, IPv6 included where the system has it. */
export function openAny(): TestSocket {
  const { fds, port } = openListeners({ kind: 'any', port: 0 }, 1);
  const fd = fds[0] as number;
  return { fd, port, close: () => closeDescriptor(fd) };
}

/** A port of 127.0.0.1 on which nobody listens; the system has just given it and taken it back. */
export function unusedPort(): number {
  const { fds, port } = openListeners({ kind: 'ip', host: '127.0.0.1', port: 0 }, 1);
  for (const fd of fds) closeDescriptor(fd);
  return port;
}

/**
 * A port that lets one connection wait and answers no further one: the queue has length 0 (Linux lets one in),
 * nobody accepts, and what comes then is dropped without a word, as by a network that swallows packets.
 */
export function openBlackhole(): TestSocket {
  const { fds, port } = openListeners({ kind: 'ip', host: '127.0.0.1', port: 0 }, 1);
  const fd = fds[0] as number;
  const koffi = createRequire(import.meta.url)('koffi') as {
    load(path: null): { func(prototype: string): (fd: number, backlog: number) => number };
  };
  const listen = koffi.load(null).func('int listen(int fd, int backlog)');
  if (listen(fd, 0) !== 0) throw new Error('listen() with a queue of length 0 failed');
  return { fd, port, close: () => closeDescriptor(fd) };
}

/** True where the loopback interface has an IPv6 address. */
export function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((all) =>
    all?.some(({ address }) => address === '::1'),
  );
}
