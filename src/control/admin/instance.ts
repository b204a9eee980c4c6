import { createHash } from 'node:crypto';
import { basename, dirname, join, resolve } from 'node:path';
import {
  createExclusive,
  isProcessAlive,
  isSocketAlive,
  listDirectory,
  makePrivateDirectory,
  readSmallFile,
  realPath,
  removeFile,
  runtimeDirectories,
  writePrivateFile,
} from '../../platform/private-files.ts';

/** Names under which one running balancer is found. */
export interface InstanceFiles {
  /** 8 hex digits, with `-PID` for a second balancer of the same configuration. */
  readonly id: string;
  readonly socketPath: string;
  /** Who runs here: see `InstanceRecord`. */
  readonly recordPath: string;
  readonly tokenPath: string;
  readonly auditPath: string;
}

/** What `<id>.json` tells. */
export interface InstanceRecord {
  readonly pid: number;
  readonly supervisorPid: number | null;
  /** Real path of the configuration; null for the flags form. */
  readonly config: string | null;
  readonly socket: string;
  readonly listeners: readonly string[];
  /** ISO 8601. */
  readonly startedAt: string;
}

/** Where a command finds its balancer, or why it finds none. */
export type FoundInstance =
  | { readonly ok: true; readonly socket: string }
  | { readonly ok: false; readonly problem: string };

/** As `configFileNames` of config/load.ts, whose parsers a command that only asks need not load. A test compares. */
export const configurationNames = [
  'evenkeel.yaml',
  'evenkeel.yml',
  'evenkeel.json',
  'evenkeel.config.ts',
  'evenkeel.config.mts',
  'evenkeel.config.js',
  'evenkeel.config.mjs',
] as const;

const recordBytesMax = 65_536;
const lockAttempts = 20;
const lockWaitMs = 25;

/** The identity of a balancer: of its configuration's real path, or of its process for the flags form. */
export function instanceId(configFile: string | null, pid: number): string {
  const name = configFile === null ? `pid:${pid}` : realPath(resolve(configFile));
  return createHash('sha256').update(name).digest('hex').slice(0, 8);
}

/** What `claimInstance` needs to know. */
export interface ClaimOptions {
  readonly configFile: string | null;
  /** Makes names of the flags form, and of a second balancer of one configuration. */
  readonly pid: number;
  /** A socket that a balancer before us left with our supervisor: it is ours, although it answers. */
  readonly keptPath?: string | null;
  /** `admin.socket` or `--socket`; null = the default place. */
  readonly socketPath: string | null;
  /** Candidates for the directory, best first; default: `runtimeDirectories()`. */
  readonly directories?: readonly string[];
  /** Pauses while another balancer claims; from the platform. */
  readonly wait: (ms: number) => Promise<void>;
}

/**
 * Runs `open` with files that no living balancer uses: a stale socket is removed first, a living one of the same
 * configuration makes us `<id>-<pid>`. Two that start at the same time are kept apart by a lock file.
 * Errors: rejects when no directory can be used or `open` rejects.
 */
export async function claimInstance<Result>(
  options: ClaimOptions,
  open: (files: InstanceFiles) => Promise<Result>,
): Promise<Result> {
  const directory = usableDirectory(options.directories ?? runtimeDirectories());
  const id = instanceId(options.configFile, options.pid);
  const lockPath = join(directory, `${id}.lock`);
  const hasLock = await takeLock(lockPath, options);
  try {
    removeDead(directory);
    const wanted = instanceFiles(directory, id, options.socketPath);
    const socketPath = options.socketPath === null ? null : `${options.socketPath}-${options.pid}`;
    const second = instanceFiles(directory, `${id}-${options.pid}`, socketPath);
    const kept = [wanted, second].find((files) => files.socketPath === options.keptPath);
    if (kept !== undefined) return await open(kept);
    const isTaken = !hasLock || (await isSocketAlive(wanted.socketPath));
    const files = isTaken ? second : wanted;
    removeFile(files.socketPath);
    return await open(files);
  } finally {
    if (hasLock) removeFile(lockPath);
  }
}

/** The files of an instance. With a socket path given, token and audit log lie beside that socket. */
export function instanceFiles(
  directory: string,
  id: string,
  socketPath: string | null,
): InstanceFiles {
  const beside = socketPath === null ? join(directory, id) : besideSocket(socketPath);
  return {
    id,
    socketPath: socketPath === null ? `${beside}.sock` : resolve(socketPath),
    recordPath: join(directory, `${id}.json`),
    tokenPath: `${beside}.token`,
    auditPath: `${beside}.audit.log`,
  };
}

/** Writes who runs here. Errors: throws the system's error. */
export function writeInstanceRecord(files: InstanceFiles, record: InstanceRecord): void {
  writePrivateFile(files.recordPath, `${JSON.stringify(record, null, 2)}\n`);
}

/** Removes what a balancer that ends leaves behind. The audit log and the token of the configuration stay. */
export function removeInstance(files: InstanceFiles): void {
  removeFile(files.socketPath);
  removeFile(files.recordPath);
}

/** How a command was told which balancer is meant. */
export interface FindOptions {
  readonly socket?: string | undefined;
  readonly config?: string | undefined;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default: `runtimeDirectories(env)`. */
  readonly directories?: readonly string[];
}

/**
 * Finds the balancer that a command means: `--socket`, else `EVENKEEL_SOCKET`, else `-c FILE`, else the
 * configuration in the working directory when its balancer lives, else the only one that lives.
 */
export async function findInstance(options: FindOptions): Promise<FoundInstance> {
  const named = options.socket ?? (options.env['EVENKEEL_SOCKET'] || undefined);
  if (named !== undefined) {
    const socket = resolve(options.cwd, named);
    if (await isSocketAlive(socket)) return { ok: true, socket };
    return problem(`nobody listens on the admin socket ${socket}`);
  }
  const living = await livingInstances(options.directories ?? runtimeDirectories(options.env));
  if (options.config !== undefined) {
    const file = realPath(resolve(options.cwd, options.config));
    return onlyOne(
      living.filter((record) => record.config === file),
      `runs from ${file}`,
      living,
    );
  }
  for (const name of configurationNames) {
    const file = realPath(resolve(options.cwd, name));
    const found = living.filter((record) => record.config === file);
    if (found.length > 0) return onlyOne(found, `runs from ${file}`, living);
  }
  return onlyOne(living, 'runs here', living);
}

/** Records of the balancers that answer on their socket. Cost: one connection each. */
export async function livingInstances(
  directories: readonly string[],
): Promise<readonly InstanceRecord[]> {
  return (await judgedInstances(directories)).living;
}

/**
 * True while a balancer that the command means is being started again after a crash: nobody answers
 * on its socket, but its supervisor lives and has no other balancer that does. Cost: as
 * `livingInstances`.
 */
export async function isRestarting(options: FindOptions): Promise<boolean> {
  const named = options.socket ?? (options.env['EVENKEEL_SOCKET'] || undefined);
  const socket = named === undefined ? null : resolve(options.cwd, named);
  const config =
    options.config === undefined ? null : realPath(resolve(options.cwd, options.config));
  const directories = options.directories ?? runtimeDirectories(options.env);
  const { living, dead } = await judgedInstances(directories);
  const isBack = (supervisor: number): boolean =>
    living.some(({ supervisorPid }) => supervisorPid === supervisor);
  return dead.some((record) => {
    const supervisor = record.supervisorPid ?? 0;
    if (socket !== null ? record.socket !== socket : config !== null && record.config !== config) {
      return false;
    }
    return supervisor > 0 && isProcessAlive(supervisor) && !isBack(supervisor);
  });
}

interface JudgedInstances {
  readonly living: readonly InstanceRecord[];
  readonly dead: readonly InstanceRecord[];
}

async function judgedInstances(directories: readonly string[]): Promise<JudgedInstances> {
  const records = directories.flatMap((directory) =>
    listDirectory(directory)
      .filter((name) => name.endsWith('.json'))
      .map((name) => readRecord(join(directory, name)))
      .filter((record) => record !== null),
  );
  const alive = await Promise.all(records.map((record) => isSocketAlive(record.socket)));
  return {
    living: records.filter((_record, index) => alive[index]),
    dead: records.filter((_record, index) => !alive[index]),
  };
}

function onlyOne(
  found: readonly InstanceRecord[],
  what: string,
  living: readonly InstanceRecord[],
): FoundInstance {
  const [first, second] = found;
  if (first !== undefined && second === undefined) return { ok: true, socket: first.socket };
  const list = (first === undefined ? living : found)
    .map(
      (record) => `\n  --socket ${record.socket}  (${record.config ?? 'flags'}, pid ${record.pid})`,
    )
    .join('');
  if (first === undefined) {
    return problem(`no balancer ${what}${list === '' ? '' : `; these do run:${list}`}`);
  }
  return problem(`more than one balancer ${what}; choose one:${list}`);
}

function problem(text: string): FoundInstance {
  return { ok: false, problem: text };
}

function besideSocket(socketPath: string): string {
  const path = resolve(socketPath);
  return join(dirname(path), basename(path, '.sock'));
}

function usableDirectory(candidates: readonly string[]): string {
  const reasons: string[] = [];
  for (const candidate of candidates) {
    const reason = makePrivateDirectory(candidate);
    if (reason === null) return candidate;
    reasons.push(reason);
  }
  throw new Error(
    `Cannot place the admin socket as a directory of our own is required: ${reasons.join('; ')}`,
  );
}

async function takeLock(path: string, options: ClaimOptions): Promise<boolean> {
  for (let attempt = 0; attempt < lockAttempts; attempt++) {
    if (createExclusive(path, `${options.pid}\n`)) return true;
    const owner = Number(readSmallFile(path, 32));
    // An empty lock file is one whose owner is about to write its number: wait, do not remove.
    if (owner > 0 && !isProcessAlive(owner)) removeFile(path);
    else await options.wait(lockWaitMs);
  }
  return false;
}

/** Removes what balancers left that were killed; their audit logs stay. */
function removeDead(directory: string): void {
  for (const name of listDirectory(directory)) {
    if (!/^[0-9a-f]{8}-[0-9]+\.json$/.test(name)) continue;
    const path = join(directory, name);
    const record = readRecord(path);
    if (record !== null && isProcessAlive(record.pid)) continue;
    const files = instanceFiles(directory, name.slice(0, -'.json'.length), null);
    for (const left of [files.socketPath, files.tokenPath, path]) removeFile(left);
  }
}

function readRecord(path: string): InstanceRecord | null {
  const text = readSmallFile(path, recordBytesMax);
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : null;
  } catch {
    // Not ours or half written by a version of before: such a file names no balancer.
    return null;
  }
}

function isRecord(value: unknown): value is InstanceRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, socket, config } = value as Partial<Record<keyof InstanceRecord, unknown>>;
  return (
    typeof pid === 'number' &&
    typeof socket === 'string' &&
    (config === null || typeof config === 'string')
  );
}
