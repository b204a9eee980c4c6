import type { EventLoopUtilization } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import type { WorkerStatus } from '../control/report/status.ts';
import { limits } from '../model/limits.ts';
import type { LiveWorkerTick, TailFilter } from '../model/live.ts';
import type {
  FromWorker,
  GeoBytes,
  ListenSocket,
  ThreadStart,
  ToWorker,
} from '../model/messages.ts';
import type { SharedBuffers, SharedWords } from '../model/shared-memory.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { settleStarted } from '../observe/counters.ts';
import { type Clock, heartbeatAgeMs, heartbeatMs, type RunningTimer } from '../platform/clock.ts';
import { packSnapshot } from '../platform/pack-snapshot.ts';
import { foldWorker } from './fold-worker.ts';
import type { ProcessLog } from './process-log.ts';

/** What the crew works with. */
export interface CrewMeans {
  /** Module of the thread. */
  readonly entry: URL;
  readonly count: number;
  readonly driver: 'uring' | 'portable';
  readonly shared: SharedBuffers;
  readonly words: SharedWords;
  readonly clock: Clock;
  readonly log: ProcessLog;
  readonly random: () => number;
  readonly areFaultsArmed: boolean;
  /**
   * The snapshot in force and the sockets of a worker, whenever one starts or hears of a change.
   */
  readonly snapshot: () => Snapshot;
  /** The databases that a snapshot asks. */
  readonly geoOf: (snapshot: Snapshot) => GeoBytes | null;
  readonly socketsOf: (worker: number) => Readonly<Record<string, ListenSocket>>;
  /** Closes what a dead thread left open in the kernel; returns how many links. */
  readonly reclaim: (worker: number) => number;
  readonly onMessage: (worker: number, message: FromWorker) => void;
  /** Every worker has applied this version. */
  readonly onApplied: (version: number) => void;
  /** A thread died and will be replaced. */
  readonly onDied: (worker: number, why: string) => void;
  /** A worker is stuck or workers die again and again: only a new process helps. */
  readonly onHopeless: (why: string) => void;
}

/** So many deaths within so long are no accident: the process is replaced. */
const DEATHS_MAX = 5;
const DEATHS_WITHIN_MS = 10_000;
/** Back-off of replacements: the first at once, then doubling. */
const REPLACE_MS = 50;
/** How often heartbeats are read. A check that comes later than twice that was itself held up. */
const CHECK_MS = 1_000;
/** How long threads get to end by themselves when all must stop at once. */
const STOP_MS = 1_000;
/** A thread that has not begun to beat after this will not: ten times what the slowest start took. */
const START_MS = 30_000;
const HEARTBEAT_WORDS = 16;

interface Member {
  readonly index: number;
  thread: Worker | null;
  state: WorkerStatus['state'];
  restarts: number;
  appliedVersion: number;
  gauges: Readonly<Record<string, number>>;
  /** Time at work and at rest when it was last looked at. */
  lastUse: EventLoopUtilization | null;
}

/** The worker threads: starts, watches and replaces them, and speaks to all of them at once. */
export class WorkerCrew {
  readonly #means: CrewMeans;
  readonly #members: Member[];
  readonly #deathsAtMs: number[] = [];
  readonly #waiting = new Set<() => void>();
  #tailFilters: readonly TailFilter[] = [];
  #isEnding = false;
  #appliedVersion = 0;
  #lastCheckMs = 0;
  #check: RunningTimer | null = null;

  constructor(means: CrewMeans) {
    this.#means = means;
    this.#members = Array.from({ length: means.count }, (_, index) => ({
      index,
      thread: null,
      state: 'starting',
      restarts: 0,
      appliedVersion: 0,
      gauges: {},
      lastUse: null,
    }));
  }

  /** Starts all threads; resolves when all are ready. */
  start(): Promise<void> {
    this.#lastCheckMs = this.#means.clock.nowMs();
    this.#check = this.#means.clock.every(CHECK_MS, () => this.#checkHeartbeats());
    for (const member of this.#members) this.#startThread(member);
    return this.#until(() => this.#members.every((member) => member.state === 'ready'));
  }

  /** True while every worker takes traffic. */
  get isReady(): boolean {
    return this.#members.every((member) => member.state === 'ready');
  }

  /** True when no thread is left. */
  get hasEnded(): boolean {
    return this.#members.every((member) => member.thread === null);
  }

  /** Sends the snapshot in force to all workers. */
  publish(): void {
    const snapshot = this.#means.snapshot();
    const geo = this.#means.geoOf(snapshot);
    const packed = packSnapshot(snapshot);
    for (const { index, thread } of this.#members) {
      const sockets = this.#means.socketsOf(index);
      tell(thread, { type: 'publish', snapshot: packed, geo, sockets });
    }
  }

  /** Ends what runs on a server that is to be free, spread over `overMs`. */
  closeServer(slot: number, overMs: number): void {
    for (const { thread } of this.#members) tell(thread, { type: 'close-server', slot, overMs });
  }

  /** Asks for ended exchanges that one of the filters wants, also of workers that start later. */
  tail(filters: readonly TailFilter[]): void {
    this.#tailFilters = filters;
    for (const { thread } of this.#members) tell(thread, { type: 'tail', filters });
  }

  /** Each worker's share of time at work since the last call, and what else is shown live. */
  live(): LiveWorkerTick[] {
    return this.#members.map((member) => {
      const { state, restarts, thread } = member;
      const total = thread?.performance.eventLoopUtilization() ?? null;
      const before = member.lastUse;
      member.lastUse = total;
      const isKnown = total !== null && before !== null && total.active >= before.active;
      const active = isKnown ? total.active - before.active : 0;
      const span = isKnown ? active + total.idle - before.idle : 0;
      return { state, restarts, busy: span > 0 ? Math.round((active / span) * 1000) / 1000 : null };
    });
  }

  /** Resolves when every worker has applied `version`. A worker that is replaced starts with it. */
  whenApplied(version: number): Promise<void> {
    return this.#until(() => this.#appliedVersion >= version);
  }

  /** No new traffic; resolves when all threads have ended, at latest soon after the deadline. */
  drain(deadlineMs: number, isReplaced = false): Promise<void> {
    this.#isEnding = true;
    this.#check?.stop();
    for (const member of this.#members) {
      if (member.state === 'replacing') member.state = 'drained';
      if (member.state !== 'drained') member.state = 'draining';
      tell(member.thread, { type: 'drain', deadlineMs, isReplaced });
    }
    return this.#until(() => this.#members.every((member) => member.thread === null));
  }

  /** Ends all threads at once; resolves to false when some did not end in time. */
  async stop(): Promise<boolean> {
    this.#isEnding = true;
    this.#check?.stop();
    for (const { thread } of this.#members) tell(thread, { type: 'stop' });
    let isLate = false;
    const timer = this.#means.clock.after(STOP_MS, () => {
      isLate = true;
      this.#wake();
    });
    await this.#until(() => isLate || this.#members.every((member) => member.thread === null));
    timer.stop();
    return !isLate;
  }

  /** Plants a fault; false when there is no such worker now. */
  injectFault(worker: number, kind: 'invariant' | 'stuck'): boolean {
    const thread = this.#members[worker]?.thread ?? null;
    tell(thread, { type: 'fault', kind });
    return thread !== null;
  }

  /** The workers as `status` shows them. */
  status(): WorkerStatus[] {
    return this.#members.map(({ index, state, restarts, appliedVersion, gauges }) => {
      const heartbeatAge = this.#heartbeatAge(index);
      return { index, state, heartbeatAgeMs: heartbeatAge, restarts, appliedVersion, gauges };
    });
  }

  #startThread(member: Member): void {
    const { driver, shared, words, random, areFaultsArmed } = this.#means;
    const snapshot = this.#means.snapshot();
    const start: ThreadStart = {
      worker: member.index,
      driver,
      shared,
      snapshot: packSnapshot(snapshot),
      geo: this.#means.geoOf(snapshot),
      sockets: this.#means.socketsOf(member.index),
      seed: Math.floor(random() * 0x100000000),
      areFaultsArmed,
    };
    Atomics.store(words.heartbeat, member.index * HEARTBEAT_WORDS, heartbeatMs());
    const thread = new Worker(this.#means.entry, { workerData: start });
    member.thread = thread;
    member.state = 'starting';
    member.appliedVersion = 0;
    member.lastUse = null;
    let why = 'it ended by itself';
    thread.on('error', (error) => {
      why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    });
    thread.on('message', (message: FromWorker) => this.#onMessage(member, start, message));
    thread.once('exit', () => this.#onExit(member, why));
  }

  #onMessage(member: Member, start: ThreadStart, message: FromWorker): void {
    if (message.type === 'ready') {
      if (member.state === 'starting') member.state = 'ready';
      const filters = this.#tailFilters;
      if (filters.length > 0) tell(member.thread, { type: 'tail', filters });
      member.appliedVersion = Math.max(member.appliedVersion, start.snapshot.version);
    } else if (message.type === 'applied') {
      member.appliedVersion = Math.max(member.appliedVersion, message.version);
    } else if (message.type === 'gauges') {
      member.gauges = message.gauges;
    } else if (message.type === 'suspicion') {
      this.#means.log.warn('A worker saw something that should not happen', {
        worker: member.index,
        what: message.what,
      });
    }
    this.#means.onMessage(member.index, message);
    this.#noteApplied();
    this.#wake();
  }

  #noteApplied(): void {
    const applied = Math.min(...this.#members.map((member) => member.appliedVersion));
    if (applied <= this.#appliedVersion) return;
    this.#appliedVersion = applied;
    this.#means.onApplied(applied);
  }

  #onExit(member: Member, why: string): void {
    member.thread = null;
    const { words, log, clock, reclaim, onDied } = this.#means;
    const closed = reclaim(member.index);
    const folded = foldWorker(words, member.index, this.#means.count);
    settleStarted(this.#means.shared, member.index);
    if (this.#isEnding) {
      member.state = 'drained';
      this.#wake();
      return;
    }
    member.state = 'replacing';
    member.restarts++;
    const nowMs = clock.nowMs();
    this.#deathsAtMs.push(nowMs);
    while (nowMs - (this.#deathsAtMs[0] as number) > DEATHS_WITHIN_MS) this.#deathsAtMs.shift();
    const deaths = this.#deathsAtMs.length;
    onDied(member.index, why);
    log.error('A worker died and is replaced', {
      worker: member.index,
      why,
      closed,
      ...folded,
      deaths,
    });
    if (deaths >= DEATHS_MAX) {
      this.#means.onHopeless(`${deaths} workers died within ${DEATHS_WITHIN_MS} ms`);
      return;
    }
    if (deaths === 1) {
      this.#startThread(member);
      return;
    }
    clock.after(REPLACE_MS * 2 ** (deaths - 2), () => {
      if (member.state === 'replacing') this.#startThread(member);
    });
  }

  #checkHeartbeats(): void {
    const nowMs = this.#means.clock.nowMs();
    const wasHeldUp = nowMs - this.#lastCheckMs > 2 * CHECK_MS;
    this.#lastCheckMs = nowMs;
    // After a stopped or sleeping machine every beat is old; they come again before the next check.
    if (wasHeldUp) return;
    for (const { index, thread, state } of this.#members) {
      const ageMs = this.#heartbeatAge(index);
      // A thread that starts does not beat yet: on a busy machine its modules take their time.
      const staleMs = state === 'starting' ? START_MS : limits.heartbeatStaleMs;
      if (thread === null || ageMs <= staleMs) continue;
      this.#means.onHopeless(`worker ${index} is stuck: no heartbeat for ${ageMs} ms`);
      return;
    }
  }

  #heartbeatAge(worker: number): number {
    const beat = Atomics.load(this.#means.words.heartbeat, worker * HEARTBEAT_WORDS);
    return heartbeatAgeMs(heartbeatMs(), beat);
  }

  #until(isDone: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!isDone()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  #wake(): void {
    for (const look of [...this.#waiting]) look();
  }
}

function tell(thread: Worker | null, message: ToWorker): void {
  thread?.postMessage(message);
}
