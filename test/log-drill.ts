import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Balancer, startBalancer } from './e2e/harness.ts';
import { startOrigins } from './e2e/origins.ts';
import { freePort } from './e2e/ports.ts';

/*
 * What a log pipe that nobody reads does to latency: wrk with 32 links at a balancer whose access log goes to a named
 * pipe, in turns with its reader running and stopped. Prints p99 of each turn, the medians and their ratio, and what
 * was lost. Fails when a line is lost that is not counted, or a request fails.
 *
 *   node test/log-drill.ts [--rounds 8] [--seconds 3]
 */
interface Turn {
  readonly p99Ms: number;
  readonly requests: number;
  readonly failed: boolean;
}

const run = promisify(execFile);

async function wrk(port: number, seconds: number): Promise<Turn> {
  const url = `http://127.0.0.1:${port}/`;
  const words = ['-t1', '-c32', `-d${seconds}s`, '--latency', url];
  const { stdout } = await run('wrk', words);
  const p99 = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout);
  const scale = { us: 0.001, ms: 1, s: 1_000 }[p99?.[2] ?? 'ms'] ?? 1;
  return {
    p99Ms: Number(p99?.[1]) * scale,
    requests: Number(/(\d+) requests in/.exec(stdout)?.[1]),
    failed: /Non-2xx|Socket errors: connect [1-9]/.test(stdout),
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function option(name: string, standard: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? standard : Number(process.argv[at + 1]);
}

/** Every request has its line, read or counted. */
async function settle(balancer: Balancer, linesRead: () => number): Promise<string> {
  for (let look = 0; look < 600; look++) {
    const { accessLog, listeners } = await balancer.status();
    const dropped = accessLog?.droppedLines ?? 0;
    const requests = listeners.reduce((sum, listener) => sum + listener.requests, 0);
    const told = `${requests} requests = ${linesRead()} lines read + ${dropped} dropped and counted`;
    if (linesRead() + dropped === requests) return told;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('lines were lost that nobody counted');
}

const cleanups: (() => unknown)[] = [];
const test = { after: (cleanup: () => unknown): unknown => cleanups.push(cleanup) };
const directory = mkdtempSync(join(tmpdir(), 'evenkeel-drill-'));
const pipe = join(directory, 'pipe');
execFileSync('mkfifo', [pipe]);
const reader = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'inherit'] });
let lines = 0;
reader.stdout.on('data', (bytes: Buffer) => {
  for (const byte of bytes) if (byte === 0x0a) lines++;
});
try {
  const origins = await startOrigins(test, 1);
  const port = await freePort();
  const balancer = await startBalancer(test, {
    listeners: [`127.0.0.1:${port}`],
    pools: { web: origins.map(({ address }) => address) },
    workers: 1,
    log: pipe,
  });
  const seconds = option('seconds', 3);
  await wrk(port, seconds);
  const read: number[] = [];
  const stuck: number[] = [];
  for (let round = 0; round < option('rounds', 8); round++) {
    // In turns: whatever else the machine does meets both alike.
    for (const isStuck of round % 2 === 0 ? [false, true] : [true, false]) {
      if (isStuck) reader.kill('SIGSTOP');
      // Both are warm, and the queue of a stuck one is full.
      await wrk(port, 1);
      const turn = await wrk(port, seconds);
      reader.kill('SIGCONT');
      await settle(balancer, () => lines);
      if (turn.failed) throw new Error('requests failed');
      (isStuck ? stuck : read).push(turn.p99Ms);
      const name = isStuck ? 'stuck' : 'read ';
      console.log(`${name} p99 ${turn.p99Ms.toFixed(2)} ms, ${turn.requests} requests`);
    }
  }
  const ratio = median(stuck) / median(read);
  console.log(`${await settle(balancer, () => lines)}`);
  console.log(
    `median p99: read ${median(read).toFixed(2)} ms, stuck ${median(stuck).toFixed(2)} ms, ratio ${ratio.toFixed(3)}`,
  );
} finally {
  reader.kill('SIGKILL');
  for (const cleanup of cleanups.reverse()) await cleanup();
  rmSync(directory, { recursive: true, force: true });
}
