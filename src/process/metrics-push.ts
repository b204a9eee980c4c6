import type { ConfigMetrics } from '../control/config/config.ts';
import { readExposition } from '../control/report/read-exposition.ts';
import type { Clock, RunningTimer } from '../platform/clock.ts';
import { type MetricReceiver, openMetricReceiver } from '../platform/otlp.ts';
import type { ProcessLog } from './process-log.ts';
import { inSlices } from './sliced-work.ts';
import { version } from './version.ts';

/** The longest that reading holds control up at a stretch, ms. */
const SLICE_MS = 2;

/**
 * Pushes the metrics by OTLP, as `/metrics` has them; follows the configuration, and is nothing without it. A push that is
 * still on its way when the next is due takes its place: counters are cumulative, so nothing is lost by that.
 */
export class MetricsPush {
  readonly #clock: Clock;
  readonly #log: ProcessLog;
  readonly #text: () => Promise<string>;
  readonly #startedUs: number;
  #target = '';
  #timer: RunningTimer | null = null;
  #receiver: Promise<MetricReceiver> | null = null;
  #isPushing = false;
  #error: string | null = null;

  /** `text`: the metrics in the text format of Prometheus. */
  constructor(clock: Clock, log: ProcessLog, text: () => Promise<string>) {
    this.#clock = clock;
    this.#log = log;
    this.#text = text;
    this.#startedUs = Math.round(clock.wallMs() * 1000);
  }

  /** Pushes as the configuration says from now on. */
  use(metrics: ConfigMetrics | null): void {
    const target = JSON.stringify(metrics);
    if (target === this.#target) return;
    this.close();
    this.#target = target;
    if (metrics === null) return;
    const { otlp, headers, service, intervalMs } = metrics;
    this.#timer = this.#clock.every(intervalMs, () => {
      this.#receiver ??= openMetricReceiver({ url: otlp, headers, service, version });
      void this.#push(this.#receiver);
    });
  }

  close(): void {
    this.#timer?.stop();
    void this.#receiver?.then(
      (receiver) => receiver.close(),
      () => undefined,
    );
    this.#receiver = null;
    this.#target = '';
  }

  async #push(opening: Promise<MetricReceiver>): Promise<void> {
    if (this.#isPushing) return;
    this.#isPushing = true;
    try {
      const receiver = await opening;
      const families = await inSlices(readExposition(await this.#text()), SLICE_MS);
      const nowUs = Math.round(this.#clock.wallMs() * 1000);
      const why = await new Promise<string | null>((resolve) => {
        receiver.send(families, this.#startedUs, nowUs, resolve);
      });
      this.#note(why);
    } catch (error) {
      this.#note(String(error));
    } finally {
      this.#isPushing = false;
    }
  }

  #note(why: string | null): void {
    const before = this.#error;
    this.#error = why;
    if (why !== null && before === null) {
      this.#log.warn(`metrics: Cannot push them as their receiver must take them: ${why}`);
    } else if (why === null && before !== null) this.#log.info('metrics: they are taken again');
  }
}
