import type { RunningTimer } from '../../platform/clock.ts';
import type { LineStream } from '../../platform/http-client.ts';
import type { RunningSource, SourceMeans, SourceSink } from './source.ts';

/** After an end: half a second, doubling to 10 s. */
const RETRY_MS = 500;
const RETRY_MS_MAX = 10_000;

/** Keeps a stream open: after each end it is opened anew, with a growing pause while nothing works. */
export class StreamRetry {
  readonly #means: SourceMeans;
  readonly #sink: SourceSink;
  readonly #open: (end: (why: string) => void) => LineStream;
  #stream: LineStream | null = null;
  #timer: RunningTimer | null = null;
  #failures = 0;
  #hasWorked = false;
  #isStopped = false;

  /** `open` opens the stream; it calls `end` once when that is over. */
  constructor(
    means: SourceMeans,
    sink: SourceSink,
    open: (end: (why: string) => void) => LineStream,
  ) {
    this.#means = means;
    this.#sink = sink;
    this.#open = open;
  }

  start(): RunningSource {
    this.#again();
    return {
      stop: () => {
        this.#isStopped = true;
        this.#timer?.stop();
        this.#stream?.stop();
      },
    };
  }

  /** Runs what tells the sink, unless the source was stopped meanwhile. */
  tell(say: () => void): void {
    if (!this.#isStopped) say();
  }

  /** The stream works: the next pause is the shortest again. */
  succeeded(): void {
    this.#failures = 0;
    this.#hasWorked = true;
  }

  /** Something went wrong: says so, ends the stream and opens another one later. */
  failed(why: string): void {
    if (this.#isStopped) return;
    this.#sink.failed(why);
    this.#ended();
  }

  #again(): void {
    let isOver = false;
    this.#hasWorked = false;
    this.#stream = this.#open((why) => {
      if (isOver) return;
      isOver = true;
      // A stream that worked until now is no failure yet: what it told holds until the next try.
      if (this.#hasWorked) this.#ended();
      else this.failed(why);
    });
  }

  #ended(): void {
    this.#stream?.stop();
    this.#stream = null;
    this.#timer?.stop();
    if (this.#isStopped) return;
    const delayMs = Math.min(RETRY_MS * 2 ** Math.min(this.#failures, 8), RETRY_MS_MAX);
    this.#failures++;
    this.#timer = this.#means.clock.after(delayMs * (1 - this.#means.random() / 10), () => {
      this.#timer = null;
      this.#again();
    });
  }
}
