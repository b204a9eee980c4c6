import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { createConnection } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where instance files may lie, best first: the user's runtime directory, the system's, a temporary one. */
export function runtimeDirectories(
  env: Readonly<Record<string, string | undefined>> = process.env,
): readonly string[] {
  const user = env['XDG_RUNTIME_DIR'];
  const temporary = join(tmpdir(), `evenkeel-${process.getuid?.() ?? 'user'}`);
  return user?.startsWith('/') ? [join(user, 'evenkeel'), temporary] : ['/run/evenkeel', temporary];
}

/**
 * Where files may lie that outlive a restart of the machine, best first: the service manager's, the
 * user's, a directory that at least outlives us.
 */
export function stateDirectories(
  env: Readonly<Record<string, string | undefined>> = process.env,
): readonly string[] {
  const service = env['STATE_DIRECTORY']?.split(':')[0];
  if (service?.startsWith('/')) return [service];
  const state = env['XDG_STATE_HOME'];
  if (state?.startsWith('/')) return [join(state, 'evenkeel')];
  const own =
    process.getuid?.() === 0 ? '/var/lib/evenkeel' : join(homedir(), '.local/state/evenkeel');
  return [own, ...runtimeDirectories(env)];
}

/**
 * Makes a directory that only we can enter. Errors: the reason in words when it cannot be made, or
 * when what stands there is not a directory of ours that others cannot write.
 */
export function makePrivateDirectory(path: string): string | null {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const found = lstatSync(path);
    if (!found.isDirectory()) return `${path} is not a directory`;
    const uid = process.getuid?.();
    if (uid !== undefined && found.uid !== uid) return `${path} belongs to another user`;
    if ((found.mode & 0o077) !== 0) chmodSync(path, 0o700);
    return null;
  } catch (error) {
    return `${path}: ${errorCode(error)}`;
  }
}

/** Writes a file of mode 0600 whole or not at all. Errors: throws the system's error. */
export function writePrivateFile(path: string, text: string): void {
  const part = `${path}.${process.pid}.part`;
  rmSync(part, { force: true });
  const descriptor = openSync(part, 'wx', 0o600);
  try {
    writeSync(descriptor, text);
  } finally {
    closeSync(descriptor);
  }
  renameSync(part, path);
}

/** Makes a file that must not exist yet; false when it does. Errors: throws any other error of the system. */
export function createExclusive(path: string, text: string): boolean {
  try {
    const descriptor = openSync(path, 'wx', 0o600);
    writeSync(descriptor, text);
    closeSync(descriptor);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** The text of a file of at most `bytesMax`, or null when it is missing, unreadable or larger. */
export function readSmallFile(path: string, bytesMax: number): string | null {
  try {
    const found = statSync(path);
    return found.isFile() && found.size <= bytesMax ? readFileSync(path, 'utf8') : null;
  } catch {
    // Missing and unreadable are one to all callers: there is nothing to learn from the file.
    return null;
  }
}

/** Names of the entries of a directory; none when it is missing. */
export function listDirectory(path: string): readonly string[] {
  try {
    return readdirSync(path).sort();
  } catch {
    // A directory that is missing or closed to us holds nothing for us.
    return [];
  }
}

/** Removes a file or socket; a missing one is fine. */
export function removeFile(path: string): void {
  rmSync(path, { force: true });
}

/** The path without symbolic links, or the path itself when it leads nowhere. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // The caller names the file in its own error later; an identity is needed all the same.
    return path;
  }
}

/** True when a process of this number exists, also one of another user. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/** 256 random bits as 43 characters that fit a header field. */
export function randomToken(): string {
  return randomBytes(32).toString('base64url');
}

/** True when somebody listens on the Unix socket. A listener that is too busy to answer counts as alive. */
export function isSocketAlive(path: string, timeoutMs = 500): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    const finish = (isAlive: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(isAlive);
    };
    const timer = setTimeout(() => finish(true), timeoutMs);
    socket.on('connect', () => finish(true));
    socket.on('error', (error) => finish(errorCode(error) === 'EAGAIN'));
  });
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
