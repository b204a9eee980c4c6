import { AgentVerdict } from '../../health/agent-line.ts';
import { type ProbeRules, ProbeVerdict } from '../../health/probe-verdict.ts';
import type { DialAddress, Probe } from '../../model/snapshot.ts';
import type { Clock, RunningTimer } from '../../platform/clock.ts';
import type { ConnectProbe } from '../../platform/probe-link.ts';
import type { RunProgram } from '../../platform/run-program.ts';
import { questionOf, type SharedAttempts, type TimedResult } from './shared-attempts.ts';

/** What all probes share. */
export interface ProbeMeans {
  readonly clock: Clock;
  readonly connect: ConnectProbe;
  readonly run: RunProgram;
  readonly attempts: SharedAttempts;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** Total of our own event loop's delays, ms. */
  readonly lagMs: () => number;
}

/** One server that is probed in one way. */
export interface ProbedServer {
  readonly pool: string;
  readonly address: string;
  /** Null while its name is unresolved: it is then not probed. */
  readonly target: DialAddress | null;
  readonly probe: Probe;
}

/** What a probe's owner is told: something may have changed; `isPass`: the last attempt passed. */
export type OnProbed = (isPass: boolean) => void;

/** A probe is never due sooner than this after the one before: whatever the rules say, no busy loop. */
const pauseMsMin = 10;

/** Probes one server again and again; at most one attempt at a time. */
export class ServerProbe {
  readonly verdict: ProbeVerdict;
  /** What its agent says; null for other types. */
  readonly agent: AgentVerdict | null;
  /** 0–1: what its program says of its weight. */
  factor = 1;
  readonly #means: ProbeMeans;
  readonly #onProbed: OnProbed;
  #server: ProbedServer;
  #question: string;
  #timer: RunningTimer | null = null;
  #cancelAttempt: (() => void) | null = null;

  /** The first probe begins after `delayMs`. */
  constructor(server: ProbedServer, means: ProbeMeans, onProbed: OnProbed, delayMs: number) {
    this.#server = server;
    this.#means = means;
    this.#onProbed = onProbed;
    this.verdict = new ProbeVerdict(rulesOf(server.probe), means.clock.nowMs(), means.random);
    this.agent = server.probe.type === 'agent' ? new AgentVerdict() : null;
    this.#question = questionOf(server.probe, server);
    means.attempts.join(this.#question);
    this.#wait(delayMs);
  }

  get probe(): Probe {
    return this.#server.probe;
  }

  /** Why the verdict is what it is. */
  get reason(): string {
    return this.agent === null || this.verdict.history().length === 0
      ? this.verdict.reason
      : this.agent.reason;
  }

  /** Takes over changed settings. A new target is probed at once: what is known is about another place. */
  update(server: ProbedServer): void {
    const before = this.#server;
    this.#server = server;
    const isMoved = JSON.stringify(before.target) !== JSON.stringify(server.target);
    const isChanged = JSON.stringify(before.probe) !== JSON.stringify(server.probe);
    if (!isMoved && !isChanged) return;
    this.verdict.reconfigure(rulesOf(server.probe), this.#means.clock.nowMs());
    const question = questionOf(server.probe, server);
    if (question !== this.#question) {
      this.#cancel();
      this.#means.attempts.leave(this.#question);
      this.#means.attempts.join(question);
      this.#question = question;
    }
    if (isMoved) this.#wait(0);
    else if (this.#cancelAttempt === null) this.#waitForNext();
  }

  stop(): void {
    this.#timer?.stop();
    this.#cancel();
    this.#means.attempts.leave(this.#question);
  }

  #cancel(): void {
    this.#cancelAttempt?.();
    this.#cancelAttempt = null;
  }

  #wait(delayMs: number): void {
    this.#timer?.stop();
    this.#timer = this.#means.clock.after(delayMs, () => this.#begin());
  }

  #waitForNext(): void {
    const dueMs = this.verdict.nextAtMs - this.#means.clock.nowMs();
    this.#wait(Math.max(dueMs, pauseMsMin));
  }

  #begin(): void {
    const { target } = this.#server;
    // Without a target `update` starts the probing again as soon as there is one.
    if (target === null) return;
    const options = { ...this.#means, ...this.#server, target };
    this.#cancelAttempt = () => {};
    const cancel = this.#means.attempts.ask(this.#question, options, this.#onResult);
    // A result that was there already has been taken.
    if (this.#cancelAttempt !== null) this.#cancelAttempt = cancel;
  }

  readonly #onResult = (result: TimedResult): void => {
    this.#cancelAttempt = null;
    const { atMs, durationMs } = result;
    if (result.factor !== null) this.factor = result.factor;
    if (this.agent !== null && result.agent !== null) this.agent.take(result.agent);
    const isPass = this.agent === null ? result.isPass : this.agent.isUp;
    const reason = this.agent === null ? result.reason : this.#agentReason(this.agent, result);
    this.verdict.record({ atMs, isPass, reason, durationMs });
    this.#waitForNext();
    this.#onProbed(isPass && result.isPass);
  };

  #agentReason(agent: AgentVerdict, { agent: line, reason }: TimedResult): string {
    return line === null ? `${reason}; the last word stands: ${agent.reason}` : agent.reason;
  }
}

/** An agent's word counts at once; a server whose agent has said nothing yet is up. */
function rulesOf(probe: Probe): ProbeRules {
  return probe.type === 'agent'
    ? { ...probe, rise: 1, fall: 1, startState: 'up', isItsOwnWord: true }
    : { ...probe, isItsOwnWord: false };
}
