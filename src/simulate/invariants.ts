import { limits } from '../model/limits.ts';
import type { SharedWords } from '../model/shared-memory.ts';
import { Verdict } from '../model/shared-memory.ts';
import type { Pool } from '../model/snapshot.ts';
import type { ClientRequest } from './clients.ts';
import type { SimulatedServer } from './server.ts';

/** Something that must never happen, and did. */
export interface Violation {
  readonly atUs: number;
  readonly what: string;
}

/** What the invariants look at. */
export interface InvariantMeans {
  readonly words: SharedWords;
  readonly workers: number;
  readonly slotsPerWorker: number;
  readonly nowUs: () => number;
  /** `connectionsMax` of every server that there ever is, by slot. */
  readonly limits: Iterable<readonly [slot: number, connectionsMax: number]>;
  /** Pool of the snapshot that is in force. */
  readonly pool: () => Pool;
  readonly requestOf: (id: number) => ClientRequest | undefined;
}

/** Violations that are kept: the first ones tell, the rest are their consequences. */
const KEPT_MAX = 20;
/** The retry budget may fall to this, in thousandths of a retry: the reserve of `limit/retry-budget.ts`. */
const RESERVE = 10_000;
/** Share of a pool that may be softly ejected at once, see `health/outlier.ts`. */
const EJECTED_SHARE_MAX = 0.3;
const GONE = Verdict.PROBE_DOWN | Verdict.REFUSING | Verdict.UNRESOLVED;

/**
 * What must hold at every step of every run, whatever the scenario does. Checked where it can break:
 * when a request leaves for a server, when a verdict changes, at each turn of the timers, at the end.
 */
export class Invariants {
  readonly violations: Violation[] = [];
  /** Violations in all, also those that were not kept. */
  count = 0;
  /** Checks made so far. */
  checks = 0;
  readonly #means: InvariantMeans;
  readonly #verdicts: Int32Array;
  /** `connectionsMax` by slot. */
  readonly #limits: ReadonlyMap<number, number>;
  readonly #slotCount: number;
  #epoch = -1;
  #repeats = 0;

  constructor(means: InvariantMeans) {
    this.#means = means;
    this.#verdicts = means.words.verdict.slice();
    this.#limits = new Map(means.limits);
    this.#slotCount = this.#limits.size;
  }

  /** The balancer has picked a server: within the turn that did. */
  onPicked(server: SimulatedServer): void {
    this.checks++;
    const { words } = this.#means;
    const { slot, address } = server;
    const verdict = Atomics.load(words.verdict, slot);
    if ((verdict & GONE) !== 0) {
      this.report(`${address} is picked though its verdict is ${verdict}`);
    }
    const inFlight = Atomics.load(words.inFlight, slot);
    if (inFlight < 1) this.report(`${address} is picked without a place on it`);
    const most = this.#limits.get(slot) ?? 0;
    if (most > 0 && inFlight > most) {
      this.report(`${address} has ${inFlight} in flight above its limit of ${most}`);
    }
  }

  /** A request leaves for a server. */
  onSent(_server: SimulatedServer, requestId: number, isPost: boolean): void {
    this.checks++;
    const request = this.#means.requestOf(requestId);
    if (request === undefined) return;
    request.attempts++;
    if (request.attempts === 1) return;
    this.#repeats++;
    if (isPost) this.report(`POST ${requestId} is sent a second time`);
  }

  /** Attempts beyond the first of each request. */
  get repeats(): number {
    return this.#repeats;
  }

  /** After an event: verdicts that changed are judged. Cost: one read while none did. */
  onStep(): void {
    const { words } = this.#means;
    const epoch = Atomics.load(words.epoch, 0);
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.checks++;
    this.#judgeVerdicts();
  }

  /** Looks at every server: with each turn of the timers. */
  sweep(): void {
    const { words, workers, slotsPerWorker } = this.#means;
    this.checks++;
    for (const { slot, address } of this.#means.pool().servers) {
      const total = words.inFlight[slot]!;
      let sum = 0;
      for (let worker = 0; worker < workers; worker++) {
        const own = words.inFlightByWorker[worker * slotsPerWorker + slot]!;
        if (own < 0) this.report(`worker ${worker} has ${own} in flight on ${address}`);
        sum += own;
      }
      if (total < 0) this.report(`${address} has ${total} in flight`);
      if (total !== sum) this.report(`${address} has ${total} in flight, its workers ${sum}`);
    }
    this.#sweepPool();
    const balance = words.retryTokens[this.#means.pool().slot]!;
    if (balance < -RESERVE) this.report(`the retry budget fell to ${balance} thousandths`);
  }

  /** The pool's own places and its queue. */
  #sweepPool(): void {
    const { words, workers } = this.#means;
    const { slot, connectionsMax, queue } = this.#means.pool();
    const inFlight = words.poolInFlight[slot]!;
    const waiting = words.poolQueued[slot]!;
    if (inFlight < 0 || (connectionsMax > 0 && inFlight > connectionsMax)) {
      this.report(`the pool has ${inFlight} in flight, its limit is ${connectionsMax}`);
    }
    const most = queue?.size ?? 0;
    if (waiting < 0 || waiting > most) {
      this.report(`${waiting} requests wait in a queue of ${most}`);
    }
    let sum = 0;
    for (let worker = 0; worker < workers; worker++) {
      sum += words.queuedByWorker[worker * limits.pools + slot]!;
    }
    if (sum !== waiting) this.report(`${waiting} requests wait, by the workers' count ${sum}`);
  }

  /** After the last event. `endings`: exchanges that the balancer's books say have ended. */
  atEnd(open: Iterable<ClientRequest>, sent: number, endings: number): void {
    this.sweep();
    for (const request of open) this.report(`request ${request.id} was never ended`);
    for (const { slot, address } of this.#means.pool().servers) {
      const left = this.#means.words.inFlight[slot]!;
      if (left !== 0) this.report(`${address} keeps ${left} in flight after the last request`);
    }
    const { slot: pool } = this.#means.pool();
    const waiting = this.#means.words.poolQueued[pool]!;
    const inPool = this.#means.words.poolInFlight[pool]!;
    if (waiting !== 0) this.report(`${waiting} requests wait after the last one`);
    if (inPool !== 0) this.report(`the pool keeps ${inPool} in flight after the last request`);
    if (sent !== endings) this.report(`${sent} requests came, ${endings} ended in the books`);
  }

  #judgeVerdicts(): void {
    const { verdict } = this.#means.words;
    const known = this.#verdicts;
    for (let slot = 0; slot < this.#slotCount; slot++) {
      const set = verdict[slot]! & ~known[slot]!;
      known[slot] = verdict[slot]!;
      if ((set & (Verdict.EJECTED | Verdict.REFUSING)) !== 0) this.#judgeEjection(slot, set);
    }
  }

  #judgeEjection(slot: number, set: number): void {
    const judged = this.#means.pool().servers.filter(({ weight }) => weight > 0);
    const verdicts = judged.map((server) => this.#means.words.verdict[server.slot]!);
    const address = judged.find((server) => server.slot === slot)?.address ?? `slot ${slot}`;
    // Its own verdict is not zero any more.
    if (!verdicts.includes(0)) this.report(`${address} is ejected though no other server is well`);
    const ejected = verdicts.filter((bits) => (bits & Verdict.EJECTED) !== 0).length;
    const most = Math.max(1, Math.floor(judged.length * EJECTED_SHARE_MAX));
    if ((set & Verdict.EJECTED) !== 0 && ejected > most) {
      this.report(`${ejected} of ${judged.length} servers are softly ejected, above ${most}`);
    }
  }

  /** Something happened that never must. */
  report(what: string): void {
    this.count++;
    if (this.violations.length < KEPT_MAX) {
      this.violations.push({ atUs: this.#means.nowUs(), what });
    }
  }
}
