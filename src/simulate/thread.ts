import type { Clock, RunningTimer } from '../platform/clock.ts';
import { TimedEvent, type Timeline } from './timeline.ts';

/** Where the simulated wall clock begins: a round time that is recognised in a log. */
const EPOCH_MS = Date.UTC(2026, 0, 1);

/**
 * One thread of the balancer on the timeline. While it is stalled nothing reaches it; what fell due
 * meanwhile comes in order afterwards, as from a kernel.
 */
export class SimulatedThread {
  readonly timeline: Timeline;
  #stalledUntilUs = 0;

  constructor(timeline: Timeline) {
    this.timeline = timeline;
  }

  /** Stands still for so long from now on. */
  stall(forUs: number): void {
    this.#stalledUntilUs = this.timeline.nowUs + forUs;
  }

  /** When the thread can take the event that fires now; not later than now when it can at once. */
  get freeAtUs(): number {
    return this.#stalledUntilUs;
  }

  /** Does something in this thread's turn after `delayUs`. */
  after(delayUs: number, run: () => void): ThreadCall {
    const call = new ThreadCall(this, run);
    this.timeline.schedule(delayUs, call);
    return call;
  }
}

/** What reaches a thread of the balancer: put off while that thread is stalled. */
export abstract class ThreadEvent extends TimedEvent {
  protected readonly thread: SimulatedThread;

  constructor(thread: SimulatedThread) {
    super();
    this.thread = thread;
  }

  override fire(): void {
    const { timeline, freeAtUs } = this.thread;
    if (freeAtUs > timeline.nowUs) timeline.scheduleAt(freeAtUs, this);
    else this.run();
  }

  protected abstract run(): void;
}

/** A call that can be stopped. */
class ThreadCall extends ThreadEvent implements RunningTimer {
  #isStopped = false;
  readonly #call: () => void;

  constructor(thread: SimulatedThread, call: () => void) {
    super(thread);
    this.#call = call;
  }

  stop(): void {
    this.#isStopped = true;
  }

  protected override run(): void {
    if (!this.#isStopped) this.#call();
  }
}

/** The clock of one thread: `Clock` of the platform on simulated time. */
export class SimulatedClock implements Clock {
  /** How far the wall clock was set forward or back, ms. */
  wallOffsetMs = 0;
  readonly #thread: SimulatedThread;

  constructor(thread: SimulatedThread) {
    this.#thread = thread;
  }

  nowMs(): number {
    return this.#thread.timeline.nowUs / 1000;
  }

  wallMs(): number {
    return EPOCH_MS + this.nowMs() + this.wallOffsetMs;
  }

  after(afterMs: number, onTimer: () => void): RunningTimer {
    return this.#thread.after(afterMs * 1000, onTimer);
  }

  every(everyMs: number, onTimer: () => void): RunningTimer {
    let timer: RunningTimer;
    const again = (): void => {
      timer = this.after(everyMs, again);
      onTimer();
    };
    timer = this.after(everyMs, again);
    return { stop: () => timer.stop() };
  }
}
