/** Takes a timer back; harmless after it ran. */
export type CancelTimer = () => void;

/** Time for the control plane, given from outside so that tests can turn the clock by hand. */
export interface Timers {
  /** Monotonic, ms. */
  now(): number;
  /** Epoch, ms: for people and logs only, it may jump. */
  wallClock(): number;
  /** Calls `run` once after `delayMs`. Pending timers do not keep the process alive. */
  after(delayMs: number, run: () => void): CancelTimer;
}
