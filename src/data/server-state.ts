import type { Server } from '../model/snapshot.ts';
import type { DialTarget } from '../platform/driver.ts';
import type { ServerSide } from './exchange.ts';

/**
 * What a worker keeps of one server slot over reloads: where to dial, links kept for reuse, bases of its
 * counters. Configuration lives in the snapshot; load and verdicts live in shared memory.
 */
export class ServerState {
  readonly slot: number;
  readonly counters: number;
  readonly connectHistogram: number;
  readonly firstByteHistogram: number;
  readonly totalHistogram: number;
  server: Server;
  target: DialTarget | null = null;
  /** Links ready for reuse; the last one was used last. */
  readonly idle: ServerSide[] = [];
  /** `Keep-Alive: timeout=` of this server that control was told of, ms. */
  toldHintMs = -1;
  /** When it last closed an idle link of this worker (driver ms). */
  idleClosedAtMs = -1_000_000;
  /** Left the configuration, or drains: links are no longer kept. */
  isRetired = false;
  /** Version of the last snapshot that has it. */
  version = 0;
  /** `consecutive` of its pool: which streaks of failures control is told of; -1 = none. */
  streakTrigger = -1;

  constructor(
    server: Server,
    bases: {
      readonly counters: number;
      readonly connectHistogram: number;
      readonly firstByteHistogram: number;
      readonly totalHistogram: number;
    },
  ) {
    this.server = server;
    this.slot = server.slot;
    this.counters = bases.counters;
    this.connectHistogram = bases.connectHistogram;
    this.firstByteHistogram = bases.firstByteHistogram;
    this.totalHistogram = bases.totalHistogram;
  }

  /** Closes every idle link: the server left, drains, or moved. */
  retireIdle(): void {
    for (const link of this.idle.splice(0)) link.retire();
  }
}
