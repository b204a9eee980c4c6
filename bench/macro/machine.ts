import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { cpus, release, totalmem } from 'node:os';

/** The core that the balancers share; each has it to itself while it is measured. */
export const BALANCER_CORE = 0;
/** The core of load generators and servers. */
export const LOAD_CORE = 1;

const children = new Set<ChildProcess>();

/** Starts a program pinned to a core. It ends with us. `output`: where stdout goes. */
export function spawnPinned(
  core: number,
  words: readonly string[],
  options: { readonly cwd?: string; readonly output?: number | 'pipe' | 'ignore' } = {},
): ChildProcess {
  const child = spawn('taskset', ['-c', String(core), ...words], {
    stdio: ['ignore', options.output ?? 'ignore', 'inherit'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** Ends a child and what it started, by pid, and waits for it. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const tree = treeOf(child.pid);
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => {
    for (const pid of tree) signalQuietly(pid, 'SIGKILL');
  }, 3_000);
  await gone;
  clearTimeout(timer);
  for (const pid of tree) if (existsSync(`/proc/${pid}`)) signalQuietly(pid, 'SIGKILL');
}

/** Ends everything that is still running. */
export async function endAll(): Promise<void> {
  await Promise.all([...children].map(endChild));
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A process and all its descendants. */
export function treeOf(pid: number): number[] {
  const found = [pid];
  for (let at = 0; at < found.length; at++) {
    const tasks = `/proc/${found[at]}/task`;
    if (!existsSync(tasks)) continue;
    for (const task of readdirSync(tasks)) {
      const text = readQuietly(`${tasks}/${task}/children`);
      for (const child of text.split(' ')) if (child.trim() !== '') found.push(Number(child));
    }
  }
  return found;
}

function readQuietly(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    // A thread or process may end between the listing and the reading.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** User and system time of a process tree, all threads, in µs. Resolution: one tick (10 ms). */
export function cpuMicroseconds(pid: number): number {
  let ticks = 0;
  for (const one of treeOf(pid)) {
    const stat = readQuietly(`/proc/${one}/stat`);
    if (stat === '') continue;
    // Fields 14 and 15, counted behind the name, which may hold spaces.
    const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(words[11]) + Number(words[12]);
  }
  return (ticks * 1e6) / TICKS_PER_SECOND;
}

/** Resident memory of a process tree, bytes. */
export function residentBytes(pid: number): number {
  let bytes = 0;
  for (const one of treeOf(pid)) {
    const match = /VmRSS:\s+(\d+) kB/.exec(readQuietly(`/proc/${one}/status`));
    bytes += Number(match?.[1] ?? 0) * 1024;
  }
  return bytes;
}

// Below the ephemeral range, so that no outgoing connection of the load can take the port.
let nextPort = 10_000 + ((process.pid * 41) % 20_000);

/** A port that nothing listens on now. Errors: throws after 500 tries. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 500; tries++) {
    const port = nextPort++;
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
  throw new Error('Cannot find a free port: 500 tried');
}

/** Resolves when something listens on the port. Errors: throws after 20 s. */
export async function untilListening(port: number, what: string): Promise<void> {
  const end = performance.now() + 20_000;
  for (;;) {
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (isUp) return;
    if (performance.now() > end) throw new Error(`${what} does not listen on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function firstLine(program: string, words: readonly string[]): string {
  const script = `${program} ${words.join(' ')} 2>&1 || true`;
  return execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\n')[0]!.trim();
}

/** What the numbers were measured on. */
export function machineFacts(root: string): Record<string, string> {
  return {
    machine: `${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    kernel: release(),
    node: process.version,
    nginx: firstLine('nginx', ['-v']),
    haproxy: firstLine('haproxy', ['-v']),
    wrk: firstLine('wrk', ['-v']),
    commit: firstLine('git', ['-C', root, 'rev-parse', '--short=12', 'HEAD']),
    changed: firstLine('git', ['-C', root, 'status', '--porcelain', '-uno']) === '' ? 'no' : 'yes',
  };
}
