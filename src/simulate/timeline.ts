import { invariant } from '../base/invariant.ts';

/** Something that happens at a time. One object may be scheduled again after it has fired. */
export abstract class TimedEvent {
  /** When it fires, µs since the start. The timeline's own while it waits. */
  atUs = 0;
  /** Events of one time fire in the order in which they were scheduled. */
  order = 0;

  abstract fire(): void;
}

/** An event that runs a function: for what is rare. */
export class CallEvent extends TimedEvent {
  isStopped = false;
  readonly #run: () => void;

  constructor(run: () => void) {
    super();
    this.#run = run;
  }

  override fire(): void {
    if (!this.isStopped) this.#run();
  }
}

/**
 * Simulated time: a heap of events. Whole µs, so that sums of durations are exact and runs of equal
 * seeds are equal. Cost: O(log waiting) per event.
 */
export class Timeline {
  /** Now, µs since the start. */
  nowUs = 0;
  /** Events fired so far. */
  steps = 0;
  readonly #heap: TimedEvent[] = [];
  #order = 0;

  /** Events that wait. */
  get waiting(): number {
    return this.#heap.length;
  }

  /** Lets an event fire `delayUs` from now (rounded, at least 0). */
  schedule(delayUs: number, event: TimedEvent): void {
    this.scheduleAt(this.nowUs + Math.max(0, Math.round(delayUs)), event);
  }

  /** Lets an event fire at a time that is not before now. */
  scheduleAt(atUs: number, event: TimedEvent): void {
    invariant(atUs >= this.nowUs, 'nothing happens in the past');
    event.atUs = atUs;
    event.order = this.#order++;
    this.#rise(event);
  }

  /** Calls `run` once; the event given back may be stopped. */
  call(delayUs: number, run: () => void): CallEvent {
    const event = new CallEvent(run);
    this.schedule(delayUs, event);
    return event;
  }

  /** Fires the next event when it is due by `untilUs`; false when there is none. */
  step(untilUs: number): boolean {
    const next = this.#heap[0];
    if (next === undefined || next.atUs > untilUs) return false;
    const last = this.#heap.pop()!;
    if (last !== next) this.#sink(last);
    this.nowUs = next.atUs;
    this.steps++;
    next.fire();
    return true;
  }

  #rise(event: TimedEvent): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parentAt = (at - 1) >>> 1;
      const parent = heap[parentAt]!;
      if (!isBefore(event, parent)) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = event;
  }

  /** Puts `event` in the place of the one that was taken from the top. */
  #sink(event: TimedEvent): void {
    const heap = this.#heap;
    const count = heap.length;
    let at = 0;
    for (;;) {
      let childAt = 2 * at + 1;
      if (childAt >= count) break;
      if (childAt + 1 < count && isBefore(heap[childAt + 1]!, heap[childAt]!)) childAt++;
      if (!isBefore(heap[childAt]!, event)) break;
      heap[at] = heap[childAt]!;
      at = childAt;
    }
    heap[at] = event;
  }
}

function isBefore(one: TimedEvent, other: TimedEvent): boolean {
  return one.atUs < other.atUs || (one.atUs === other.atUs && one.order < other.order);
}
