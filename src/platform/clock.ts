/** A running timer. Stopping twice is harmless. */
export interface RunningTimer {
  stop(): void;
}

/** Time as control code sees it; tests give one of their own. */
export interface Clock {
  /**
   * Monotonic ms with fractions; its zero is arbitrary but the same for all threads of the process.
   */
  nowMs(): number;
  /** Ms of the epoch. */
  wallMs(): number;
  /** Calls once after `afterMs`. A timer alone does not keep the process alive. */
  after(afterMs: number, onTimer: () => void): RunningTimer;
  /** Calls every `everyMs`. A timer alone does not keep the process alive. */
  every(everyMs: number, onTimer: () => void): RunningTimer;
}

/** Longest delay that Node's timers take; a longer one would fire at once. */
const DELAY_MS_MAX = 2_147_483_647;

const processStartMs = performance.timeOrigin;

/**
 * Ms of the process clock for heartbeats, wrapped to 31 bits. Threads have clocks of their own
 * beginning; adding each one's origin makes them one.
 */
export function heartbeatMs(): number {
  return (Math.floor(processStartMs + performance.now()) % 0x80000000) | 0;
}

/** How old a heartbeat is, in ms; 0 for one from the future (origins differ by fractions). */
export function heartbeatAgeMs(nowWord: number, beatWord: number): number {
  const age = (nowWord - beatWord) & 0x7fffffff;
  return age > 0x3fffffff ? 0 : age;
}

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (afterMs, onTimer) => {
    const timer = setTimeout(onTimer, Math.min(afterMs, DELAY_MS_MAX));
    timer.unref();
    return { stop: () => clearTimeout(timer) };
  },
  every: (everyMs, onTimer) => {
    const timer = setInterval(onTimer, Math.min(everyMs, DELAY_MS_MAX));
    timer.unref();
    return { stop: () => clearInterval(timer) };
  },
};
