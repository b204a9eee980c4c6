/** The result of long work, done in slices with turns of the event loop in between. Rejects with what it throws. */
export async function inSlices<T>(steps: Iterator<void, T>, sliceMs: number): Promise<T> {
  for (;;) {
    const untilMs = performance.now() + sliceMs;
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (performance.now() < untilMs);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/**
 * Runs long work of a thread in slices, each in a turn of the event loop of its own, so that other events get
 * their turn in between. One work at a time: a new one takes the place of one that has not ended.
 */
export class SlicedWork {
  readonly #sliceMs: number;
  #steps: Iterator<void> | null = null;
  #isScheduled = false;

  constructor(sliceMs: number) {
    this.#sliceMs = sliceMs;
  }

  /** Begins at once; what fits into one slice is done when this returns. */
  begin(steps: Iterator<void>): void {
    this.#steps = steps;
    if (!this.#isScheduled) this.#slice();
  }

  #slice(): void {
    this.#isScheduled = false;
    const steps = this.#steps;
    if (steps === null) return;
    const untilMs = performance.now() + this.#sliceMs;
    do {
      if (steps.next().done !== true) continue;
      this.#steps = null;
      return;
    } while (performance.now() < untilMs);
    this.#isScheduled = true;
    setImmediate(() => this.#slice());
  }
}
