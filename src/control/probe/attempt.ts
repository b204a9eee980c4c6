import { type AgentLine, parseAgentLine } from '../../health/agent-line.ts';
import type { DialAddress, Probe } from '../../model/snapshot.ts';
import type { Clock } from '../../platform/clock.ts';
import type { ConnectProbe, ProbeLink, ProbeLinkHandler } from '../../platform/probe-link.ts';
import type { RunProgram } from '../../platform/run-program.ts';
import { Deadline } from './deadline.ts';
import { startProgramAttempt } from './program-attempt.ts';
import { createTalk, type Talk } from './talk.ts';

/** What one probe found. `reason` is for people: `status 200`, `connect refused`, `no answer in 2000 ms`. */
export interface ProbeResult {
  readonly isPass: boolean;
  readonly reason: string;
  readonly durationMs: number;
  /** 0–1: the part of its weight that a program gives the server; null = it says nothing of it. */
  readonly factor: number | null;
  /** What an agent said; null for other probes and for agents that said nothing. */
  readonly agent: AgentLine | null;
}

/** What a probe attempt needs. */
export interface AttemptOptions {
  readonly probe: Probe;
  /** The server's pool, for programs. */
  readonly pool: string;
  /** The server's address as written: the default of the `Host` field. */
  readonly address: string;
  readonly target: DialAddress;
  readonly clock: Clock;
  readonly connect: ConnectProbe;
  readonly run: RunProgram;
  /** Total of our own event loop's delays so far, in ms: see `LagMeter`. */
  readonly lagMs: () => number;
  /** Called once, unless the attempt is cancelled before. */
  readonly onResult: (result: ProbeResult) => void;
}

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
 * time-out (see `Deadline`).
 */
export function startAttempt(options: AttemptOptions): () => void {
  if (options.probe.type === 'exec') return startProgramAttempt(options);
  const attempt = new LinkAttempt(options);
  return () => attempt.stop();
}

/** A probe over a connection: connects, says what it has to say, listens. */
class LinkAttempt implements ProbeLinkHandler {
  readonly #options: AttemptOptions;
  readonly #startedMs: number;
  /** Null for a probe that only connects. */
  readonly #talk: Talk | null;
  readonly #link: ProbeLink;
  readonly #deadline: Deadline;
  #isOver = false;
  #isConnected = false;

  constructor(options: AttemptOptions) {
    const { probe, clock, address } = options;
    this.#options = options;
    this.#startedMs = clock.nowMs();
    this.#talk = createTalk(probe, address);
    this.#deadline = new Deadline(options, probe.timeoutMs, () => {
      const what = this.#isConnected ? 'no answer' : 'no connection';
      this.#finish({ isPass: false, reason: `${what} in ${probe.timeoutMs} ms` });
    });
    this.#link = options.connect(targetOf(options), this);
  }

  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deadline.stop();
    this.#link.destroy();
  }

  onConnected(): void {
    this.#isConnected = true;
    if (this.#talk === null) {
      this.#finish({ isPass: true, reason: 'connected' });
      return;
    }
    if (this.#talk.opening !== '') this.#link.send(this.#talk.opening);
    this.#judge();
  }

  onBytes(bytes: Uint8Array): void {
    this.#talk?.take(bytes);
    this.#judge();
  }

  onEnd(): void {
    this.#talk?.end();
    if (this.#talk === null) this.#finish({ isPass: false, reason: 'connection closed' });
    else this.#judge();
  }

  onError(code: string): void {
    this.#finish({ isPass: false, reason: errorReason(code) });
  }

  #judge(): void {
    const verdict = this.#talk?.verdict() ?? null;
    if (verdict !== null) this.#finish(verdict);
  }

  #finish({ isPass, reason, line }: { isPass: boolean; reason: string; line?: string }): void {
    if (this.#isOver) return;
    this.stop();
    const durationMs = Math.max(0, this.#options.clock.nowMs() - this.#startedMs);
    const agent = line === undefined ? null : parseAgentLine(line);
    const isUnknown = line !== undefined && agent === null;
    this.#options.onResult({
      isPass: isPass && !isUnknown,
      reason: isUnknown ? 'the agent said nothing that is known' : reason,
      durationMs,
      factor: null,
      agent,
    });
  }
}

/** A Unix socket has no other port. */
function targetOf({ probe, target }: AttemptOptions): DialAddress {
  return probe.port === null || target.kind === 'unix' ? target : { ...target, port: probe.port };
}
