import { limits } from '../../model/limits.ts';
import type { AppendFile, AppendTarget, OpenedAppendFile } from '../../platform/append-file.ts';
import type { Clock, RunningTimer } from '../../platform/clock.ts';
import type { AccessLogStatus } from './status.ts';

/** What the writer needs of the outside. */
export interface AccessLogMeans {
  readonly clock: Clock;
  /** `openAppendFile` of platform/append-file.ts. */
  open(target: AppendTarget, done: OpenedAppendFile): void;
  /** A line for the process log: the first error of a kind, and that it is over. */
  report(message: string): void;
}

/** How often the path is compared with the open file, to see a rename without a signal. */
const replacedCheckMs = 1_000;
/** A full pipe is tried again soon, a full disk or a missing directory later. */
const fullPipeRetryMs = 20;
const errorRetryMs = 1_000;
/** Bytes handed over in one write: large enough for few system calls, small enough for a slow disk. */
const writeBytesMax = 1_048_576;
/** How long `close` waits for what is queued. */
const closeWaitMs = 2_000;

/**
 * Writes access-log lines to a stream or file, off the hot path.
 *
 * A slow disk, a full one or a pipe that nobody reads never blocks: lines wait in a queue of at most
 * `limits.accessLogQueueBytes`, above it whole batches are dropped and counted. A file that was
 * renamed or unlinked is opened anew within a second, or at once by `reopen()`; nothing is lost
 * between the two, since the old one is closed only after the new one is open.
 */
export class AccessLogWriter {
  readonly #target: AppendTarget;
  readonly #means: AccessLogMeans;
  #file: AppendFile | null = null;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  /** The bytes that are being written; they stay counted in `#queuedBytes`. */
  #current: Uint8Array | null = null;
  #isWriting = false;
  #isOpening = false;
  #isReopenWanted = false;
  #isClosed = false;
  #writtenBytes = 0;
  #droppedLines = 0;
  #error: string | null = null;
  #retry: RunningTimer | null = null;
  #check: RunningTimer | null = null;
  #onReopened: (() => void)[] = [];
  #onIdle: (() => void)[] = [];

  constructor(target: AppendTarget, means: AccessLogMeans) {
    this.#target = target;
    this.#means = means;
    this.#open();
    if (typeof target === 'object') this.#checkLater();
  }

  /** See `AccessLogStatus`. */
  get state(): AccessLogStatus {
    return {
      writtenBytes: this.#writtenBytes,
      queuedBytes: this.#queuedBytes,
      droppedLines: this.#droppedLines,
      error: this.#error,
    };
  }

  /** Queues complete lines (`count` of them, each ended by LF), or drops them all when the queue is full. */
  write(lines: string | Uint8Array, count: number): void {
    if (this.#isClosed) {
      this.#droppedLines += count;
      return;
    }
    const bytes = typeof lines === 'string' ? Buffer.from(lines) : lines;
    if (this.#queuedBytes + bytes.length > limits.accessLogQueueBytes) {
      this.#droppedLines += count;
      return;
    }
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#pump();
  }

  /** Opens the target anew; resolves when it is open or has failed (which is reported and retried). */
  reopen(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onReopened.push(resolve);
      this.#isReopenWanted = true;
      if (!this.#isWriting) this.#open();
    });
  }

  /** Writes what is queued, for at most two seconds, and closes. */
  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    this.#check?.stop();
    return new Promise((resolve) => {
      let isDone = false;
      const finish = (): void => {
        if (isDone) return;
        isDone = true;
        deadline.stop();
        this.#retry?.stop();
        // A write that is still running owns the descriptor; closing it under the write could hit another file.
        if (!this.#isWriting) this.#file?.close();
        resolve();
      };
      const deadline = this.#means.clock.after(closeWaitMs, finish);
      this.#onIdle.push(finish);
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#isWriting || this.#isOpening || this.#retry !== null) return;
    if (this.#file === null) return;
    this.#current ??= this.#takeBatch();
    if (this.#current === null) {
      for (const onIdle of this.#onIdle.splice(0)) onIdle();
      return;
    }
    this.#isWriting = true;
    this.#file.write(this.#current, (errorCode, written) => this.#onWritten(errorCode, written));
  }

  #takeBatch(): Uint8Array | null {
    if (this.#queue.length === 0) return null;
    let bytes = 0;
    let count = 0;
    for (const piece of this.#queue) {
      if (count > 0 && bytes + piece.length > writeBytesMax) break;
      bytes += piece.length;
      count++;
    }
    const pieces = this.#queue.splice(0, count);
    return pieces.length === 1 ? (pieces[0] ?? null) : Buffer.concat(pieces, bytes);
  }

  #onWritten(errorCode: string | null, written: number): void {
    this.#isWriting = false;
    const current = this.#current;
    if (current !== null && written > 0) {
      this.#writtenBytes += written;
      this.#queuedBytes -= written;
      this.#current = written < current.length ? current.subarray(written) : null;
    }
    if (errorCode === null && written > 0) this.#noteError(null);
    else if (errorCode !== null && errorCode !== 'EAGAIN') this.#noteError(errorCode);
    // The switch waits for the end of a started line, so that no line is torn over two files.
    if (this.#isReopenWanted && (this.#current === null || errorCode !== null)) {
      this.#open();
    } else if (errorCode !== null || written === 0) {
      this.#retryAfter(errorCode === 'EAGAIN' ? fullPipeRetryMs : errorRetryMs);
    } else {
      this.#pump();
    }
  }

  #open(): void {
    if (this.#isOpening) return;
    this.#isOpening = true;
    this.#isReopenWanted = false;
    this.#means.open(this.#target, (errorCode, file) => {
      this.#isOpening = false;
      if (file === null) {
        this.#noteError(errorCode ?? 'EIO');
        // The old file, when there is one, goes on taking lines: better there than nowhere.
        if (this.#file === null) this.#retryAfter(errorRetryMs);
      } else {
        this.#file?.close();
        this.#file = file;
        this.#noteError(null);
      }
      for (const onReopened of this.#onReopened.splice(0)) onReopened();
      if (this.#isReopenWanted) this.#open();
      else this.#pump();
    });
  }

  #retryAfter(delayMs: number): void {
    if (this.#retry !== null) return;
    this.#retry = this.#means.clock.after(delayMs, () => {
      this.#retry = null;
      if (this.#file === null) this.#open();
      else this.#pump();
    });
  }

  #checkLater(): void {
    this.#check = this.#means.clock.after(replacedCheckMs, () => {
      if (this.#isClosed) return;
      this.#checkLater();
      const file = this.#file;
      if (file === null || this.#isOpening || this.#isReopenWanted) return;
      file.isReplaced((isReplaced) => {
        if (!isReplaced || this.#isClosed || this.#isOpening || file !== this.#file) return;
        this.#isReopenWanted = true;
        if (!this.#isWriting) this.#open();
      });
    });
  }

  #noteError(errorCode: string | null): void {
    if (errorCode === this.#error) return;
    this.#error = errorCode;
    const name = typeof this.#target === 'object' ? this.#target.path : this.#target;
    this.#means.report(
      errorCode === null
        ? `access log ${name}: writing again, ${this.#droppedLines} lines dropped so far`
        : `Cannot write the access log as ${name} must take its lines: current value is ${errorCode}`,
    );
  }
}
