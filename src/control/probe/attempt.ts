import type { DialAddress, Probe } from '../../model/snapshot.ts';
import type { Clock, RunningTimer } from '../../platform/clock.ts';
import type { ConnectProbe, ProbeLink, ProbeLinkHandler } from '../../platform/probe-link.ts';
import { AnswerReader } from './http-answer.ts';

/** What one probe found. `reason` is for people: `status 200`, `connect refused`, `no answer in 2000 ms`. */
export interface ProbeResult {
  readonly isPass: boolean;
  readonly reason: string;
  readonly durationMs: number;
}

/** What a probe attempt needs. */
export interface AttemptOptions {
  readonly probe: Pick<Probe, 'type' | 'path' | 'host' | 'expect' | 'bodyText' | 'timeoutMs'>;
  /** The server's address as written: the default of the `Host` field. */
  readonly address: string;
  readonly target: DialAddress;
  readonly clock: Clock;
  readonly connect: ConnectProbe;
  /** Total of our own event loop's delays so far, in ms: see `LagMeter`. */
  readonly lagMs: () => number;
  /** Called once, unless the attempt is cancelled before. */
  readonly onResult: (result: ProbeResult) => void;
}

/** Extensions of one time-out for our own delays; a loop that lags all the time must not stop probing. */
const extensionsMax = 4;
/** Delays below this are the timer's own grain. */
const lagNoticedMs = 20;

const errorWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'connect timed out',
  ENOENT: 'the socket does not exist',
  EACCES: 'permission denied',
  EMFILE: 'no file descriptor left here',
  ENFILE: 'no file descriptor left here',
};

/** Words for a system's error code. */
export function errorReason(code: string): string {
  return Object.hasOwn(errorWords, code) ? (errorWords[code] ?? code) : code;
}

/**
 * Runs one probe of one server and returns the function that cancels it. Bounded by the probe's
 * time-out, which is extended by what our own event loop was late: then an answer may be waiting unread,
 * and a stall of ours must not take servers out.
 */
export function startAttempt(options: AttemptOptions): () => void {
  const attempt = new Attempt(options);
  return () => attempt.stop();
}

class Attempt implements ProbeLinkHandler {
  readonly #options: AttemptOptions;
  readonly #startedMs: number;
  readonly #lagAtStartMs: number;
  /** Null for a probe that only connects. */
  readonly #reader: AnswerReader | null;
  readonly #link: ProbeLink;
  #isOver = false;
  #isConnected = false;
  #grantedMs = 0;
  #extensions = 0;
  #timer: RunningTimer;

  constructor(options: AttemptOptions) {
    const { probe, clock } = options;
    this.#options = options;
    this.#startedMs = clock.nowMs();
    this.#lagAtStartMs = options.lagMs();
    this.#reader = probe.type === 'http' ? new AnswerReader(probe.bodyText) : null;
    this.#timer = this.#arm(probe.timeoutMs);
    this.#link = options.connect(options.target, this);
  }

  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer.stop();
    this.#link.destroy();
  }

  onConnected(): void {
    this.#isConnected = true;
    const { probe, address } = this.#options;
    if (this.#reader === null) this.#finish(true, 'connected');
    else this.#link.send(requestText(probe, address));
  }

  onBytes(bytes: Uint8Array): void {
    this.#reader?.take(bytes);
    this.#judge();
  }

  onEnd(): void {
    this.#reader?.end();
    if (this.#reader === null) this.#finish(false, 'connection closed');
    else this.#judge();
  }

  onError(code: string): void {
    this.#finish(false, errorReason(code));
  }

  #judge(): void {
    const reader = this.#reader;
    if (reader === null || reader.state === 'head' || reader.state === 'body') return;
    const status = `status ${reader.status}`;
    if (reader.state === 'broken') this.#finish(false, reader.why);
    else if (!isExpected(reader.status, this.#options.probe.expect)) this.#finish(false, status);
    else if (!reader.hasText) this.#finish(false, `${status} without the expected text`);
    else this.#finish(true, status);
  }

  #finish(isPass: boolean, reason: string): void {
    if (this.#isOver) return;
    this.stop();
    const durationMs = Math.max(0, this.#options.clock.nowMs() - this.#startedMs);
    this.#options.onResult({ isPass, reason, durationMs });
  }

  #arm(delayMs: number): RunningTimer {
    const { clock } = this.#options;
    const dueMs = clock.nowMs() + delayMs;
    return clock.after(delayMs, () => this.#onTimer(clock.nowMs() - dueMs));
  }

  #onTimer(lateMs: number): void {
    const { probe, lagMs } = this.#options;
    const lagSinceStartMs = lagMs() - this.#lagAtStartMs - this.#grantedMs;
    const extensionMs = Math.min(Math.max(lateMs, lagSinceStartMs), probe.timeoutMs);
    if (extensionMs < lagNoticedMs || this.#extensions >= extensionsMax) {
      const what = this.#isConnected ? 'no answer' : 'no connection';
      this.#finish(false, `${what} in ${probe.timeoutMs} ms`);
      return;
    }
    this.#extensions++;
    this.#grantedMs += extensionMs;
    this.#timer = this.#arm(extensionMs);
  }
}

function isExpected(status: number, expect: Probe['expect']): boolean {
  return expect.some(([low, high]) => status >= low && status <= high);
}

function requestText(probe: AttemptOptions['probe'], address: string): string {
  const host = probe.host ?? (address.startsWith('unix:') ? 'localhost' : address);
  return (
    `GET ${probe.path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: evenkeel-probe\r\n` +
    'Accept: */*\r\nConnection: close\r\n\r\n'
  );
}
