import type { AdminAddress, AdminListener } from '../../platform/admin-listener.ts';
import { listenAdmin } from '../../platform/admin-listener.ts';
import { openAppendFile } from '../../platform/append-file.ts';
import type { Clock } from '../../platform/clock.ts';
import { isoTime } from '../../platform/iso-time.ts';
import { randomToken, readSmallFile, writePrivateFile } from '../../platform/private-files.ts';
import type { BalancerControl } from '../publish/operations.ts';
import { AccessLogWriter } from '../report/access-log.ts';
import { AdminApi } from './api.ts';
import type { InstanceFiles } from './instance.ts';
import { claimInstance, removeInstance, writeInstanceRecord } from './instance.ts';

/** Listening sockets that outlive this process. */
export interface AdminSockets {
  /** Path of the Unix socket that a balancer before us left; null when there is none. */
  readonly keptPath: string | null;
  /** A listening socket for an address, one that was left or a new one; null where Node opens it. */
  open(address: AdminAddress): Promise<number | null>;
}

/** What the admin API is started with. */
export interface AdminOptions {
  readonly control: BalancerControl;
  readonly clock: Clock;
  /** Real path of the configuration; null for the flags form. */
  readonly configFile: string | null;
  readonly pid: number;
  readonly supervisorPid: number | null;
  /** Null: they end with this process. */
  readonly sockets?: AdminSockets | null;
  /** `admin.socket` or `--socket`; null = the default place. */
  readonly socketPath: string | null;
  /** `admin.address`; null = Unix socket only. */
  readonly address: { readonly host: string; readonly port: number } | null;
  /** `admin.token`; null = one of our own in a file beside the socket. */
  readonly token: string | null;
  /** Addresses of the listeners, for `evenkeel status` to tell instances apart. */
  readonly listeners: readonly string[];
  readonly version: string;
  readonly areFaultsArmed: boolean;
  /** The process log. */
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void;
  /** Candidates for the instance directory; default: `runtimeDirectories()`. */
  readonly directories?: readonly string[];
}

/** The running admin API. */
export interface AdminServer {
  readonly files: InstanceFiles;
  /** Port of `admin.address` in use; null without one. */
  readonly port: number | null;
  /** Ends both sockets, writes out the audit log, removes the instance's files. */
  close(): Promise<void>;
  /** Ends ours and leaves sockets and files to the balancer that takes our place. */
  leave(): Promise<void>;
}

/** A token that is shorter could be guessed; such a file is not one that we wrote. */
const tokenLengthMin = 32;

/**
 * Opens the admin API on its Unix socket and on `address`. Errors: rejects with a sentence when no
 * socket can be placed or the address cannot be listened on; traffic does not depend on it.
 */
export async function startAdmin(options: AdminOptions): Promise<AdminServer> {
  const { clock, configFile, socketPath } = options;
  // The supervisor's: it stays over crashes and upgrades.
  const pid = options.supervisorPid ?? options.pid;
  const keptPath = options.sockets?.keptPath ?? null;
  const wait = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      clock.after(ms, resolve);
    });
  const directories = options.directories === undefined ? {} : { directories: options.directories };
  return await claimInstance(
    { configFile, pid, socketPath, keptPath, wait, ...directories },
    (files) => open(options, files),
  );
}

async function open(options: AdminOptions, files: InstanceFiles): Promise<AdminServer> {
  const { clock, log, address } = options;
  const audit = new AccessLogWriter(
    { path: files.auditPath },
    { clock, open: openAppendFile, report: (message) => log('warn', `audit: ${message}`) },
  );
  const api = new AdminApi({
    control: options.control,
    guard: { host: address?.host ?? null, token: tokenOf(options, files) },
    version: options.version,
    areFaultsArmed: options.areFaultsArmed,
    wallMs: () => clock.wallMs(),
    audit: (line) => {
      audit.write(line, 1);
      log('info', `admin: ${line.trimEnd()}`);
    },
  });
  const onError = (error: unknown): void => log('error', `admin: ${String(error)}`);
  const listeners: AdminListener[] = [];
  const leave = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.close()));
    await audit.close();
  };
  const close = async (): Promise<void> => {
    removeInstance(files);
    await leave();
  };
  const add = async (where: AdminAddress): Promise<void> => {
    const fd = (await options.sockets?.open(where)) ?? null;
    listeners.push(await listenAdmin(where, api.answer.bind(api), onError, fd));
  };
  try {
    await add({ kind: 'unix', path: files.socketPath });
    if (address !== null) await add({ kind: 'tcp', ...address });
    writeRecord(options, files);
  } catch (error) {
    await close();
    const where =
      address === null
        ? files.socketPath
        : `${files.socketPath} or ${address.host}:${address.port}`;
    throw new Error(`Cannot open the admin API as ${where} must be free: ${String(error)}`, {
      cause: error,
    });
  }
  return { files, port: listeners[1]?.port ?? null, close, leave };
}

function writeRecord(options: AdminOptions, files: InstanceFiles): void {
  writeInstanceRecord(files, {
    pid: options.pid,
    supervisorPid: options.supervisorPid,
    config: options.configFile,
    socket: files.socketPath,
    listeners: options.listeners,
    startedAt: isoTime(options.clock.wallMs()),
  });
}

/** The configured token, or the one in our file: kept over restarts, so that scripts go on working. */
function tokenOf(options: AdminOptions, files: InstanceFiles): string {
  if (options.address === null) return '';
  const kept = readSmallFile(files.tokenPath, 1_024)?.trim() ?? '';
  const token = options.token ?? (kept.length >= tokenLengthMin ? kept : randomToken());
  if (token !== kept) writePrivateFile(files.tokenPath, `${token}\n`);
  return token;
}
