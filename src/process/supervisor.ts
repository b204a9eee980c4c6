import { type RunningTimer, systemClock } from '../platform/clock.ts';
import { onSignals, operatorSignals } from '../platform/signals.ts';
import { canPassDescriptors } from '../platform/socket-calls.ts';
import { closeDescriptor } from '../platform/sockets.ts';
import { BalancerChild, type ChildEnd } from './balancer-child.ts';
import { type Announced, DescriptorStore } from './descriptor-store.ts';
import { createProcessLog, type ProcessLog } from './process-log.ts';
import { balancerEntryNow, nodeNow, ownBalancerEntry } from './program.ts';
import { ExitCode, type RunOptions } from './run-options.ts';

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
/** A successor that does not take traffic in this time is ended and the upgrade is rolled back. */
const READY_MS = 30_000;
/** A balancer that was replaced hands its counters over within this time, or they are lost. */
const LEAVE_MS = 5_000;
/** Balancers that finish what they had accepted at one time: each keeps its memory. */
const LEAVING_MAX = 16;

/** What tests replace. */
export interface SupervisorMeans {
  /** Module that is run as the balancer, with the options as its one argument; asked at each start. */
  readonly entry: () => URL;
  readonly log: ProcessLog;
  readonly healthyMs: number;
  readonly readyMs: number;
}

/** Ms to wait before restart number `count` (from 0) of a series: 0, 100, 200 … 5000. */
export function restartDelayMs(count: number): number {
  return count === 0 ? 0 : Math.min(RESTART_MS * 2 ** Math.min(count - 1, 16), RESTART_MS_MAX);
}

/**
 * Runs the balancer until it ends for good and returns the exit code for this process. The
 * supervisor keeps copies of the listening sockets, restarts what crashes and replaces a balancer by
 * a newer one; it never reads configuration. Errors: none thrown; a balancer that cannot start ends
 * with its own code.
 */
export function runSupervisor(
  options: RunOptions,
  means?: Partial<SupervisorMeans>,
): Promise<number> {
  const write = (line: string): void => void process.stderr.write(line);
  const supervisor = new Supervisor(options, {
    entry: means?.entry ?? (() => balancerEntryNow() ?? ownBalancerEntry()),
    log: means?.log ?? createProcessLog('supervisor', write, () => systemClock.wallMs()),
    healthyMs: means?.healthyMs ?? HEALTHY_MS,
    readyMs: means?.readyMs ?? READY_MS,
  });
  return supervisor.run();
}

/*
 * The balancers that there may be at one time:
 *
 *   primary     takes traffic, or starts to for the first time or after a crash
 *   successor   started by an upgrade, takes no traffic yet; its end changes nothing
 *   leaving     replaced, finishes what it had accepted
 *
 * When the successor says that it runs it is the primary, and the primary leaves.
 */
class Supervisor {
  readonly #options: RunOptions;
  readonly #means: SupervisorMeans;
  readonly #store = new DescriptorStore(closeDescriptor);
  readonly #hasChannel = canPassDescriptors();
  readonly #leaving = new Set<BalancerChild>();
  #primary: BalancerChild | null = null;
  #successor: BalancerChild | null = null;
  #readyTimer: RunningTimer | null = null;
  #leaveTimer: RunningTimer | null = null;
  #generation = 0;
  #resolve: (code: number) => void = () => {};
  #exitCode: number | null = null;
  #hasEverRun = false;
  #restarts = 0;
  #stopSignals = 0;
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
    this.#primary = this.#start(false);
    return ended.finally(() => {
      takeBack();
      if (this.#keepAlive !== null) clearInterval(this.#keepAlive);
    });
  }

  #start(isTried: boolean): BalancerChild {
    return new BalancerChild({
      node: nodeNow(),
      entry: this.#means.entry(),
      options: this.#options,
      generation: ++this.#generation,
      isTried,
      hasChannel: this.#hasChannel,
      store: this.#store,
      events: {
        onAnnounced: (child, announced) => this.#onAnnounced(child, announced),
        onEnd: (child, end) => this.#onEnd(child, end),
      },
    });
  }

  #onAnnounced(child: BalancerChild, announced: Announced): void {
    if (announced.what === 'upgrade') {
      const refusal = this.#whyNoUpgrade(child);
      child.answer(announced, refusal);
      if (refusal === null) this.#upgrade();
      return;
    }
    child.answer(announced);
    if (announced.what === 'running') this.#onRunning(child);
    else if (announced.what === 'ending') child.isEndMeant = true;
    else if (announced.what === 'failed') child.why = announced.why;
    else if (this.#leaving.has(child)) this.#giveOver();
  }

  #whyNoUpgrade(child: BalancerChild): string | null {
    if (child !== this.#primary) return 'only the balancer that takes traffic may be replaced';
    if (this.#successor !== null) return 'an upgrade is running already';
    if (this.#stopSignals > 0 || child.isEndMeant) return 'the balancer is to end';
    if (this.#leaveTimer !== null) return 'the upgrade before is handing over';
    if (this.#leaving.size < LEAVING_MAX) return null;
    return `${this.#leaving.size} balancers of upgrades before still finish their traffic`;
  }

  #upgrade(): void {
    const successor = this.#start(true);
    this.#successor = successor;
    const { readyMs, log } = this.#means;
    log.info('Upgrade: a second balancer starts', { pid: successor.pid, node: nodeNow() });
    this.#readyTimer = systemClock.after(readyMs, () => {
      successor.why = `it took no traffic within ${readyMs / 1000} s`;
      successor.kill('SIGKILL');
    });
  }

  #onRunning(child: BalancerChild): void {
    if (this.#exitCode !== null) return;
    child.isRunning = true;
    this.#hasEverRun = true;
    if (child !== this.#successor) {
      child.tell({ takeOver: { leaving: this.#leavingNow() } });
      return;
    }
    const before = this.#primary;
    this.#readyTimer?.stop();
    this.#successor = null;
    this.#primary = child;
    this.#restarts = 0;
    child.take();
    this.#means.log.info('Upgrade: the second balancer takes traffic', { pid: child.pid });
    if (before === null) {
      child.tell({ takeOver: { leaving: this.#leavingNow() } });
      return;
    }
    before.isEndMeant = true;
    this.#leaving.add(before);
    // Until the one before has given its counters and the admin sockets up, or is too slow for it.
    this.#leaveTimer = systemClock.after(LEAVE_MS, () => this.#giveOver());
    if (!before.tell({ upgraded: { pid: child.pid, why: null } })) this.#giveOver();
  }

  #giveOver(): void {
    if (this.#leaveTimer === null) return;
    this.#leaveTimer.stop();
    this.#leaveTimer = null;
    this.#primary?.tell({ takeOver: { leaving: this.#leavingNow() } });
  }

  #leavingNow(): { readonly generation: number; readonly pid: number }[] {
    return [...this.#leaving].map(({ generation, pid }) => ({ generation, pid }));
  }

  #onSignal(signal: NodeJS.Signals): void {
    const isStop = signal === 'SIGTERM' || signal === 'SIGINT';
    if (isStop) this.#stopSignals++;
    const all = [this.#primary, this.#successor, ...this.#leaving].filter(
      (child) => child !== null,
    );
    if (isStop && all.length === 0) {
      this.#delay?.stop();
      this.#resolve(ExitCode.DRAINED);
      return;
    }
    for (const child of isStop ? all : [this.#primary]) {
      if (child !== null && !child.tell({ signal })) child.kill(signal);
    }
    if (isStop && this.#primary === null) this.#finish(ExitCode.DRAINED);
    if (isStop && this.#stopSignals === 2) {
      systemClock.after(KILL_AFTER_MS, () => {
        for (const child of all) child.kill('SIGKILL');
      });
    }
  }

  #onEnd(child: BalancerChild, end: ChildEnd): void {
    if (child === this.#successor) this.#onSuccessorEnd(child, end);
    else if (this.#leaving.delete(child)) this.#onLeavingEnd(child, end);
    else if (child === this.#primary) this.#onPrimaryEnd(child, end);
    if (this.#exitCode !== null) this.#finish(this.#exitCode);
  }

  #onSuccessorEnd(child: BalancerChild, end: ChildEnd): void {
    this.#readyTimer?.stop();
    this.#successor = null;
    child.giveUp();
    const why = whyOf(child, end);
    this.#means.log.error('Upgrade: rolled back, the running balancer stays', { why });
    this.#primary?.tell({ upgraded: { pid: child.pid, why } });
    if (this.#primary === null && this.#delay === null && this.#stopSignals === 0) {
      this.#primary = this.#start(false);
    }
  }

  #onLeavingEnd({ generation, pid }: BalancerChild, { code, signal }: ChildEnd): void {
    const level = code === ExitCode.DRAINED ? 'info' : 'warn';
    this.#means.log[level]('A balancer that was replaced has ended', { pid, code, signal });
    this.#giveOver();
    this.#primary?.tell({ ended: generation });
  }

  #onPrimaryEnd(child: BalancerChild, { code, signal, error }: ChildEnd): void {
    this.#primary = null;
    const isEarly = !this.#hasEverRun;
    if (
      code === ExitCode.DRAINED ||
      (isEarly && (code === ExitCode.BAD_CONFIGURATION || code === ExitCode.CANNOT_LISTEN))
    ) {
      this.#finish(code);
      return;
    }
    const fields = { code, signal, ...(error === null ? {} : { error }) };
    if (this.#stopSignals > 0 || child.isEndMeant) {
      this.#means.log.warn('The balancer ended before its drain was over', fields);
      this.#finish(signal === null ? (code ?? ExitCode.BROKEN) : ExitCode.DRAINED);
      return;
    }
    const ranMs = systemClock.nowMs() - child.startedAtMs;
    if (ranMs >= this.#means.healthyMs) this.#restarts = 0;
    const delayMs = restartDelayMs(this.#restarts);
    this.#restarts++;
    const isReplaced = this.#successor !== null;
    this.#means.log.error('The balancer died and is started again; its sockets are kept', {
      ...fields,
      ranMs: Math.round(ranMs),
      restartsInSeries: this.#restarts,
      ...(isReplaced ? { upgrade: 'the one that starts takes its place' } : { delayMs }),
      stored: this.#store.names,
    });
    if (isReplaced) return;
    if (delayMs === 0) this.#primary = this.#start(false);
    else this.#delay = systemClock.after(delayMs, () => this.#restart());
  }

  #restart(): void {
    this.#delay = null;
    this.#primary = this.#start(false);
  }

  /** Ends this process with `code` when the last balancer is gone. */
  #finish(code: number): void {
    this.#exitCode = code;
    this.#delay?.stop();
    this.#successor?.kill('SIGKILL');
    if (this.#primary === null && this.#successor === null && this.#leaving.size === 0) {
      this.#resolve(code);
    }
  }
}

/** Why a successor did not get ready, in words. */
function whyOf(child: BalancerChild, { code, signal, error }: ChildEnd): string {
  if (error !== null) return `the new program could not be started: ${error}`;
  if (child.why !== '') return child.why;
  const how = signal === null ? `with code ${code}` : `by ${signal}`;
  const words = child.lastWords;
  return `the new balancer ended ${how} before it took traffic${words === '' ? '' : `:\n${words}`}`;
}
