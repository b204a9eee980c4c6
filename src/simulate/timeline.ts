import { invariant } from '../base/invariant.ts';

/** Something that happens at a time. One object may be scheduled again after it has fired. */
export abstract class TimedEvent {
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

/** Events that a heap has room for at first; it doubles. */
const ROOM = 1024;

/**
 * Simulated time: a heap of events. Whole µs, so that sums of durations are exact and runs of equal
 * seeds are equal. Cost: O(log waiting) per event; the keys stand in arrays of numbers beside the
 * events, which are of many shapes and far apart in memory (a third less time than looking into them).
 */
export class Timeline {
  /** Now, µs since the start. */
  nowUs = 0;
  /** Events fired so far. */
  steps = 0;
  readonly #events: TimedEvent[] = [];
  #times = new Float64Array(ROOM);
  #orders = new Float64Array(ROOM);
  #count = 0;
  #order = 0;

  /** Events that wait. */
  get waiting(): number {
    return this.#count;
  }

  /** Lets an event fire `delayUs` from now (rounded, at least 0). */
  schedule(delayUs: number, event: TimedEvent): void {
    this.scheduleAt(this.nowUs + Math.max(0, Math.round(delayUs)), event);
  }

  /** Lets an event fire at a time that is not before now. */
  scheduleAt(atUs: number, event: TimedEvent): void {
    invariant(atUs >= this.nowUs, 'nothing happens in the past');
    const at = this.#count++;
    if (at === this.#times.length) this.#grow();
    this.#rise(at, atUs, this.#order++, event);
  }

  /** Calls `run` once; the event given back may be stopped. */
  call(delayUs: number, run: () => void): CallEvent {
    const event = new CallEvent(run);
    this.schedule(delayUs, event);
    return event;
  }

  /** Fires the next event when it is due by `untilUs`; false when there is none. */
  step(untilUs: number): boolean {
    if (this.#count === 0) return false;
    const atUs = this.#times[0]!;
    if (atUs > untilUs) return false;
    const next = this.#events[0]!;
    const last = --this.#count;
    const event = this.#events.pop()!;
    if (last > 0) this.#sink(this.#times[last]!, this.#orders[last]!, event);
    this.nowUs = atUs;
    this.steps++;
    next.fire();
    return true;
  }

  #grow(): void {
    const times = this.#times;
    const orders = this.#orders;
    this.#times = new Float64Array(times.length * 2);
    this.#orders = new Float64Array(times.length * 2);
    this.#times.set(times);
    this.#orders.set(orders);
  }

  /** Puts an event into the free place at the end, and up from there. Orders only grow: equal times stay behind. */
  #rise(from: number, atUs: number, order: number, event: TimedEvent): void {
    const events = this.#events;
    const times = this.#times;
    const orders = this.#orders;
    let at = from;
    while (at > 0) {
      const parentAt = (at - 1) >>> 1;
      if (times[parentAt]! <= atUs) break;
      events[at] = events[parentAt]!;
      times[at] = times[parentAt]!;
      orders[at] = orders[parentAt]!;
      at = parentAt;
    }
    events[at] = event;
    times[at] = atUs;
    orders[at] = order;
  }

  /** Puts an event in the place of the one that was taken from the top. */
  #sink(atUs: number, order: number, event: TimedEvent): void {
    const events = this.#events;
    const times = this.#times;
    const orders = this.#orders;
    const count = this.#count;
    let at = 0;
    for (;;) {
      let childAt = 2 * at + 1;
      if (childAt >= count) break;
      let childUs = times[childAt]!;
      if (childAt + 1 < count) {
        const otherUs = times[childAt + 1]!;
        const isBefore =
          otherUs === childUs ? orders[childAt + 1]! < orders[childAt]! : otherUs < childUs;
        if (isBefore) {
          childAt++;
          childUs = otherUs;
        }
      }
      if (childUs > atUs || (childUs === atUs && orders[childAt]! > order)) break;
      events[at] = events[childAt]!;
      times[at] = childUs;
      orders[at] = orders[childAt]!;
      at = childAt;
    }
    events[at] = event;
    times[at] = atUs;
    orders[at] = order;
  }
}
