import { RingBuffer } from '../base/ring-buffer.ts';
import { type FailureCode, failureKind } from '../model/failure.ts';
import { Verdict } from '../model/shared-memory.ts';
import type { Outlier } from '../model/snapshot.ts';
import { calmMs, holdMs } from './hold.ts';
import type { Standout } from './peer-outliers.ts';
import { isDialFailure, streakTrigger } from './streak.ts';

/** The n-th ejection in a row lasts n times the first, at most this. Source: Envoy. */
const EJECTION_MAX_MS = 300_000;

/**
 * Least time between two notes that a server was spared: a pool whose last server fails would write
 * thousands.
 */
const SPARED_NOTE_MS = 10_000;

/** How often the prober tries to connect to a server that refuses. */
const RECONNECT_INTERVAL_MS = 1000;

/** Events kept for people, of each server. */
const HISTORY_MAX = 20;

/** A worker saw a server's streak of failures reach a trigger. */
export interface Streak {
  readonly slot: number;
  readonly code: FailureCode;
  readonly count: number;
}

/** What was decided about a server, in words. */
export interface OutlierEvent {
  readonly atMs: number;
  readonly slot: number;
  readonly kind: 'ejected' | 'refusing' | 'spared' | 'readmitted';
  readonly reason: string;
}

/**
 * A decision to carry out: clear and set these bits of the verdict word, set the server's
 * `failureStreak` to zero so that the next trigger needs a whole streak, log the event. `spared`
 * changes no bits and is noted every 10 s at most.
 */
export interface OutlierChange {
  readonly event: OutlierEvent;
  readonly setBits: number;
  readonly clearBits: number;
  /** When the ejection ends by itself; null when there is none. */
  readonly untilMs: number | null;
}

/** What is left of an ejection. */
export interface Ejection {
  /** `Verdict` bits that it sets. */
  readonly bits: number;
  readonly remainingMs: number;
  /** Ejections that count towards the length of the next one. */
  readonly count: number;
}

interface Ejectable {
  bits: number;
  untilMs: number;
  reconnectAtMs: number;
  /** Since when every connection that was tried succeeded; infinity while the last one failed. */
  steadySinceMs: number;
  /** Back from an ejection that ended by time: until then less is needed to eject it again. */
  provingUntilMs: number;
  /** Ejections that still count towards the length of the next one. */
  count: number;
  /** Since when `count` decays. */
  calmSinceMs: number;
  /** When it was last noted that it was spared. */
  sparedAtMs: number;
  readonly history: RingBuffer<OutlierEvent>;
}

/** The judge's answer to "what is this server's verdict word now?", its own bits included. */
export type VerdictOf = (slot: number) => number;

/**
 * Passive health of one pool: decides on streaks and standouts who is ejected, for how long, and who
 * may return. Pure: control feeds it events and the time, carries out the changes and calls `advance`
 * by `nextAtMs`.
 *
 *            streak of failed dials          connects, steadily after the first time
 *         ┌───────────────────────▶ REFUSING ────────────────────────────────┐
 *   in traffic ◀── proving for a while ◀──────────── its time is over ──┐     │
 *         │ streak of resets, time-outs, 502–504;                       │     │
 *         └ fails or lags far more than its peers ──▶ EJECTED ──────────┘  ◀──┘ in traffic
 *
 * REFUSING: panic never takes it back. EJECTED: softly, and at most `ejectMaxRatio` of the pool's
 * servers at once (but one). The last eligible server is never ejected.
 */
export class OutlierJudge {
  readonly #servers = new Map<number, Ejectable>();
  #rules: Outlier;
  /** Why nobody is softly ejected now; null = as usual. */
  #trouble: string | null = null;

  constructor(rules: Outlier) {
    this.#rules = rules;
  }

  /** Takes over changed settings; what is decided stays decided. */
  configure(rules: Outlier): void {
    this.#rules = rules;
  }

  /**
   * Takes over the pool's servers that may get traffic (weight above 0): what is known of those
   * that stay is kept.
   */
  setServers(slots: readonly number[]): void {
    const present = new Set(slots);
    for (const slot of this.#servers.keys()) if (!present.has(slot)) this.#servers.delete(slot);
    for (const slot of slots) {
      if (this.#servers.has(slot)) continue;
      const history = new RingBuffer<OutlierEvent>(HISTORY_MAX);
      const past = Number.NEGATIVE_INFINITY;
      const never = Number.POSITIVE_INFINITY;
      this.#servers.set(slot, {
        bits: 0,
        untilMs: never,
        reconnectAtMs: never,
        steadySinceMs: never,
        provingUntilMs: past,
        count: 0,
        calmSinceMs: past,
        sparedAtMs: past,
        history,
      });
    }
  }

  /** An ejection as another process takes it over; null when there is none. */
  ejectionOf(slot: number, nowMs: number): Ejection | null {
    const server = this.#servers.get(slot);
    if (server === undefined || server.bits === 0) return null;
    return { bits: server.bits, remainingMs: server.untilMs - nowMs, count: server.count };
  }

  /** Takes over what `ejectionOf` gave in another process; the caller sets the bits. */
  restore(slot: number, ejection: Ejection, nowMs: number): void {
    const server = this.#servers.get(slot);
    if (server === undefined) return;
    server.bits = ejection.bits;
    server.untilMs = nowMs + Math.max(ejection.remainingMs, 0);
    server.count = ejection.count;
    if (ejection.bits === Verdict.REFUSING) server.reconnectAtMs = nowMs;
  }

  /**
   * Judges a streak. Null for servers of other pools, too short streaks, and those ejected at least
   * as hard already.
   */
  onStreak(
    { slot, code, count }: Streak,
    nowMs: number,
    verdictOf: VerdictOf,
  ): OutlierChange | null {
    const server = this.#servers.get(slot);
    const trigger = streakTrigger(code, this.#rules.consecutive);
    if (server === undefined || trigger === 0 || count < trigger) return null;
    const bit = isDialFailure(code) ? Verdict.REFUSING : Verdict.EJECTED;
    const why = `${count} failures in a row, the last one ${code} (${failureKind(code).says})`;
    return this.#judge(server, { slot, bit, why }, nowMs, verdictOf);
  }

  /** Judges a server that stands out among its peers. Null for those that are out already. */
  onStandout(
    { slot, reason }: Standout,
    nowMs: number,
    verdictOf: VerdictOf,
  ): OutlierChange | null {
    const server = this.#servers.get(slot);
    if (server === undefined) return null;
    return this.#judge(server, { slot, bit: Verdict.EJECTED, why: reason }, nowMs, verdictOf);
  }

  /**
   * Most servers fail alike (`trouble` says how), or no longer (null). While they do, nobody is softly
   * ejected, and those that are come back: they are no worse than the others.
   */
  setTrouble(trouble: string | null, nowMs: number): OutlierChange[] {
    this.#trouble = trouble;
    if (trouble === null) return [];
    return [...this.#servers]
      .filter(([, server]) => server.bits === Verdict.EJECTED)
      .map(([slot, server]) => readmit(server, slot, nowMs, `panic, as ${trouble}`));
  }

  /** Why nobody is softly ejected now; null = as usual. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** Has the server just come back from an ejection, without any other sign that it is well? */
  isProving(slot: number, nowMs: number): boolean {
    const server = this.#servers.get(slot);
    return server !== undefined && server.bits === 0 && server.provingUntilMs > nowMs;
  }

  #judge(
    server: Ejectable,
    { slot, bit, why }: { slot: number; bit: number; why: string },
    nowMs: number,
    verdictOf: VerdictOf,
  ): OutlierChange | null {
    if (server.bits >= bit) return null;
    const spared = this.#whySpared(slot, bit, verdictOf);
    if (spared !== null) {
      if (nowMs - server.sparedAtMs < SPARED_NOTE_MS) return null;
      server.sparedAtMs = nowMs;
      const event: OutlierEvent = {
        atMs: nowMs,
        slot,
        kind: 'spared',
        reason: `${why}; ${spared}`,
      };
      server.history.push(event);
      return { event, setBits: 0, clearBits: 0, untilMs: null };
    }
    return this.#eject(server, { slot, bit, why }, nowMs);
  }

  /**
   * A connection that was tried: success takes the server back, for one that refused several times
   * lately when it lasts for `holdMs`; failure means another try in a second.
   */
  onReconnect(slot: number, isConnected: boolean, nowMs: number): OutlierChange | null {
    const server = this.#servers.get(slot);
    if (server === undefined || server.bits !== Verdict.REFUSING) return null;
    server.reconnectAtMs = nowMs + RECONNECT_INTERVAL_MS;
    if (!isConnected) {
      server.steadySinceMs = Number.POSITIVE_INFINITY;
      return null;
    }
    server.steadySinceMs = Math.min(server.steadySinceMs, nowMs);
    if (nowMs - server.steadySinceMs < holdMs(server.count)) return null;
    return readmit(server, slot, nowMs, 'it takes connections again');
  }

  /**
   * Takes a server back before its time for a reason of the caller's, such as a probe that passes
   * again.
   */
  readmit(slot: number, nowMs: number, reason: string): OutlierChange | null {
    const server = this.#servers.get(slot);
    return server === undefined || server.bits === 0 ? null : readmit(server, slot, nowMs, reason);
  }

  /**
   * Slots to which a connection should be tried now. Each is named once per second until
   * `onReconnect` is called.
   */
  reconnectsDue(nowMs: number): number[] {
    const due: number[] = [];
    for (const [slot, server] of this.#servers) {
      if (server.reconnectAtMs > nowMs) continue;
      server.reconnectAtMs = nowMs + RECONNECT_INTERVAL_MS;
      due.push(slot);
    }
    return due;
  }

  /** Ends the ejections whose time is over. */
  advance(nowMs: number): OutlierChange[] {
    const changes: OutlierChange[] = [];
    for (const [slot, server] of this.#servers) {
      if (server.untilMs > nowMs) continue;
      changes.push(readmit(server, slot, nowMs, 'its time is over'));
      server.provingUntilMs = nowMs + this.#rules.ejectForMs;
    }
    return changes;
  }

  /**
   * When `advance` or `reconnectsDue` has something to do next; infinity when nothing is ejected.
   */
  nextAtMs(): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { untilMs, reconnectAtMs } of this.#servers.values()) {
      nextMs = Math.min(nextMs, untilMs, reconnectAtMs);
    }
    return nextMs;
  }

  /** When a server's ejection ends by itself; null when it is not ejected. */
  ejectedUntilMs(slot: number): number | null {
    const server = this.#servers.get(slot);
    return server === undefined || server.bits === 0 ? null : server.untilMs;
  }

  /** Ejections of a server that count towards the next one. */
  countOf(slot: number): number {
    return this.#servers.get(slot)?.count ?? 0;
  }

  /** The last decisions about a server, oldest first. */
  history(slot: number): OutlierEvent[] {
    return this.#servers.get(slot)?.history.toArray() ?? [];
  }

  #whySpared(slot: number, bit: number, verdictOf: VerdictOf): string | null {
    const others = [...this.#servers.keys()].filter((other) => other !== slot);
    if (!others.some((other) => verdictOf(other) === 0)) {
      return 'spared as the last eligible server of its pool';
    }
    if (bit !== Verdict.EJECTED) return null;
    if (this.#trouble !== null) return `spared as ${this.#trouble}`;
    const ejected = others.filter((other) => this.#servers.get(other)!.bits === Verdict.EJECTED);
    const ejectedMax = Math.max(1, Math.floor(this.#servers.size * this.#rules.ejectMaxRatio));
    return ejected.length < ejectedMax
      ? null
      : `spared as ${ejected.length} of ${this.#servers.size} servers are ejected already`;
  }

  #untilConnects({ count }: Ejectable): string {
    const neededMs = holdMs(count);
    return neededMs === 0
      ? 'it takes connections'
      : `it takes connections for ${seconds(neededMs)}`;
  }

  #eject(
    server: Ejectable,
    { slot, bit, why }: { slot: number; bit: number; why: string },
    nowMs: number,
  ): OutlierChange {
    const clearBits = server.bits;
    // From EJECTED to REFUSING is one ejection that got worse, not a second one.
    if (clearBits === 0) {
      const decayed = Math.floor((nowMs - server.calmSinceMs) / calmMs);
      server.count = Math.max(0, server.count - decayed) + 1;
    }
    const isRefusing = bit === Verdict.REFUSING;
    const lastsMs = isRefusing
      ? EJECTION_MAX_MS
      : Math.min(this.#rules.ejectForMs * server.count, EJECTION_MAX_MS);
    server.bits = bit;
    server.untilMs = nowMs + lastsMs;
    server.reconnectAtMs = isRefusing ? nowMs + RECONNECT_INTERVAL_MS : Number.POSITIVE_INFINITY;
    server.steadySinceMs = Number.POSITIVE_INFINITY;
    const kind = isRefusing ? 'refusing' : 'ejected';
    const event: OutlierEvent = {
      atMs: nowMs,
      slot,
      kind,
      reason: isRefusing
        ? `${why}; out until ${this.#untilConnects(server)}`
        : `${why}; out for ${seconds(lastsMs)}`,
    };
    server.history.push(event);
    return { event, setBits: bit, clearBits, untilMs: server.untilMs };
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}

function readmit(server: Ejectable, slot: number, nowMs: number, reason: string): OutlierChange {
  const clearBits = server.bits;
  server.bits = 0;
  server.provingUntilMs = Number.NEGATIVE_INFINITY;
  server.untilMs = Number.POSITIVE_INFINITY;
  server.reconnectAtMs = Number.POSITIVE_INFINITY;
  server.calmSinceMs = nowMs;
  const event: OutlierEvent = { atMs: nowMs, slot, kind: 'readmitted', reason };
  server.history.push(event);
  return { event, setBits: 0, clearBits, untilMs: null };
}
