import { createConnection } from 'node:net';
import type { DialAddress } from '../model/snapshot.ts';

/** What a probe sees of its connection. After `onEnd` or `onError` nothing follows. */
export interface ProbeLinkHandler {
  onConnected(): void;
  onBytes(bytes: Uint8Array): void;
  /** The server closed in order. */
  onEnd(): void;
  /** The system's code: `ECONNREFUSED`, `ECONNRESET`, `EHOSTUNREACH` … */
  onError(code: string): void;
}

/** A connection of a probe. */
export interface ProbeLink {
  send(bytes: string): void;
  /** Ends it at once; no handler is called after it. */
  destroy(): void;
}

/** Opens a connection for a probe. */
export type ConnectProbe = (target: DialAddress, handler: ProbeLinkHandler) => ProbeLink;

/**
 * A connection of the control thread to a server, on `node:net`. It does not keep the process alive.
 * Errors: by `onError`, never thrown, whatever the address or the server does.
 */
export function connectProbe(target: DialAddress, handler: ProbeLinkHandler): ProbeLink {
  const socket = createConnection(
    target.kind === 'ip' ? { host: target.host, port: target.port } : { path: target.path },
  );
  let isOver = false;
  const end = (tell: () => void): void => {
    if (isOver) return;
    isOver = true;
    socket.destroy();
    tell();
  };
  socket.unref();
  socket.setNoDelay(true);
  socket.on('connect', () => {
    if (!isOver) handler.onConnected();
  });
  socket.on('data', (bytes: Buffer) => {
    if (!isOver) handler.onBytes(bytes);
  });
  socket.on('end', () => end(() => handler.onEnd()));
  socket.on('close', () => end(() => handler.onEnd()));
  socket.on('error', (error: NodeJS.ErrnoException) =>
    end(() => handler.onError(error.code ?? 'EIO')),
  );
  return {
    send: (bytes) => void socket.write(bytes),
    destroy: () => end(() => {}),
  };
}
