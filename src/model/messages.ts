import type { FailureCode } from './failure.ts';
import type { HookModule } from './hooks.ts';
import type { TailFilter } from './live.ts';
import type { SharedBuffers } from './shared-memory.ts';
import type { Snapshot } from './snapshot.ts';
import type { SpanBatch } from './spans.ts';

/** Contents of databases of addresses, in memory that all threads share. */
export interface GeoBytes {
  readonly country: SharedArrayBuffer | null;
  readonly asn: SharedArrayBuffer | null;
}

/** What a worker thread is started with (`workerData`). */
export interface ThreadStart extends Omit<WorkerStart, 'snapshot'> {
  readonly snapshot: PackedSnapshot;
}

/** What a data plane is started with. */
export interface WorkerStart {
  readonly worker: number;
  readonly driver: 'uring' | 'portable';
  readonly shared: SharedBuffers;
  readonly snapshot: Snapshot;
  /** The databases that the snapshot asks; absent where it asks none. */
  readonly geo?: GeoBytes | null;
  /** Listening sockets of this worker by listener name. */
  readonly sockets: Readonly<Record<string, ListenSocket>>;
  /** Seed of the worker's random numbers. */
  readonly seed: number;
  /** Test-only triggers are armed (`EVENKEEL_TEST_FAULTS=1`). */
  readonly areFaultsArmed: boolean;
}

/** A descriptor on Linux, an address elsewhere. */
export type ListenSocket =
  | { readonly kind: 'descriptor'; readonly fd: number }
  | { readonly kind: 'address'; readonly host: string; readonly port: number };

/** Bytes that all workers share, in pieces that are read one at a time. */
export interface PackedPart {
  /** The same in a later snapshot that has the same part. */
  readonly id: number;
  readonly bytes: SharedArrayBuffer;
  /** Where each piece ends. */
  readonly ends: readonly number[];
}

/** A snapshot as bytes; see platform/pack-snapshot. */
export interface PackedSnapshot {
  readonly version: number;
  /** The snapshot without routes and pools. */
  readonly frame: Uint8Array;
  readonly routes: PackedPart;
  readonly pools: readonly PackedPart[];
  /** Modules of hooks that it names: they are imported before it is read. */
  readonly hookModules: readonly HookModule[];
}

/** A request that was slow for its route: an exemplar of its times. */
export interface SlowRequest {
  /** Slot of the route. */
  readonly route: number;
  readonly us: number;
  /** The id of its log line, and of its trace; null where it has none. */
  readonly request: string | null;
  readonly trace: string | null;
  /** Epoch ms. */
  readonly atMs: number;
}

/** Control → worker. */
export type ToWorker =
  | {
      readonly type: 'publish';
      readonly snapshot: PackedSnapshot;
      readonly geo: GeoBytes | null;
      readonly sockets: Readonly<Record<string, ListenSocket>>;
    }
  /**
   * Stop accepting, finish what runs, close the rest when `deadlineMs` from now have passed; then `drained` and exit.
   * `isReplaced`: new links find another process, so idle ones are closed spread over some time.
   */
  | { readonly type: 'drain'; readonly deadlineMs: number; readonly isReplaced: boolean }
  /** Ends what runs on a server that is to be free, spread over `overMs`. */
  | { readonly type: 'close-server'; readonly slot: number; readonly overMs: number }
  /** Somebody looks at ended exchanges: those that one of the filters wants are sent. None: nobody looks. */
  | { readonly type: 'tail'; readonly filters: readonly TailFilter[] }
  | { readonly type: 'stop' }
  | { readonly type: 'fault'; readonly kind: 'invariant' | 'stuck' };

/** Worker → control. */
export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'applied'; readonly version: number }
  /** The streak of failures of a server reached a trigger (data counts, control decides). */
  | {
      readonly type: 'streak';
      readonly slot: number;
      readonly code: FailureCode;
      readonly count: number;
    }
  /** Complete access-log lines, each ended by LF. */
  | {
      readonly type: 'log';
      readonly lines: Uint8Array;
      readonly count: number;
      readonly dropped: number;
    }
  /** The same for those who look; `skipped`: wanted and above the limit. */
  | { readonly type: 'tail'; readonly lines: Uint8Array; readonly skipped: number }
  /** How long a server lets links be idle is known, and shorter than they were kept. `isSaid`: by its own word. */
  | {
      readonly type: 'idle-limit';
      readonly slot: number;
      readonly limitMs: number;
      readonly isSaid: boolean;
    }
  | { readonly type: 'gauges'; readonly gauges: Record<string, number> }
  | { readonly type: 'slow'; readonly requests: readonly SlowRequest[] }
  /** Spans of requests that have ended. */
  | { readonly type: 'spans'; readonly batch: SpanBatch }
  | { readonly type: 'suspicion'; readonly what: string }
  /** A hook of the user's failed; `before`: how many failures before it were not told. */
  | { readonly type: 'hook-fault'; readonly what: string; readonly before: number }
  | { readonly type: 'drained' };
