import { spawn } from 'node:child_process';

/** What is run, without a shell. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** All of its environment besides `PATH`. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What became of it. One of the two last is called once, after `onStarted` if it came that far. */
export interface ProgramHandler {
  onStarted(): void;
  /** `code` is null when a signal ended it. `output`: the first bytes that it printed. */
  onExit(code: number | null, signal: string | null, output: string): void;
  /** It could not be run. The system's code: `ENOENT`, `EACCES` … */
  onError(code: string): void;
}

/** Runs programs for probes; gives the function that ends one with all its children. */
export type RunProgram = (program: Program, handler: ProgramHandler) => () => void;

/** Programs at a time: more would make the machine the reason of their time-outs. */
const programsMax = 32;
/** Bytes kept of what a program prints: a reason for people. */
const outputBytesMax = 1_024;

/** How long after its end the last of its output may take. */
const leftoversMs = 200;

let running = 0;
const waiting: (() => void)[] = [];

function begin(start: () => void): void {
  if (running < programsMax) {
    running++;
    start();
  } else {
    waiting.push(start);
  }
}

function end(): void {
  const next = waiting.shift();
  if (next === undefined) running--;
  else next();
}

/** Runs a program in a process group of its own; at most 32 at a time, the others wait in order. */
export const runProgram: RunProgram = (program, handler) => {
  let isOver = false;
  let stopRunning: (() => void) | null = null;
  const start = (): void => {
    stopRunning = startProgram(program, {
      onStarted: () => handler.onStarted(),
      onExit: (code, signal, output) => {
        end();
        if (isOver) return;
        isOver = true;
        handler.onExit(code, signal, output);
      },
      onError: (code) => {
        end();
        if (isOver) return;
        isOver = true;
        handler.onError(code);
      },
    });
  };
  begin(start);
  return () => {
    isOver = true;
    const at = waiting.indexOf(start);
    if (at >= 0) waiting.splice(at, 1);
    stopRunning?.();
  };
};

function startProgram(program: Program, handler: ProgramHandler): () => void {
  const child = spawn(program.command, [...program.args], {
    cwd: '/',
    detached: true,
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', ...program.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  });
  let output = Buffer.alloc(0);
  let isOver = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => {
      const room = outputBytesMax - output.length;
      if (room > 0) output = Buffer.concat([output, bytes.subarray(0, room)]);
    });
    stream.on('error', () => {});
  }
  const kill = (): void => {
    if (child.pid === undefined) return;
    try {
      // The group: what a script started must not outlive it.
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It is gone already.
    }
  };
  child.on('spawn', () => handler.onStarted());
  child.on('error', (error: NodeJS.ErrnoException) => {
    if (isOver) return;
    isOver = true;
    handler.onError(error.code ?? 'EIO');
  });
  const finish = (code: number | null, signal: string | null): void => {
    if (isOver) return;
    isOver = true;
    child.stdout.destroy();
    child.stderr.destroy();
    handler.onExit(code, signal, output.toString('utf8'));
  };
  child.on('close', finish);
  child.on('exit', (code, signal) => {
    // What it left running could hold its output open for ever.
    kill();
    setTimeout(() => finish(code, signal), leftoversMs).unref();
  });
  child.unref();
  return kill;
}
