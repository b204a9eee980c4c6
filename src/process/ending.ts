import type { Clock } from '../platform/clock.ts';
import { endHard } from './lifecycle.ts';
import type { ListenerSockets } from './listener-sockets.ts';
import type { ProcessLog } from './process-log.ts';
import { ExitCode } from './run-options.ts';
import type { StoreClient } from './store-client.ts';
import type { WorkerCrew } from './worker-crew.ts';

/** What ends with a balancer. */
export interface EndingMeans {
  readonly crew: WorkerCrew;
  readonly sockets: ListenerSockets;
  readonly store: StoreClient | null;
  readonly clock: Clock;
  readonly log: ProcessLog;
  /** `timeouts.drain` in force, ms. */
  readonly drainMs: () => number;
  /** Ends timers and closes files, once, when no thread is left. */
  readonly close: () => Promise<void>;
  readonly exit: (code: number) => void;
}

/** Beyond the drain's own deadline, before threads are told to stop. */
const DRAIN_GRACE_MS = 1_000;
/**
 * From the moment in which new connections are refused, so long is accepted on: what is queued and
 * handshakes whose last packet is under way (most round trips of the world are shorter).
 */
const LAST_ACCEPTS_MS = 200;

/** Resolves when what came to sockets that refuse now has been accepted. */
export function lastAccepts(clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.after(LAST_ACCEPTS_MS, resolve);
  });
}

/** The ways in which a balancer process ends in order. */
export class Ending {
  readonly #means: EndingMeans;
  readonly #beforeEnd: (() => Promise<void>)[] = [];
  readonly #onReplaced: (() => void)[] = [];
  #isDraining = false;
  #isReplaced = false;
  #isEnding = false;

  constructor(means: EndingMeans) {
    this.#means = means;
  }

  /** No new traffic is taken any more. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Runs before the process ends. */
  before(close: () => Promise<void>): void {
    this.#beforeEnd.push(close);
  }

  /** A successor has taken this process's place. */
  get isReplaced(): boolean {
    return this.#isReplaced;
  }

  /** Runs when a successor has taken this process's place: what only one may have is given up. */
  whenReplaced(giveUp: () => void): void {
    this.#onReplaced.push(giveUp);
  }

  /** No new traffic; what runs is finished within `timeouts.drain`; then the process ends. */
  drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    void this.#drain();
  }

  /**
   * As `drain`, but the sockets belong to a successor that accepts on them: they stay open, and
   * nobody is refused.
   */
  leave(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#isReplaced = true;
    for (const giveUp of this.#onReplaced) giveUp();
    void this.#leave();
  }

  /** Ends all threads, then the process. */
  stopNow(): void {
    this.#isDraining = true;
    this.#means.log.warn('Stopping at once; what is in flight is cut');
    void this.#stopNow();
  }

  async #drain(): Promise<void> {
    const { log, sockets, store } = this.#means;
    const drainMs = this.#means.drainMs();
    log.info('Draining: no new traffic, what runs is finished', { atMostMs: drainMs });
    await store?.announce('ending').catch(() => undefined);
    // Refuse first, then accept what had come before, then close: the other way round, connections
    // that the kernel had completed would be reset by the close.
    const refusing = sockets.refuse();
    await lastAccepts(this.#means.clock);
    const drained = this.#drained(drainMs, false);
    await refusing;
    await sockets.closeAll();
    await this.#endWhen(drained);
  }

  async #leave(): Promise<void> {
    const drainMs = this.#means.drainMs();
    this.#means.log.info('Leaving: a successor takes new traffic, what runs is finished', {
      atMostMs: drainMs,
    });
    // The successor may close listeners that it has not: their queues are still accepted here.
    await lastAccepts(this.#means.clock);
    await this.#endWhen(this.#drained(drainMs, true));
  }

  /** Resolves to false when the threads took longer than their deadline. */
  #drained(drainMs: number, isReplaced: boolean): Promise<boolean> {
    const drained = this.#means.crew.drain(drainMs, isReplaced).then(() => true);
    const late = this.#wait(drainMs + DRAIN_GRACE_MS).then(() => false);
    return Promise.race([drained, late]);
  }

  async #endWhen(drained: Promise<boolean>): Promise<void> {
    if (await drained) return await this.#end();
    this.#means.log.warn('The drain took longer than its limit');
    await this.#stopNow();
  }

  async #stopNow(): Promise<void> {
    await this.#means.store?.announce('ending').catch(() => undefined);
    const hasEnded = await this.#means.crew.stop();
    await this.#end();
    if (!hasEnded) endHard();
  }

  async #end(): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    const { crew, sockets, log, exit, close } = this.#means;
    await Promise.allSettled([...this.#beforeEnd.map((each) => each()), close()]);
    if (this.#isReplaced) sockets.release();
    else sockets.removeSocketFiles();
    log.info('Ended');
    if (crew.hasEnded) exit(ExitCode.DRAINED);
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#means.clock.after(ms, resolve);
    });
  }
}
