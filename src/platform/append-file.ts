import { close, constants, fstat, open, stat, write } from 'node:fs';

/** Where lines go: a stream of this process or a file that is made when it is missing. */
export type AppendTarget = 'stdout' | 'stderr' | { readonly path: string };

/** A file or stream opened for appending. Nothing here ever waits: answers come by callback. */
export interface AppendFile {
  /** Writes what it can of `bytes`. `errorCode`: `EAGAIN` of a full pipe, `ENOSPC` of a full disk …; null = ok. */
  write(bytes: Uint8Array, done: (errorCode: string | null, writtenBytes: number) => void): void;
  /** True when the path now names another file or none (renamed, unlinked). Streams: never. */
  isReplaced(done: (isReplaced: boolean) => void): void;
  close(): void;
}

/** What opening gave: one of the two is null. */
export type OpenedAppendFile = (errorCode: string | null, file: AppendFile | null) => void;

const flags =
  constants.O_WRONLY |
  constants.O_APPEND |
  constants.O_CREAT |
  constants.O_NONBLOCK |
  constants.O_NOCTTY;
/** Readable for the group that rotates logs, for nobody else: lines carry client addresses. */
const fileMode = 0o640;

/**
 * Opens a target for appending.
 *
 * A stream of ours is opened anew through `/proc/self/fd`: that is a description of our own, so it can
 * be non-blocking without changing the one we share with the shell or the supervisor. A blocking
 * write to a pipe that nobody reads would hold a thread of libuv's pool and hang the process's exit.
 * Where that path is missing (macOS) or impossible (sockets) the descriptor itself is used.
 * Errors: by callback, the system's code (`EACCES`, `ENOENT`).
 */
export function openAppendFile(target: AppendTarget, done: OpenedAppendFile): void {
  if (typeof target === 'object') {
    open(target.path, flags, fileMode, (error, descriptor) => {
      if (error !== null) done(error.code ?? 'EIO', null);
      else done(null, new AppendDescriptor(descriptor, target.path, true));
    });
    return;
  }
  const shared = target === 'stdout' ? 1 : 2;
  open(`/proc/self/fd/${shared}`, flags & ~constants.O_CREAT, (error, descriptor) => {
    if (error !== null) done(null, new AppendDescriptor(shared, null, false));
    else done(null, new AppendDescriptor(descriptor, null, true));
  });
}

class AppendDescriptor implements AppendFile {
  readonly #descriptor: number;
  readonly #path: string | null;
  readonly #isOwned: boolean;

  constructor(descriptor: number, path: string | null, isOwned: boolean) {
    this.#descriptor = descriptor;
    this.#path = path;
    this.#isOwned = isOwned;
  }

  write(bytes: Uint8Array, done: (errorCode: string | null, writtenBytes: number) => void): void {
    write(this.#descriptor, bytes, 0, bytes.length, null, (error, written) => {
      done(error === null ? null : (error.code ?? 'EIO'), error === null ? written : 0);
    });
  }

  isReplaced(done: (isReplaced: boolean) => void): void {
    const path = this.#path;
    if (path === null) {
      done(false);
      return;
    }
    fstat(this.#descriptor, (ownError, own) => {
      stat(path, (error, named) => {
        if (ownError !== null) done(true);
        else if (error !== null) done(error.code === 'ENOENT');
        else done(own.ino !== named.ino || own.dev !== named.dev);
      });
    });
  }

  close(): void {
    // The result is of no use: the descriptor is gone after close() whatever it answers.
    if (this.#isOwned) close(this.#descriptor, () => {});
  }
}
