import { chmodSync, existsSync } from 'node:fs';
import { isIP } from 'node:net';
import type { AdminSockets } from '../control/admin/server.ts';
import type { AdminAddress } from '../platform/admin-listener.ts';
import { removeSocketFile } from '../platform/files.ts';
import { closeDescriptor, openListeners } from '../platform/sockets.ts';
import type { StoreClient } from './store-client.ts';

/** Names in the store. */
const NAMES = { unix: 'admin unix', tcp: 'admin tcp' } as const;

/**
 * Admin sockets that the supervisor keeps copies of: an API call that meets a crash or an upgrade waits
 * in the kernel's queue for the next balancer. Errors: rejects when the supervisor cannot be asked.
 */
export async function keptAdminSockets(store: StoreClient): Promise<AdminSockets> {
  const entries = new Map((await store.list()).map(({ name, meta }) => [name, meta]));
  const unix = entries.get(NAMES.unix) as AdminAddress | undefined;
  // A file that somebody removed leads nobody to the socket any more.
  const keptPath = unix?.kind === 'unix' && existsSync(unix.path) ? unix.path : null;
  const isKept = (address: AdminAddress): boolean =>
    address.kind === 'unix'
      ? address.path === keptPath
      : JSON.stringify(entries.get(NAMES.tcp)) === JSON.stringify(address);
  return {
    keptPath,
    open: async (address) => {
      if (isKept(address)) return (await store.fetch(NAMES[address.kind]))[0] ?? null;
      const fd = openAdminSocket(address);
      if (fd === null) return null;
      try {
        await store.deposit(NAMES[address.kind], [fd], address);
      } catch (error) {
        closeDescriptor(fd);
        throw error;
      }
      return fd;
    },
  };
}

function openAdminSocket(address: AdminAddress): number | null {
  if (address.kind === 'tcp') {
    // A name is for Node to look up; such a socket is not kept.
    if (isIP(address.host) === 0) return null;
    const { host, port } = address;
    return openListeners({ kind: 'ip', host, port }, 1).fds[0] ?? null;
  }
  removeSocketFile(address.path);
  // A chmod alone would leave the socket open for a moment where the user's umask is loose. Not 0o177:
  // another thread may be making a log file of mode 0640 right now. To connect takes the right to write.
  const umask = process.umask(0o137);
  try {
    const fd = openListeners({ kind: 'unix', path: address.path }, 1).fds[0] ?? null;
    chmodSync(address.path, 0o600);
    return fd;
  } finally {
    process.umask(umask);
  }
}
