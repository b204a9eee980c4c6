import type { ConfigLog, LogTarget } from '../control/config/config.ts';
import { AccessLogWriter } from '../control/report/access-log.ts';
import type { AccessLogStatus } from '../control/report/status.ts';
import { openAppendFile } from '../platform/append-file.ts';
import type { Clock } from '../platform/clock.ts';
import type { ProcessLog } from './process-log.ts';

/** Where the workers' access-log lines go; follows the configuration. */
export class AccessLogSink {
  readonly #clock: Clock;
  readonly #log: ProcessLog;
  #target: LogTarget = { kind: 'off' };
  #writer: AccessLogWriter | null = null;
  #droppedByWorkers = 0;
  /** Of writers that a reload replaced. */
  #droppedBefore = 0;

  constructor(clock: Clock, log: ProcessLog) {
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * For metrics; null while no access log is written. Dropped lines include those the workers
   * dropped.
   */
  get state(): AccessLogStatus | null {
    if (this.#writer === null) return null;
    const { state } = this.#writer;
    const droppedLines = state.droppedLines + this.#droppedByWorkers + this.#droppedBefore;
    return { ...state, droppedLines };
  }

  /**
   * Writes to what the configuration says from now on; the old target is written out and closed.
   */
  use({ access }: ConfigLog): void {
    if (JSON.stringify(access) === JSON.stringify(this.#target)) return;
    this.#target = access;
    this.#droppedBefore += this.#writer?.state.droppedLines ?? 0;
    void this.#writer?.close();
    this.#writer = null;
    if (access.kind === 'off') return;
    const target = access.kind === 'file' ? { path: access.path } : access.kind;
    this.#writer = new AccessLogWriter(target, {
      clock: this.#clock,
      open: openAppendFile,
      report: (message) => this.#log.warn(`access log: ${message}`),
    });
  }

  /** A batch of a worker. */
  write(batch: {
    readonly lines: Uint8Array;
    readonly count: number;
    readonly dropped: number;
  }): void {
    this.#droppedByWorkers += batch.dropped;
    if (batch.count > 0) this.#writer?.write(batch.lines, batch.count);
  }

  async reopen(): Promise<void> {
    await this.#writer?.reopen();
  }

  async close(): Promise<void> {
    await this.#writer?.close();
  }
}
