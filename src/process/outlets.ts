import type { Config } from '../control/config/config.ts';
import type { FromWorker } from '../model/messages.ts';
import type { Clock } from '../platform/clock.ts';
import { AccessLogSink } from './access-log-sink.ts';
import type { ProcessLog } from './process-log.ts';
import { TraceSink } from './trace-sink.ts';

/** Where what workers tell of traffic leaves the process: access log and spans. Follows the configuration. */
export class Outlets {
  readonly accessLog: AccessLogSink;
  readonly traces: TraceSink;

  constructor(clock: Clock, log: ProcessLog) {
    this.accessLog = new AccessLogSink(clock, log);
    this.traces = new TraceSink(clock, log);
  }

  use(config: Config): void {
    this.accessLog.use(config.log);
    this.traces.use(config.tracing);
  }

  take(message: Extract<FromWorker, { readonly type: 'log' | 'spans' }>): void {
    if (message.type === 'log') this.accessLog.write(message);
    else this.traces.write(message.batch);
  }

  /** Writes and sends what waits, for at most two seconds. */
  async close(): Promise<void> {
    await Promise.all([this.accessLog.close(), this.traces.close()]);
  }
}
