import type { PickingWorker } from '../balance/eligible.ts';
import type { PickRequest } from '../balance/policy.ts';
import type { TimingWheel } from '../base/timing-wheel.ts';
import type { FailureCode } from '../model/failure.ts';
import type { FromWorker } from '../model/messages.ts';
import type { SharedWords } from '../model/shared-memory.ts';
import type { CounterWriter } from '../observe/counters.ts';
import type { BufferPool, Driver } from '../platform/driver.ts';
import type { Head } from '../wire/http1/head.ts';
import type { ResponseForwarding } from '../wire/http1/write-response.ts';
import type { HooksOf } from './compiled-hooks.ts';
import type { Exchange, ServerSide, SpanSink } from './exchange.ts';
import type { FineTimers } from './fine-timers.ts';
import type { HookRunner } from './hook-runner.ts';
import type { LogLayout } from './log-layout.ts';
import type { MirrorLoad } from './mirror.ts';
import type { PoolGate } from './pool-gate.ts';
import type { HeadPlace } from './request-writer.ts';
import type { ServerState } from './server-state.ts';
import type { SlowRequests } from './slow-requests.ts';
import type { Tracing } from './tracing.ts';

/** The worker's conductor of exchanges, as links see it; implemented by `Forward`. */
export interface Conductor {
  /** A request's head is known and its route takes a server: choose one and send it on. */
  begin(exchange: Exchange): void;
  /**
   * A final head arrived whose status is one to try again: true when another try will be made. The server's half then
   * lets go of the exchange, sees to what is left of the answer, and calls `tryAgain`.
   */
  takesBack(exchange: Exchange, head: Head, side: ServerSide): boolean;
  tryAgain(exchange: Exchange, side: ServerSide): void;
  /** A final head arrived, is valid, and is about to go to the client. */
  answered(exchange: Exchange, status: number, side: ServerSide): void;
  /** The answer's last byte was given to the client's link. */
  finished(exchange: Exchange): void;
  /** The server's half died; `sawByte`: some byte of an answer had arrived. */
  serverFailed(exchange: Exchange, code: FailureCode, sawByte: boolean, side: ServerSide): void;
  /** The client's half died. */
  clientGone(exchange: Exchange, code: FailureCode): void;
  /** The request turned out invalid: takes it back from its server, so that it can be answered here. */
  withdraw(exchange: Exchange): void;
  /** Ended by ourselves with an answer of our own. */
  endedHere(exchange: Exchange): void;
  /** Both sides agreed on another protocol. */
  upgraded(exchange: Exchange, server: ServerSide, leftover: readonly number[]): void;
}

/** What every part of one worker's data plane shares. One object per worker, passed, never global. */
export interface Plane {
  readonly worker: number;
  /** Workers in all. */
  readonly workers: number;
  readonly driver: Driver;
  readonly buffers: BufferPool;
  readonly wheel: TimingWheel;
  /** For waits shorter than a few ticks of `wheel`. */
  readonly fineTimers: FineTimers;
  readonly words: SharedWords;
  readonly counters: CounterWriter;
  /** This worker's counter cells. */
  readonly cells: Float64Array;
  readonly histogramCells: Uint32Array;
  readonly random: () => number;
  readonly wallClock: () => number;
  /** What this worker picks with. */
  readonly picking: PickingWorker;
  readonly post: (message: FromWorker) => void;
  readonly conductor: Conductor;
  readonly hooksOf: HooksOf;
  readonly hooks: HookRunner;
  /** Reused by every parse; valid until the next one. */
  readonly requestHead: Head;
  readonly responseHead: Head;
  readonly pickRequest: PickRequest;
  /** A buffer of ours in the pool to compose heads in, and its first byte. */
  readonly scratchAt: number;
  /** Bytes that fit there. */
  readonly scratchBytes: number;
  /** For longer heads. */
  readonly wideScratch: Uint8Array;
  /** Refilled for every head that is written. */
  readonly headPlace: HeadPlace;
  /** Takes spans that nobody wants. */
  readonly nowhere: SpanSink;
  /** Refilled for every answer that is written. */
  readonly responseForm: ResponseForwarding;
  /** All buffers as a Buffer, to make strings of spans. */
  readonly text: Buffer;
  /** `Date: …\r\n`, renewed every second. */
  dateLine: Uint8Array;
  /** Exchanges that are free for reuse. */
  readonly freeExchanges: Exchange[];
  /** Server state by slot. */
  readonly servers: Map<number, ServerState>;
  /** Limits and queues of pools, by slot. */
  readonly gates: Map<number, PoolGate>;
  /** Somebody waits in a queue: other workers wake this one by its doorbell. */
  listenForTurns(): void;
  /** Copies for mirrors under way, by route slot. */
  readonly mirrorLoads: Map<number, MirrorLoad>;
  /** The same as IMF-fixdate. */
  date: string;
  /** Tunnels without progress end after this (ms). */
  tunnelIdleMs: number;
  isDraining: boolean;
  /** Another process takes new links, and this one has so long to finish its own (ms); 0 = no such drain. */
  replacedForMs: number;
  /** Requests that were slow for their route. */
  readonly slow: SlowRequests;
  /** Whether lines are wanted. */
  hasAccessLog: boolean;
  /** Decides on traces; null while none are configured. */
  tracing: Tracing | null;
  /** How they are wanted; null = the usual line for everyone. */
  logLayout: LogLayout | null;
  /** Writes the access-log line of an ended exchange or tunnel. */
  log(exchange: Exchange): void;
  /** First half of this worker's request ids. */
  readonly requestIdPrefix: number;
  nextRequestNumber(): number;
  /** Sixteen hexadecimal digits. */
  requestIdText(requestNumber: number): string;
}
