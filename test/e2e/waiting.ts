import { setTimeout as pause } from 'node:timers/promises';

/** How often a condition is looked at, ms. */
const LOOK_MS = 20;

/**
 * Resolves with the first value of `look` that is neither false nor null nor undefined.
 * Errors: throws `what` with the last error when `deadlineMs` have passed. This is how these tests wait: for
 * a condition, never for time.
 */
export async function until<T>(
  what: string,
  deadlineMs: number,
  look: () => T | Promise<T>,
): Promise<NonNullable<T>> {
  const end = performance.now() + deadlineMs;
  let lastError: unknown = null;
  for (;;) {
    try {
      const value = await look();
      if (value !== false && value !== null && value !== undefined) return value as NonNullable<T>;
      lastError = null;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() > end) {
      throw new Error(`waited ${deadlineMs} ms for: ${what}`, { cause: lastError });
    }
    await pause(LOOK_MS);
  }
}

/** Rejects with `what` when `promise` has not settled after `deadlineMs`. */
export async function within<T>(what: string, deadlineMs: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${deadlineMs} ms: ${what}`)), deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
