import type { ConfigTracing } from '../control/config/config.ts';
import { readSpans } from '../control/report/read-spans.ts';
import { SpanExport } from '../control/report/span-export.ts';
import type { TracingStatus } from '../control/report/status.ts';
import { type SpanBatch, spanNumbers } from '../model/spans.ts';
import type { Clock } from '../platform/clock.ts';
import { openSpanReceiver } from '../platform/otlp.ts';
import type { ProcessLog } from './process-log.ts';
import { version } from './version.ts';

/** Where the workers' spans go; follows the configuration. Without one it is nothing. */
export class TraceSink {
  readonly #clock: Clock;
  readonly #log: ProcessLog;
  #target = '';
  #export: SpanExport | null = null;
  /** Of exports that a reload replaced. */
  #sentBefore = 0;
  #droppedBefore = 0;

  constructor(clock: Clock, log: ProcessLog) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Null while nothing is traced. */
  get status(): TracingStatus | null {
    if (this.#export === null) return null;
    const { sent, dropped, ...present } = this.#export.status;
    return { ...present, sent: sent + this.#sentBefore, dropped: dropped + this.#droppedBefore };
  }

  /** Sends to what the configuration says from now on; what waits for another receiver still goes there. */
  use(tracing: ConfigTracing | null): void {
    const { otlp = '', headers = {}, service = '' } = tracing ?? {};
    const target = tracing === null ? '' : JSON.stringify([otlp, headers, service]);
    if (target === this.#target) return;
    this.#target = target;
    const before = this.#export;
    if (before !== null) {
      void before.close().then(() => {
        this.#sentBefore += before.status.sent;
        this.#droppedBefore += before.status.dropped;
      });
    }
    this.#export = null;
    if (tracing === null) return;
    this.#export = new SpanExport({
      clock: this.#clock,
      open: () => openSpanReceiver({ url: otlp, headers, service, version }),
      report: (message) => this.#log.warn(`tracing: ${message}`),
    });
  }

  /** A batch of a worker. */
  write(batch: SpanBatch): void {
    if (this.#export === null) return;
    // What will be dropped need not be read.
    if (this.#export.room > 0) this.#export.add(readSpans(batch), batch.dropped);
    else this.#export.add([], batch.dropped + batch.numbers.length / spanNumbers);
  }

  async close(): Promise<void> {
    await this.#export?.close();
  }
}
