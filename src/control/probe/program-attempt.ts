import type { Program } from '../../platform/run-program.ts';
import type { AttemptOptions } from './attempt.ts';
import { Deadline } from './deadline.ts';

/** Exit codes that give a part of the weight: keepalived's, which sets the weight to the code less two. */
const factorCodeMin = 2;
const factorCodeMax = 102;
const reasonLettersMax = 120;

const errorWords: Readonly<Record<string, string>> = {
  ENOENT: 'the program does not exist',
  EACCES: 'the program may not be run',
  EAGAIN: 'no process left here',
  EMFILE: 'no file descriptor left here',
};

/** Runs a probe's program once; gives the function that ends it. The time-out counts from its start. */
export function startProgramAttempt(options: AttemptOptions): () => void {
  const { probe, clock, run, onResult } = options;
  let startedMs = clock.nowMs();
  let deadline: Deadline | null = null;
  let isOver = false;
  const finish = (isPass: boolean, reason: string, factor: number | null): void => {
    if (isOver) return;
    isOver = true;
    deadline?.stop();
    const durationMs = Math.max(0, clock.nowMs() - startedMs);
    onResult({ isPass, reason, durationMs, factor, agent: null });
  };
  const stopProgram = run(programOf(options), {
    onStarted: () => {
      if (isOver) return;
      startedMs = clock.nowMs();
      deadline = new Deadline(options, probe.timeoutMs, () => {
        stopProgram();
        finish(false, `no end in ${probe.timeoutMs} ms`, null);
      });
    },
    onExit: (code, signal, output) => {
      const said = firstLine(output);
      const reason = `${code === null ? `ended by ${signal ?? 'a signal'}` : `exit code ${code}`}${said}`;
      if (code === 0) finish(true, reason, 1);
      else if (probe.isWeightByExit && isFactor(code)) finish(true, reason, (code - 2) / 100);
      else finish(false, reason, null);
    },
    onError: (code) => finish(false, errorWords[code] ?? code, null),
  });
  return () => {
    isOver = true;
    deadline?.stop();
    stopProgram();
  };
}

function isFactor(code: number | null): code is number {
  return code !== null && code >= factorCodeMin && code <= factorCodeMax;
}

function programOf({ probe, pool, address, target }: AttemptOptions): Program {
  const isUnix = target.kind === 'unix';
  return {
    command: probe.command ?? '',
    args: probe.args,
    environment: {
      EVENKEEL_POOL: pool,
      EVENKEEL_SERVER: address,
      EVENKEEL_HOST: isUnix ? target.path : target.host,
      EVENKEEL_PORT: isUnix ? '' : String(target.port),
    },
  };
}

/** What it printed first, as the rest of a sentence. */
function firstLine(output: string): string {
  const line = output.split('\n', 1)[0] ?? '';
  const shown = line
    .replace(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, reasonLettersMax);
  return shown === '' ? '' : `: ${shown}`;
}
