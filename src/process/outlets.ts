import type { Config } from '../control/config/config.ts';
import type { FromWorker } from '../model/messages.ts';
import type { Clock } from '../platform/clock.ts';
import { AccessLogSink } from './access-log-sink.ts';
import { MetricsPush } from './metrics-push.ts';
import type { ProcessLog } from './process-log.ts';
import { TraceSink } from './trace-sink.ts';

/** Where what is known of traffic leaves the process by itself: access log, spans, pushed metrics. Follows the configuration. */
export class Outlets {
  readonly accessLog: AccessLogSink;
  readonly traces: TraceSink;
  readonly #metrics: MetricsPush;

  /** `metricsText`: the metrics in the text format of Prometheus. */
  constructor(clock: Clock, log: ProcessLog, metricsText: () => Promise<string>) {
    this.accessLog = new AccessLogSink(clock, log);
    this.traces = new TraceSink(clock, log);
    this.#metrics = new MetricsPush(clock, log, metricsText);
  }

  use(config: Config): void {
    this.accessLog.use(config.log);
    this.traces.use(config.tracing);
    this.#metrics.use(config.metrics);
  }

  take(message: Extract<FromWorker, { readonly type: 'log' | 'spans' }>): void {
    if (message.type === 'log') this.accessLog.write(message);
    else this.traces.write(message.batch);
  }

  /** Writes and sends what waits, for at most two seconds. */
  async close(): Promise<void> {
    this.#metrics.close();
    await Promise.all([this.accessLog.close(), this.traces.close()]);
  }
}
