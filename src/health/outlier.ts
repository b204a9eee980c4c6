import { RingBuffer } from '../base/ring-buffer.ts';
import type { FailureCode } from '../model/failure.ts';
import { Verdict } from '../model/shared-memory.ts';
import { isDialFailure, streakTrigger } from './streak.ts';

/**
 * First ejection; the n-th in a row lasts n times that, at most `EJECTION_MAX_MS`. Source: nginx's
 * 10 s, Envoy's 300 s.
 */
const EJECTION_BASE_MS = 10_000;
const EJECTION_MAX_MS = 300_000;

/** The count of ejections falls by one for each such time without one. */
const DECAY_MS = 60_000;

/** Share of a pool's servers that may be softly ejected at once, but at least one server. */
const EJECTED_SHARE_MAX = 0.3;

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

interface Ejectable {
  bits: number;
  untilMs: number;
  reconnectAtMs: number;
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
 * Passive health of one pool: decides on streaks who is ejected, for how long, and who may return.
 * Pure: control feeds it events and the time, carries out the changes and calls `advance` by
 * `nextAtMs`.
 *
 * A streak of failed dials makes a server REFUSING: panic never takes it back; a connection that
 * succeeds, tried every second, or the end of its time does. A streak of resets, time-outs or
 * 502–504 makes it EJECTED: softly, and at most 30 % of the pool's servers at once (one in pools of
 * up to six). The last eligible server is never ejected.
 */
export class OutlierJudge {
  readonly #servers = new Map<number, Ejectable>();

  /**
   * Takes over the pool's servers that may get traffic (weight above 0): what is known of those
   * that stay is kept.
   */
  setServers(slots: readonly number[]): void {
    for (const slot of this.#servers.keys()) if (!slots.includes(slot)) this.#servers.delete(slot);
    for (const slot of slots) {
      if (this.#servers.has(slot)) continue;
      const history = new RingBuffer<OutlierEvent>(HISTORY_MAX);
      const past = Number.NEGATIVE_INFINITY;
      const never = Number.POSITIVE_INFINITY;
      this.#servers.set(slot, {
        bits: 0,
        untilMs: never,
        reconnectAtMs: never,
        count: 0,
        calmSinceMs: past,
        sparedAtMs: past,
        history,
      });
    }
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
    if (server === undefined || count < streakTrigger(code)) return null;
    const bit = isDialFailure(code) ? Verdict.REFUSING : Verdict.EJECTED;
    if (server.bits >= bit) return null;
    const why = `${count} failures in a row, the last one ${code}`;
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
   * A connection that the prober tried: success takes the server back, failure means another try in
   * a second.
   */
  onReconnect(slot: number, isConnected: boolean, nowMs: number): OutlierChange | null {
    const server = this.#servers.get(slot);
    if (server === undefined || server.bits !== Verdict.REFUSING) return null;
    if (isConnected) return readmit(server, slot, nowMs, 'it takes connections again');
    server.reconnectAtMs = nowMs + RECONNECT_INTERVAL_MS;
    return null;
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
      if (server.untilMs <= nowMs) changes.push(readmit(server, slot, nowMs, 'its time is over'));
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
    const ejected = others.filter((other) => this.#servers.get(other)!.bits === Verdict.EJECTED);
    const ejectedMax = Math.max(1, Math.floor(this.#servers.size * EJECTED_SHARE_MAX));
    return ejected.length < ejectedMax
      ? null
      : `spared as ${ejected.length} of ${this.#servers.size} servers are ejected already`;
  }

  #eject(
    server: Ejectable,
    { slot, bit, why }: { slot: number; bit: number; why: string },
    nowMs: number,
  ): OutlierChange {
    const clearBits = server.bits;
    // From EJECTED to REFUSING is one ejection that got worse, not a second one.
    if (clearBits === 0) {
      const decayed = Math.floor((nowMs - server.calmSinceMs) / DECAY_MS);
      server.count = Math.max(0, server.count - decayed) + 1;
    }
    const lastsMs = Math.min(EJECTION_BASE_MS * server.count, EJECTION_MAX_MS);
    server.bits = bit;
    server.untilMs = nowMs + lastsMs;
    const isRefusing = bit === Verdict.REFUSING;
    server.reconnectAtMs = isRefusing ? nowMs + RECONNECT_INTERVAL_MS : Number.POSITIVE_INFINITY;
    const kind = isRefusing ? 'refusing' : 'ejected';
    const event: OutlierEvent = {
      atMs: nowMs,
      slot,
      kind,
      reason: `${why}; out for ${lastsMs / 1000} s`,
    };
    server.history.push(event);
    return { event, setBits: bit, clearBits, untilMs: server.untilMs };
  }
}

function readmit(server: Ejectable, slot: number, nowMs: number, reason: string): OutlierChange {
  const clearBits = server.bits;
  server.bits = 0;
  server.untilMs = Number.POSITIVE_INFINITY;
  server.reconnectAtMs = Number.POSITIVE_INFINITY;
  server.calmSinceMs = nowMs;
  const event: OutlierEvent = { atMs: nowMs, slot, kind: 'readmitted', reason };
  server.history.push(event);
  return { event, setBits: 0, clearBits, untilMs: null };
}
