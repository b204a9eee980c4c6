import type { ProbeChange } from '../../health/probe-verdict.ts';
import { ProbeVerdict } from '../../health/probe-verdict.ts';
import type { DialAddress, Probe } from '../../model/snapshot.ts';
import type { Clock, RunningTimer } from '../../platform/clock.ts';
import type { ConnectProbe } from '../../platform/probe-link.ts';
import { startAttempt } from './attempt.ts';

/** What all probes share. */
export interface ProbeMeans {
  readonly clock: Clock;
  readonly connect: ConnectProbe;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** Total of our own event loop's delays, ms. */
  readonly lagMs: () => number;
}

/** One server that is probed. */
export interface ProbedServer {
  readonly address: string;
  /** Null while its name is unresolved: it is then not probed. */
  readonly target: DialAddress | null;
  readonly probe: Probe;
}

/** What a probe's owner is told. */
export interface ProbeListener {
  onVerdict(change: ProbeChange): void;
  /** A probe that began at `startedMs` passed; called after `onVerdict`. */
  onPass(startedMs: number): void;
}

/** A probe is never due sooner than this after the one before: whatever the rules say, no busy loop. */
const pauseMsMin = 10;

/** Probes one server again and again; at most one attempt at a time. */
export class ServerProbe {
  readonly verdict: ProbeVerdict;
  readonly #means: ProbeMeans;
  readonly #listener: ProbeListener;
  #server: ProbedServer;
  #timer: RunningTimer | null = null;
  #cancelAttempt: (() => void) | null = null;

  /** The first probe begins after `delayMs`. */
  constructor(server: ProbedServer, means: ProbeMeans, listener: ProbeListener, delayMs: number) {
    this.#server = server;
    this.#means = means;
    this.#listener = listener;
    this.verdict = new ProbeVerdict(server.probe, means.clock.nowMs(), means.random);
    this.#wait(delayMs);
  }

  /** Takes over changed settings. A new target is probed at once: what is known is about another place. */
  update(server: ProbedServer): void {
    const before = this.#server;
    this.#server = server;
    const isMoved = JSON.stringify(before.target) !== JSON.stringify(server.target);
    const isChanged = JSON.stringify(before.probe) !== JSON.stringify(server.probe);
    if (isChanged) this.verdict.reconfigure(server.probe, this.#means.clock.nowMs());
    if (isMoved) {
      this.#cancelAttempt?.();
      this.#cancelAttempt = null;
      this.#wait(0);
    } else if (isChanged && this.#cancelAttempt === null) {
      this.#waitForNext();
    }
  }

  stop(): void {
    this.#timer?.stop();
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
    const { probe, address, target } = this.#server;
    // Without a target `update` starts the probing again as soon as there is one.
    if (target === null) return;
    const { clock, connect, lagMs } = this.#means;
    const startedMs = clock.nowMs();
    this.#cancelAttempt = startAttempt({
      probe,
      address,
      target,
      clock,
      connect,
      lagMs,
      onResult: ({ isPass, reason, durationMs }) => {
        this.#cancelAttempt = null;
        const change = this.verdict.record({ atMs: clock.nowMs(), isPass, reason, durationMs });
        this.#waitForNext();
        if (change !== null) this.#listener.onVerdict(change);
        if (isPass) this.#listener.onPass(startedMs);
      },
    });
  }
}
