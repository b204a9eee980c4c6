import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { StatusReport } from '../../src/control/report/status.ts';
import { until, within } from './waiting.ts';

/** The checkout. */
export const root: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** The command under test. */
export const command: string = join(root, 'bin', 'evenkeel');

/** Starting a balancer on a slow, shared machine may take this long, ms. */
const READY_MS = 30_000;

/** How a balancer is started. */
export interface BalancerOptions {
  readonly driver?: 'auto' | 'uring' | 'portable';
  readonly environment?: Readonly<Record<string, string>>;
  readonly arguments?: readonly string[];
  /** Another path of the command under test. */
  readonly command?: string;
  /** Limit of open files. */
  readonly descriptors?: number;
  /** Where an earlier one ran that has ended; its own by default. */
  readonly directory?: string;
}

/** An answer of the admin API. */
export interface AdminAnswer {
  readonly status: number;
  readonly body: string;
}

/** A started `evenkeel run` with what a test does to it. */
export class Balancer {
  readonly child: ChildProcess;
  readonly directory: string;
  readonly configFile: string;
  readonly socketPath: string;
  output = '';
  exitCode: number | null = null;
  readonly exited: Promise<number>;

  constructor(child: ChildProcess, directory: string, configFile: string, socketPath: string) {
    this.child = child;
    this.directory = directory;
    this.configFile = configFile;
    this.socketPath = socketPath;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        // Enough of the log to explain a failure, whatever the run writes.
        this.output = (this.output + text).slice(-65_536);
      });
    }
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.exitCode = code ?? (signal === null ? -1 : -2);
        resolve(this.exitCode);
      });
    });
  }

  /** One call of the admin API over its Unix socket. Errors: rejects where nobody answers. */
  admin(method: string, path: string, body?: unknown): Promise<AdminAnswer> {
    return adminCall({ socketPath: this.socketPath }, method, path, body);
  }

  /** Errors: throws while the balancer does not answer. */
  async status(): Promise<StatusReport> {
    const answer = await this.admin('GET', '/v1/status');
    if (answer.status !== 200) throw new Error(`status: ${answer.status} ${answer.body}`);
    return JSON.parse(answer.body) as StatusReport;
  }

  writeConfig(config: unknown): void {
    writeFileSync(
      this.configFile,
      typeof config === 'string' ? config : `${JSON.stringify(config, null, 2)}\n`,
    );
  }

  /** Replaces the file and asks for a reload. */
  async reload(config: unknown): Promise<AdminAnswer> {
    this.writeConfig(config);
    return await this.admin('POST', '/v1/reload');
  }

  /** The metrics as a map from `name{labels}` to value. */
  async metrics(): Promise<Map<string, number>> {
    const answer = await this.admin('GET', '/metrics');
    const values = new Map<string, number>();
    for (const line of answer.body.split('\n')) {
      if (line === '' || line.startsWith('#')) continue;
      const at = line.lastIndexOf(' ');
      values.set(line.slice(0, at), Number(line.slice(at + 1)));
    }
    return values;
  }

  /** Ends it: SIGTERM, then SIGKILL. */
  async stop(): Promise<void> {
    if (this.exitCode === null) {
      const pids = await this.status().then(
        (status) => [status.pids.balancer],
        () => [],
      );
      this.child.kill('SIGTERM');
      await within('the balancer drains', 500, this.exited).catch(() => {
        // A second one means: at once.
        this.child.kill('SIGTERM');
      });
      await within('the balancer ends', 8_000, this.exited).catch(() => {
        this.child.kill('SIGKILL');
        for (const pid of pids) killQuietly(pid);
        return this.exited;
      });
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The first file below a directory whose name ends so. */
export function findFile(directory: string, ending: string): string | null {
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && entry.name.endsWith(ending)) return join(entry.parentPath, entry.name);
  }
  return null;
}

/** One HTTP call with a JSON body, to a port or a Unix socket. */
export function adminCall(
  target: { socketPath: string } | { host: string; port: number; headers?: Record<string, string> },
  method: string,
  path: string,
  body?: unknown,
  deadlineMs = 15_000,
): Promise<AdminAnswer> {
  const text = body === undefined ? '' : JSON.stringify(body);
  const headers: Record<string, string> = {
    ...('headers' in target ? target.headers : {}),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(method === 'GET' ? {} : { 'content-length': String(Buffer.byteLength(text)) }),
  };
  const call = new Promise<AdminAnswer>((resolve, reject) => {
    const outgoing = request({ ...target, method, path, headers, agent: false }, (answer) => {
      let collected = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        collected += part;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: collected }));
      answer.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(text);
  });
  return within(`${method} ${path}`, deadlineMs, call);
}

/**
 * Starts `evenkeel run` on a configuration and waits until it takes traffic; it is stopped when the
 * test ends. `config`: plain data or text. Errors: throws with the program's output when it does not
 * get ready.
 */
export async function startBalancer(
  test: Pick<TestContext, 'after'>,
  config: unknown,
  options: BalancerOptions = {},
): Promise<Balancer> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'evenkeel-e2e-'));
  const configFile = join(directory, 'evenkeel.yaml');
  const socketPath = join(directory, 'admin.sock');
  const text = typeof config === 'string' ? config : `${JSON.stringify(config, null, 2)}\n`;
  writeFileSync(configFile, text);
  const words = ['run', '-c', configFile, '--socket', socketPath];
  if (options.driver !== undefined) words.push('--driver', options.driver);
  const run = [options.command ?? command, ...words, ...(options.arguments ?? [])];
  const { descriptors } = options;
  const limited = ['-c', `ulimit -n ${descriptors} && exec "$0" "$@"`, process.execPath, ...run];
  const child = spawn(
    descriptors === undefined ? process.execPath : 'sh',
    descriptors === undefined ? run : limited,
    {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        XDG_RUNTIME_DIR: directory,
        // History of a test is nobody else's.
        XDG_STATE_HOME: directory,
        ...options.environment,
      },
    },
  );
  const balancer = new Balancer(child, directory, configFile, socketPath);
  test.after(() => balancer.stop());
  const gone = balancer.exited.then((code) => {
    throw new Error(`evenkeel ended with ${code}:\n${balancer.output}`);
  });
  // Awaited in the race below only; a later end is no failure of the start.
  gone.catch(() => undefined);
  const ready = until('readyz', READY_MS, async () => {
    return (await balancer.admin('GET', '/readyz')).status === 200;
  });
  try {
    await Promise.race([ready, gone]);
  } catch (error) {
    throw new Error(`${String(error)}\n${balancer.output}`, { cause: error });
  }
  return balancer;
}

/** Runs the command to its end. `input` goes to stdin. */
export async function runCommand(
  words: readonly string[],
  options: { readonly cwd?: string; readonly environment?: Readonly<Record<string, string>> } = {},
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [command, ...words], {
    cwd: options.cwd ?? root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.environment },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const closed = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? -1));
  });
  try {
    return { code: await within(words.join(' '), 30_000, closed), stdout, stderr };
  } finally {
    child.kill('SIGKILL');
  }
}

/** The program under test is there; tests of a checkout in the making are skipped without it. */
export const isRunnable: boolean = existsSync(command);

/** Waits until every server of the pools has the state that its first probe gives. */
export async function untilServersAre(
  balancer: Balancer,
  state: string,
  count: number,
  deadlineMs = 15_000,
): Promise<void> {
  await until(`${count} servers ${state}`, deadlineMs, async () => {
    const servers = (await balancer.status()).pools.flatMap((pool) => pool.servers);
    return servers.filter((server) => server.state === state).length === count;
  });
}
