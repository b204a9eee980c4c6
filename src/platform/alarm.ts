/** One system timer that is set anew each time and keeps no process alive. */
export class Alarm {
  #timer: NodeJS.Timeout | undefined;

  set(ms: number, run: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(run, ms);
    this.#timer.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
