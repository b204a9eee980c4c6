import { RingBuffer } from '../base/ring-buffer.ts';
import type { Probe } from '../model/snapshot.ts';
import { calmMs, holdMs } from './hold.ts';

/** The part of a probe's configuration that its verdict depends on. */
export type ProbeRules = Pick<
  Probe,
  | 'intervalMs'
  | 'fastIntervalMs'
  | 'downIntervalMs'
  | 'rise'
  | 'fall'
  | 'jitterRatio'
  | 'startState'
> & {
  /** A server's own word counts at once, whatever it said before. */
  readonly isItsOwnWord: boolean;
};

/** One ended probe. */
export interface ProbeResult {
  /** When it ended, in ms of the caller's clock. */
  readonly atMs: number;
  readonly isPass: boolean;
  /** In words: `status 200`, `connect-refused`, `no answer in 2000 ms`. */
  readonly reason: string;
  readonly durationMs: number;
}

/** The verdict has changed. */
export interface ProbeChange {
  readonly isUp: boolean;
  readonly atMs: number;
  readonly reason: string;
}

/** Results kept for people, of each server. */
const HISTORY_MAX = 20;

/**
 * Verdict of one server's probe.
 *
 *              first pass (rise does not count yet)
 *   starting ───────────────────────────────▶ up ◀──────────────┐
 *      │ `fall` failures: down, until           │ `fall` failures │ `rise` passes
 *      ▼ the first pass all the same            ▼                │
 *    down (never passed)                      down ─────────────┘
 *
 * A server that went down several times lately must in addition pass for `holdMs` without a break.
 * With `startState: up` a server starts up and needs `fall` failures to go down. A probe is due
 * after `fastIntervalMs` while a series against the verdict runs and, at the start, until the first
 * pass or `fall` failures; after `downIntervalMs` while it is down.
 */
export class ProbeVerdict {
  /** Does the probe say that the server takes traffic? */
  isUp: boolean;
  /** Since when, in ms of the caller's clock. */
  changedAtMs: number;
  /** Why, in words. */
  reason: string;
  /** When the next probe is due. The first one at once. */
  nextAtMs: number;
  #rules: ProbeRules;
  readonly #random: () => number;
  readonly #history: RingBuffer<ProbeResult> = new RingBuffer<ProbeResult>(HISTORY_MAX);
  #hasEverPassed = false;
  /** Results in a row alike, and what they were. */
  #streak = 0;
  #isStreakOfPasses = false;
  /** When the streak began. */
  #streakSinceMs = 0;
  /** How often it went down lately. */
  #downs = 0;

  constructor(rules: ProbeRules, nowMs: number, random: () => number) {
    this.#rules = rules;
    this.#random = random;
    this.isUp = rules.startState === 'up';
    this.changedAtMs = nowMs;
    this.reason = 'not probed yet';
    this.nextAtMs = nowMs;
  }

  /** Takes over the verdict of another process, which had probed the same server. */
  restore(isUp: boolean, reason: string): void {
    this.isUp = isUp;
    this.reason = reason;
    this.#hasEverPassed = isUp;
  }

  /** The last results, oldest first. */
  history(): ProbeResult[] {
    return this.#history.toArray();
  }

  /** Results in a row alike: positive for passes, negative for failures. */
  get streak(): number {
    return this.#isStreakOfPasses ? this.#streak : -this.#streak;
  }

  /**
   * Takes over changed rules: verdict, series and history stay, the next probe comes at the new
   * interval at the latest.
   */
  reconfigure(rules: ProbeRules, nowMs: number): void {
    this.#rules = rules;
    this.nextAtMs = Math.min(this.nextAtMs, nowMs + this.#intervalMs());
  }

  /**
   * Takes a result; returns the change of the verdict that it brought, or null. Sets `nextAtMs` in
   * any case.
   */
  record(result: ProbeResult): ProbeChange | null {
    this.#history.push(result);
    const goesOn = this.#streak > 0 && this.#isStreakOfPasses === result.isPass;
    this.#streak = goesOn ? this.#streak + 1 : 1;
    if (!goesOn) this.#streakSinceMs = result.atMs;
    this.#isStreakOfPasses = result.isPass;
    const change = this.#judge(result);
    if (result.isPass) this.#hasEverPassed = true;
    this.nextAtMs = result.atMs + this.#intervalMs();
    return change;
  }

  /** Passes in a row that a server that is down still needs, ≥ 1: one suffices at the start. */
  get passesLeft(): number {
    if (!this.#hasEverPassed && this.#rules.startState === 'down') return 1;
    return Math.max(1, this.#rules.rise - Math.max(0, this.streak));
  }

  /** When it can be up again at the earliest, if every probe from now on passes; for one that is down. */
  get upAtMs(): number {
    const { fastIntervalMs, downIntervalMs } = this.#rules;
    const stepMs = Math.min(fastIntervalMs, downIntervalMs);
    const passedAtMs = this.nextAtMs + (this.passesLeft - 1) * stepMs;
    const steadySinceMs = this.streak > 0 ? this.#streakSinceMs : this.nextAtMs;
    return Math.max(passedAtMs, steadySinceMs + this.holdMs);
  }

  #judge({ isPass, atMs, reason }: ProbeResult): ProbeChange | null {
    if (isPass === this.isUp) {
      // A verdict that stands since before the first probe gets its words from what was found.
      if (!this.#hasEverPassed) this.reason = reason;
      return null;
    }
    const isFirstPass = isPass && !this.#hasEverPassed && this.#rules.startState === 'down';
    const needed = isPass ? this.#rules.rise : this.#rules.fall;
    if (!isFirstPass && this.#streak < needed) return null;
    if (isPass && atMs - this.#streakSinceMs < this.holdMs) return null;
    if (!isPass) this.#countDown(atMs);
    this.isUp = isPass;
    this.changedAtMs = atMs;
    this.reason = reason;
    return { isUp: isPass, atMs, reason };
  }

  #countDown(atMs: number): void {
    // Calm is time spent up, which began when the verdict last changed.
    const decayed = Math.floor((atMs - this.changedAtMs) / calmMs);
    this.#downs = Math.max(0, this.#downs - decayed) + 1;
  }

  /** How long it must pass without a break before it is up again, ms; 0 while it is up. */
  get holdMs(): number {
    return this.isUp || this.#rules.isItsOwnWord ? 0 : holdMs(this.#downs);
  }

  #intervalMs(): number {
    const { intervalMs, fastIntervalMs, downIntervalMs, jitterRatio, fall } = this.#rules;
    const isAgainst = this.#streak > 0 && this.#isStreakOfPasses !== this.isUp;
    const isStarting = !this.#hasEverPassed && this.#streak < fall;
    const steadyMs = this.isUp ? intervalMs : downIntervalMs;
    const baseMs = isAgainst || isStarting ? Math.min(steadyMs, fastIntervalMs) : steadyMs;
    // Half before, half behind: the mean stays the configured interval.
    return baseMs * (1 + jitterRatio * (this.#random() - 0.5));
  }
}
