import {
  closeSync,
  fstatSync,
  openSync,
  readSync,
  rmSync,
  stat,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock, RunningTimer } from './clock.ts';

/**
 * How often a watched file is looked at: one `stat` a second costs nothing and works on every file
 * system.
 */
const LOOK_MS = 1_000;
/**
 * A changed file must look the same twice, so long apart, before it is believed to be written to
 * its end.
 */
const SETTLE_MS = 200;
/** More than any state that we store. */
const BLOB_BYTES_MAX = 67_108_864;

/** A running watch. */
export interface FileWatch {
  stop(): void;
}

/**
 * Calls `onChange` when the file's content may have changed: written to, replaced, or reached
 * through a link that now leads elsewhere. A missing file is no change; its return is one. Polling
 * instead of `fs.watch`, which misses replaced files, network file systems and links.
 */
export function watchFile(path: string, clock: Clock, onChange: () => void): FileWatch {
  let known: string | null = null;
  let settling: string | null = null;
  let timer: RunningTimer | null = null;
  let isStopped = false;
  const look = (): void => {
    stat(path, { bigint: true }, (error, found) => {
      if (isStopped) return;
      const mark =
        error !== null ? null : `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}`;
      const isKnown = mark === null || known === null || mark === known;
      if (known === null) known = mark;
      if (isKnown) settling = null;
      else if (mark === settling) {
        known = mark;
        settling = null;
        onChange();
      } else settling = mark;
      timer = clock.after(settling === null ? LOOK_MS : SETTLE_MS, look);
    });
  };
  look();
  return {
    stop: () => {
      isStopped = true;
      timer?.stop();
    },
  };
}

/** What tells one content of a file from another: identity, size and time; null without such a file. */
export function fileMark(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    stat(path, { bigint: true }, (error, found) => {
      if (error !== null) resolve(null);
      else resolve(`${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}`);
    });
  });
}

/**
 * Writes text to a file without a name, whose descriptor can be passed on; it lives as long as the
 * last descriptor. Errors: throws where the temporary directory cannot be written.
 */
export function writeUnnamedFile(text: string): number {
  const path = join(tmpdir(), `evenkeel-${process.pid}-${performance.now()}.state`);
  const fd = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  const bytes = Buffer.from(text);
  let at = 0;
  while (at < bytes.length) at += writeSync(fd, bytes, at, bytes.length - at, at);
  return fd;
}

/**
 * Reads what `writeUnnamedFile` wrote. Errors: throws when it is larger than 64 MiB or unreadable.
 */
export function readUnnamedFile(fd: number): string {
  const { size } = fstatSync(fd);
  if (size > BLOB_BYTES_MAX) throw new RangeError(`Cannot read a state of ${size} bytes`);
  const bytes = Buffer.alloc(size);
  let at = 0;
  while (at < size) {
    const count = readSync(fd, bytes, at, size - at, at);
    if (count === 0) break;
    at += count;
  }
  return bytes.toString('utf8', 0, at);
}

/** Closes a descriptor that Node opened. */
export function closeFile(fd: number): void {
  closeSync(fd);
}

/** Removes the file of a Unix socket. One that is gone already is no error. */
export function removeSocketFile(path: string): void {
  rmSync(path, { force: true });
}
