import { onSignals, operatorSignals } from '../platform/signals.ts';
import type { ProcessLog } from './process-log.ts';

/** What signals and the supervisor ask of the balancer. */
export interface LifecycleActions {
  readonly reload: () => void;
  readonly drain: () => void;
  readonly stopNow: () => void;
  readonly upgrade: () => void;
}

/** So many faults of the control thread within so long are more than it should go on with. */
const FAULTS_MAX = 10;
const FAULTS_WITHIN_MS = 60_000;

/**
 * Turns signals into actions. A signal may reach us twice, directly (a terminal sends it to all its
 * processes) and by the supervisor; only the second of one way is an order to stop at once.
 */
export class Lifecycle {
  readonly #log: ProcessLog;
  readonly #stops = { direct: 0, forwarded: 0 };
  #actions: LifecycleActions | null = null;
  #isStopWanted = false;

  constructor(log: ProcessLog) {
    this.#log = log;
    onSignals(operatorSignals, (signal) => this.signalled(signal, 'direct'));
  }

  /** True when a stop came before there was anything to stop. */
  get isStopWanted(): boolean {
    return this.#isStopWanted;
  }

  /** From now on signals act. */
  attach(actions: LifecycleActions): void {
    this.#actions = actions;
  }

  /** A signal came, by one of the two ways. */
  signalled(signal: NodeJS.Signals, way: 'direct' | 'forwarded'): void {
    this.#log.info('A signal came', { signal, way });
    if (signal === 'SIGHUP') this.#actions?.reload();
    else if (signal === 'SIGTERM' || signal === 'SIGINT') {
      this.#stops[way]++;
      this.#isStopWanted = true;
      if (this.#stops[way] > 1) this.#actions?.stopNow();
      else this.#actions?.drain();
    } else this.#actions?.upgrade();
  }
}

/**
 * A fault of control code must not end the traffic of all workers: it is logged, and only many of
 * them end the process, which the supervisor then replaces.
 */
export function surviveControlFaults(
  log: ProcessLog,
  nowMs: () => number,
  onHopeless: (why: string) => void,
): void {
  const atMs: number[] = [];
  const onFault = (fault: unknown): void => {
    const what = fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
    log.error('A fault of the control thread; traffic goes on', { what });
    atMs.push(nowMs());
    while ((atMs.at(-1) as number) - (atMs[0] as number) > FAULTS_WITHIN_MS) atMs.shift();
    if (atMs.length >= FAULTS_MAX)
      onHopeless(`${atMs.length} faults of the control thread in a minute`);
  };
  process.on('uncaughtException', onFault);
  process.on('unhandledRejection', onFault);
}

/**
 * Ends the process at once. Exiting in the usual way would end worker threads from outside, which
 * aborts where one has a living ring; a kill is the same for the supervisor and does not hang.
 */
export function endHard(): void {
  process.kill(process.pid, 'SIGKILL');
}
