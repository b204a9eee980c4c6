import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type RunningTimer, systemClock } from '../platform/clock.ts';
import { createChannelPair, DescriptorChannel } from '../platform/descriptor-channel.ts';
import { onSignals, operatorSignals } from '../platform/signals.ts';
import { canPassDescriptors } from '../platform/socket-calls.ts';
import { closeDescriptor } from '../platform/sockets.ts';
import { compiledCodeDirectory } from './compiled-code.ts';
import { DescriptorStore, forwardSignal } from './descriptor-store.ts';
import { createProcessLog, type ProcessLog } from './process-log.ts';
import { ExitCode, type RunOptions } from './run-options.ts';
import { sibling } from './sibling.ts';

/** A balancer that ran for so long was healthy: its end is the first of a new series. */
const HEALTHY_MS = 30_000;
/**
 * Delay before the second restart of a series; it doubles up to the maximum. The first is
 * immediate.
 */
const RESTART_MS = 100;
const RESTART_MS_MAX = 5_000;
/** After a second stop signal a balancer that is still there for so long is killed. */
const KILL_AFTER_MS = 2_000;
/** Where the balancer finds its end of the channel. */
const CHANNEL_FD = 3;

/** What tests replace. */
export interface SupervisorMeans {
  /** Module that is run as the balancer, with the options as its one argument. */
  readonly entry: URL;
  readonly log: ProcessLog;
  readonly healthyMs: number;
}

/** Ms to wait before restart number `count` (from 0) of a series: 0, 100, 200 … 5000. */
export function restartDelayMs(count: number): number {
  return count === 0 ? 0 : Math.min(RESTART_MS * 2 ** Math.min(count - 1, 16), RESTART_MS_MAX);
}

/**
 * Runs the balancer until it ends for good and returns the exit code for this process. The
 * supervisor keeps copies of the listening sockets and restarts what crashes; it never reads
 * configuration. Shape: one child at a time. Errors: none thrown; a balancer that cannot start ends
 * with its own code.
 */
export function runSupervisor(
  options: RunOptions,
  means?: Partial<SupervisorMeans>,
): Promise<number> {
  const write = (line: string): void => void process.stderr.write(line);
  const supervisor = new Supervisor(options, {
    entry: means?.entry ?? sibling(import.meta.url, 'balancer-entry'),
    log: means?.log ?? createProcessLog('supervisor', write, () => systemClock.wallMs()),
    healthyMs: means?.healthyMs ?? HEALTHY_MS,
  });
  return supervisor.run();
}

class Supervisor {
  readonly #options: RunOptions;
  readonly #means: SupervisorMeans;
  readonly #store = new DescriptorStore(closeDescriptor);
  readonly #hasChannel = canPassDescriptors();
  #child: ChildProcess | null = null;
  #channel: DescriptorChannel | null = null;
  #resolve: (code: number) => void = () => {};
  #hasEverRun = false;
  #startedAtMs = 0;
  #restarts = 0;
  #stopSignals = 0;
  #isEndMeant = false;
  #delay: RunningTimer | null = null;
  #keepAlive: NodeJS.Timeout | null = null;

  constructor(options: RunOptions, means: SupervisorMeans) {
    this.#options = options;
    this.#means = means;
  }

  run(): Promise<number> {
    const takeBack = onSignals(operatorSignals, (signal) => this.#onSignal(signal));
    // Between two children nothing else would keep this process alive.
    this.#keepAlive = setInterval(() => {}, RESTART_MS_MAX);
    const ended = new Promise<number>((resolve) => {
      this.#resolve = resolve;
    });
    this.#start();
    return ended.finally(() => {
      takeBack();
      if (this.#keepAlive !== null) clearInterval(this.#keepAlive);
    });
  }

  #start(): void {
    this.#startedAtMs = systemClock.nowMs();
    const pair = this.#hasChannel ? createChannelPair() : null;
    const child = spawn(process.execPath, balancerArguments(this.#means.entry, this.#options), {
      stdio: ['ignore', 'inherit', 'inherit', ...(pair === null ? [] : [pair[1]])],
      env: {
        ...process.env,
        NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? compiledCodeDirectory(),
        EVENKEEL_SUPERVISOR: String(process.pid),
        EVENKEEL_HAS_RUN: this.#hasEverRun ? '1' : '0',
        EVENKEEL_CHANNEL: pair === null ? '' : String(CHANNEL_FD),
      },
    });
    this.#child = child;
    if (pair !== null) {
      closeDescriptor(pair[1]);
      this.#openChannel(pair[0]);
    }
    child.once('error', (error) => this.#onEnd(child, null, null, error.message));
    child.once('exit', (code, signal) => this.#onEnd(child, code, signal, null));
  }

  #openChannel(fd: number): void {
    const channel: DescriptorChannel = new DescriptorChannel(fd, {
      onMessage: (message) => {
        const announced = this.#store.answer(channel, message);
        if (announced === 'running') this.#hasEverRun = true;
        if (announced === 'ending') this.#isEndMeant = true;
      },
      // The child's exit follows or has been seen; it decides.
      onClosed: () => {
        if (this.#channel === channel) this.#channel = null;
      },
    });
    this.#channel = channel;
  }

  #onSignal(signal: NodeJS.Signals): void {
    const isStop = signal === 'SIGTERM' || signal === 'SIGINT';
    if (isStop) this.#stopSignals++;
    const child = this.#child;
    if (child === null) {
      if (!isStop) return;
      this.#delay?.stop();
      this.#resolve(ExitCode.DRAINED);
      return;
    }
    const isTold = this.#channel !== null && forwardSignal(this.#channel, signal);
    if (!isTold) child.kill(signal);
    if (isStop && this.#stopSignals === 2) {
      systemClock.after(KILL_AFTER_MS, () => child.kill('SIGKILL'));
    }
  }

  #onEnd(
    child: ChildProcess,
    code: number | null,
    signal: NodeJS.Signals | null,
    spawnError: string | null,
  ): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#channel?.close();
    this.#channel = null;
    const isEarly = !this.#hasEverRun;
    if (code === ExitCode.DRAINED) {
      this.#resolve(ExitCode.DRAINED);
      return;
    }
    if (isEarly && (code === ExitCode.BAD_CONFIGURATION || code === ExitCode.CANNOT_LISTEN)) {
      this.#resolve(code);
      return;
    }
    const fields = { code, signal, ...(spawnError === null ? {} : { error: spawnError }) };
    if (this.#stopSignals > 0 || this.#isEndMeant) {
      this.#means.log.warn('The balancer ended before its drain was over', fields);
      this.#resolve(signal === null ? (code ?? ExitCode.BROKEN) : ExitCode.DRAINED);
      return;
    }
    const ranMs = systemClock.nowMs() - this.#startedAtMs;
    if (ranMs >= this.#means.healthyMs) this.#restarts = 0;
    const delayMs = restartDelayMs(this.#restarts);
    this.#restarts++;
    this.#means.log.error('The balancer died and is started again; its sockets are kept', {
      ...fields,
      ranMs: Math.round(ranMs),
      restartsInSeries: this.#restarts,
      delayMs,
      stored: this.#store.names,
    });
    if (delayMs === 0) this.#start();
    else this.#delay = systemClock.after(delayMs, () => this.#start());
  }
}

/**
 * Same Node and flags as ours. SIGUSR1 would open the inspector of a process that faces the
 * network.
 */
function balancerArguments(entry: URL, options: RunOptions): string[] {
  const own = process.execArgv.filter(
    (flag) => !/^--(test|eval|print|inspect|input-type)/.test(flag),
  );
  const flag = '--disable-sigusr1';
  const isKnown = process.allowedNodeEnvironmentFlags.has(flag);
  const extra = isKnown && !own.includes(flag) ? [flag] : [];
  return [...own, ...extra, fileURLToPath(entry), JSON.stringify(options)];
}
