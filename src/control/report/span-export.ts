import { limits } from '../../model/limits.ts';
import type { Span } from '../../model/spans.ts';
import type { Clock, RunningTimer } from '../../platform/clock.ts';
import type { SpanReceiver } from '../../platform/otlp.ts';
import type { TracingStatus } from './status.ts';

/** What an exporter needs of the outside. */
export interface SpanExportMeans {
  readonly clock: Clock;
  /** `openSpanReceiver` of platform/otlp.ts, aimed. */
  readonly open: () => Promise<SpanReceiver>;
  /** A line for the process log: the first failure of a row, and that it is over. */
  report(message: string): void;
}

/** A batch leaves when it has so many spans, or so long after its first. */
const BATCH_SPANS = 512;
const BATCH_MS = 1_000;
/** How many batches are on their way at a time. */
const SENDS_MAX = 2;
/** How long `close` waits for what is on its way. */
const CLOSE_MS = 2_000;

/**
 * Sends spans in batches. A receiver that is slow or down holds up nothing: `limits.spansWaiting` wait, above that
 * they are dropped and counted, as are those of a batch that was not taken.
 */
export class SpanExport {
  readonly #means: SpanExportMeans;
  #waiting: Span[] = [];
  #receiver: SpanReceiver | null = null;
  #timer: RunningTimer | null = null;
  #sends = 0;
  #sent = 0;
  #dropped = 0;
  #error: string | null = null;
  #isClosed = false;
  #onIdle: (() => void) | null = null;

  constructor(means: SpanExportMeans) {
    this.#means = means;
    means.open().then(
      (receiver) => {
        this.#receiver = receiver;
        this.#pump();
      },
      (error: unknown) => this.#note(String(error)),
    );
  }

  get status(): TracingStatus {
    const { length } = this.#waiting;
    return { sent: this.#sent, waiting: length, dropped: this.#dropped, error: this.#error };
  }

  /** Spans that may still be added. */
  get room(): number {
    return this.#isClosed ? 0 : limits.spansWaiting - this.#waiting.length;
  }

  add(spans: readonly Span[], dropped: number): void {
    this.#dropped += dropped;
    const { room } = this;
    for (const span of spans.slice(0, room)) this.#waiting.push(span);
    this.#dropped += Math.max(spans.length - room, 0);
    if (this.#waiting.length >= BATCH_SPANS) this.#pump();
    else this.#pumpLater();
  }

  /** Sends what waits, for at most two seconds. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      this.#means.clock.after(CLOSE_MS, resolve);
      this.#pump();
    });
    this.#dropped += this.#waiting.length;
    this.#waiting = [];
    // What is on its way still may take its ten seconds: nobody waits for that.
    void this.#receiver?.close();
  }

  #pumpLater(): void {
    if (this.#waiting.length === 0) return;
    this.#timer ??= this.#means.clock.after(BATCH_MS, () => {
      this.#timer = null;
      this.#pump();
    });
  }

  #pump(): void {
    const receiver = this.#receiver;
    while (receiver !== null && this.#waiting.length > 0 && this.#sends < SENDS_MAX) {
      const batch = this.#waiting.splice(0, BATCH_SPANS);
      this.#sends++;
      receiver.send(batch, (why) => {
        this.#sends--;
        if (why === null) this.#sent += batch.length;
        else this.#dropped += batch.length;
        this.#note(why);
        this.#pump();
      });
    }
    if (this.#waiting.length === 0 && this.#sends === 0) this.#onIdle?.();
  }

  #note(why: string | null): void {
    const wasFailing = this.#error !== null;
    this.#error = why;
    if (why !== null && !wasFailing) {
      this.#means.report(`Cannot send spans as their receiver must take them: ${why}`);
    } else if (why === null && wasFailing) {
      this.#means.report(`spans are taken again, ${this.#dropped} dropped so far`);
    }
  }
}
