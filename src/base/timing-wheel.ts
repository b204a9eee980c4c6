import { invariant } from './invariant.ts';

/**
 * A timer that can be set and unset any number of times without allocating. Made once per link or
 * exchange and kept; `onTimer` may be replaced at any time.
 */
export class TimerEntry {
  onTimer: (nowMs: number) => void;
  /** When it was asked to fire; meaningful while scheduled. */
  dueAtMs = 0;
  /** The wheel's own: the tick that fires it, and its neighbours in the slot's circle. */
  dueTick = 0;
  previous: TimerEntry | null = null;
  next: TimerEntry | null = null;

  constructor(onTimer: (nowMs: number) => void) {
    this.onTimer = onTimer;
  }

  /**
   * True from `schedule` until it fires or is cancelled. Already false inside its own `onTimer`.
   */
  get isScheduled(): boolean {
    return this.next !== null;
  }
}

/**
 * Slots of the wheel. At 50 ms a turn takes 102 s, longer than nearly every time-out, so that an
 * entry is looked at once; longer ones are passed over once per turn.
 */
const SLOTS = 2048;
const SLOT_MASK = SLOTS - 1;

/**
 * All timers of one worker: a hashed wheel with rounds.
 *
 *   slot  0   1   2  …  2047          each slot is a circle through a sentinel:
 *         o   o   o      o            sentinel ⇄ entry ⇄ entry ⇄ (sentinel)
 *
 * Range: an entry fires in the first `advance` at or after its time, rounded up to a tick: never
 * early, late by at most a tick plus the distance of two `advance` calls. Cost: schedule and cancel
 * O(1), nothing allocated; advance O(ticks passed, at most one turn + entries in those slots).
 * Source: Varghese and Lauck, "Hashed and hierarchical timing wheels" (SOSP 1987), scheme 6.
 */
export class TimingWheel {
  readonly #tickMs: number;
  readonly #originMs: number;
  readonly #slots: TimerEntry[] = [];
  readonly #firing: TimerEntry;
  /** Ticks up to here have fired. */
  #tick = 0;
  #isAdvancing = false;
  #size = 0;

  constructor(tickMs: number, nowMs: number) {
    invariant(tickMs > 0 && Number.isFinite(nowMs), 'a wheel has a tick and a start');
    this.#tickMs = tickMs;
    this.#originMs = nowMs;
    for (let slot = 0; slot < SLOTS; slot++) this.#slots.push(sentinel());
    this.#firing = sentinel();
  }

  /** Entries scheduled now. */
  get size(): number {
    return this.#size;
  }

  /**
   * When `advance` next has something to look at; infinite while nothing is scheduled. Cost: one look per
   * tick up to there, at most a turn.
   */
  nextDueMs(): number {
    if (this.#size === 0) return Number.POSITIVE_INFINITY;
    for (let ahead = 1; ahead <= SLOTS; ahead++) {
      const slot = this.#slots[(this.#tick + ahead) & SLOT_MASK]!;
      if (slot.next !== slot) return this.#originMs + (this.#tick + ahead) * this.#tickMs;
    }
    return this.#originMs + (this.#tick + SLOTS) * this.#tickMs;
  }

  /**
   * Sets the entry to fire at `atMs`, wherever it was set before. A time that has passed fires in
   * the next tick.
   */
  schedule(entry: TimerEntry, atMs: number): void {
    // `<` is also false for NaN, which would otherwise sit in slot 0 for ever.
    invariant(atMs < Number.MAX_SAFE_INTEGER, 'a timer has a finite time');
    if (entry.next !== null) unlink(entry);
    else this.#size++;
    entry.dueAtMs = atMs;
    const tick = Math.ceil((atMs - this.#originMs) / this.#tickMs);
    // Not the tick that is firing now: an entry that sets itself again at once would never let it
    // end.
    entry.dueTick = tick > this.#tick ? tick : this.#tick + 1;
    linkBefore(entry, this.#slots[entry.dueTick & SLOT_MASK]!);
  }

  /** Unsets the entry; nothing happens when it is not set. */
  cancel(entry: TimerEntry): void {
    if (entry.next === null) return;
    unlink(entry);
    this.#size--;
  }

  /**
   * Fires everything due at `nowMs`. Callbacks may schedule and cancel any entry, also those due in
   * this very call.
   */
  advance(nowMs: number): void {
    invariant(!this.#isAdvancing, 'a timer does not advance its own wheel');
    const target = Math.floor((nowMs - this.#originMs) / this.#tickMs);
    if (target <= this.#tick) return;
    const first = Math.max(this.#tick + 1, target - SLOTS + 1);
    // Set before anything fires, so that `schedule` in a callback goes behind this call.
    this.#tick = target;
    if (this.#size === 0) return;
    this.#isAdvancing = true;
    for (let tick = first; tick <= target; tick++) {
      this.#fire(this.#slots[tick & SLOT_MASK]!, target, nowMs);
    }
    this.#isAdvancing = false;
  }

  /**
   * Moves the slot's circle aside before any callback runs: whatever they link goes into the slot,
   * and whatever they cancel leaves the circle through its own neighbours.
   */
  #fire(slot: TimerEntry, target: number, nowMs: number): void {
    if (slot.next === slot) return;
    const firing = this.#firing;
    firing.next = slot.next;
    firing.previous = slot.previous;
    firing.next!.previous = firing;
    firing.previous!.next = firing;
    slot.next = slot;
    slot.previous = slot;
    while (firing.next !== firing) {
      const entry = firing.next!;
      unlink(entry);
      if (entry.dueTick > target) {
        linkBefore(entry, slot);
        continue;
      }
      this.#size--;
      entry.onTimer(nowMs);
    }
  }
}

function sentinel(): TimerEntry {
  const entry = new TimerEntry(() => {});
  entry.next = entry;
  entry.previous = entry;
  return entry;
}

function unlink(entry: TimerEntry): void {
  const next = entry.next!;
  const previous = entry.previous!;
  next.previous = previous;
  previous.next = next;
  entry.next = null;
  entry.previous = null;
}

function linkBefore(entry: TimerEntry, position: TimerEntry): void {
  const previous = position.previous!;
  entry.next = position;
  entry.previous = previous;
  previous.next = entry;
  position.previous = entry;
}
