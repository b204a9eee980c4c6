import { RingBuffer } from '../base/ring-buffer.ts';
import type { Breaker } from '../model/snapshot.ts';
import { TrafficWindow } from './traffic-window.ts';

/** Words of a pool's breaker in shared memory; above 1: half open with so many trials left, and one. */
const CLOSED = 0;
const OPEN = -1;
const CHANGES_MAX = 20;

/** A change of a breaker, in ms of the caller's clock. */
export interface BreakerChange {
  readonly atMs: number;
  readonly state: 'closed' | 'open' | 'half-open';
  readonly why: string;
}

/** What a breaker says to an exchange that wants to go to its pool. */
export const Admission = {
  REFUSED: 0,
  PASSES: 1,
  /** It passes as one of the trials of a half-open breaker. */
  TRIAL: 2,
} as const;

/**
 * May an exchange go to the pool? Takes one of the trials while the breaker is half open; returns an
 * `Admission`. Cost: one atomic read while it is closed.
 */
export function admission(words: Int32Array, pool: number): number {
  let state = Atomics.load(words, pool);
  while (state > 1) {
    const found = Atomics.compareExchange(words, pool, state, state - 1);
    if (found === state) return Admission.TRIAL;
    state = found;
  }
  return state === CLOSED ? Admission.PASSES : Admission.REFUSED;
}

/** The pool takes nothing now: for exchanges that took a trial and wait for a place. */
export function isBreakerOpen(words: Int32Array, pool: number): boolean {
  return Atomics.load(words, pool) === OPEN;
}

/**
 * The circuit breaker of one pool. Pure: control feeds it the pool's counters ten times per window and
 * writes the word that it gives.
 *
 *   closed ──too many attempts of the window fail──▶ open ──its time is over──▶ half open
 *      ▲                                               ▲                           │
 *      └────────── enough trials end well ─────────────┼───────────────────────────┤
 *                                                      └── too many of them fail ──┘
 */
export class CircuitBreaker {
  #rules: Breaker;
  #state: BreakerChange['state'] = 'closed';
  #window = new TrafficWindow();
  #sinceMs = 0;
  #goodAtTrials = 0;
  #faultsAtTrials = 0;
  readonly #changes: RingBuffer<BreakerChange> = new RingBuffer<BreakerChange>(CHANGES_MAX);

  constructor(rules: Breaker) {
    this.#rules = rules;
  }

  configure(rules: Breaker): void {
    this.#rules = rules;
  }

  get state(): BreakerChange['state'] {
    return this.#state;
  }

  /** The last changes, oldest first. */
  get changes(): readonly BreakerChange[] {
    return this.#changes.toArray();
  }

  /**
   * Looks at the counters of all of the pool's attempts. `word`: the breaker's as workers left it.
   * Returns the word to write, or null when it stays.
   */
  look(nowMs: number, good: number, faults: number, word: number): number | null {
    this.#window.take(good, faults);
    if (this.#state === 'closed') return this.#lookClosed(nowMs);
    if (this.#state === 'open') {
      if (nowMs - this.#sinceMs < this.#rules.openMs) return null;
      return this.#try(nowMs, good, faults, 'its time is over');
    }
    return this.#lookTrials(nowMs, good, faults, word);
  }

  #lookClosed(nowMs: number): number | null {
    const { good, faults } = this.#window;
    const attempts = good + faults;
    const { volumeMin, errorsRatio } = this.#rules;
    if (attempts < volumeMin || faults < attempts * errorsRatio) return null;
    return this.#open(nowMs, `${faults} of the last ${attempts} attempts failed`);
  }

  #lookTrials(nowMs: number, good: number, faults: number, word: number): number | null {
    const { trials, errorsRatio, openMs } = this.#rules;
    const failed = Math.max(0, faults - this.#faultsAtTrials);
    const ended = failed + Math.max(0, good - this.#goodAtTrials);
    if (failed > 0 && failed >= trials * errorsRatio) {
      return this.#open(nowMs, `${failed} of ${ended} trials failed`);
    }
    if (ended >= trials) {
      this.#window.restart();
      this.#note(nowMs, 'closed', `${ended - failed} of ${ended} trials ended well`);
      return CLOSED;
    }
    const areSpent = word <= 1 && nowMs - this.#sinceMs >= openMs;
    return areSpent ? this.#try(nowMs, good, faults, 'the trials have not ended') : null;
  }

  #open(nowMs: number, why: string): number {
    this.#note(nowMs, 'open', `${why}; open for ${this.#rules.openMs / 1000} s`);
    return OPEN;
  }

  #try(nowMs: number, good: number, faults: number, why: string): number {
    this.#goodAtTrials = good;
    this.#faultsAtTrials = faults;
    this.#note(nowMs, 'half-open', `${why}: ${this.#rules.trials} requests try it`);
    return this.#rules.trials + 1;
  }

  #note(atMs: number, state: BreakerChange['state'], why: string): void {
    this.#state = state;
    this.#sinceMs = atMs;
    this.#changes.push({ atMs, state, why });
  }
}
