import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { instanceId } from '../control/admin/instance.ts';
import type { Config, ConfigHistory } from '../control/config/config.ts';
import type { FromKeeper, KeeperStart, ToKeeper } from '../control/history/keeper.ts';
import type {
  HistoryOutcome,
  HistoryQuestion,
  OpenQuestion,
  PoolAims,
} from '../control/history/questions.ts';
import { readingsOf } from '../control/history/readings.ts';
import { HistoryRecorder, type RecordedRow } from '../control/history/recorder.ts';
import type { TrafficSample } from '../control/report/sample.ts';
import { limits } from '../model/limits.ts';
import type { Clock, RunningTimer } from '../platform/clock.ts';
import { makePrivateDirectory, stateDirectories } from '../platform/private-files.ts';
import type { ProcessLog } from './process-log.ts';
import { sibling } from './sibling.ts';

/** What history needs of the balancer. */
export interface HistoryMeans {
  readonly sample: () => TrafficSample;
  /** What is known of the pools now, for plans and reports. */
  readonly aims: () => readonly PoolAims[];
  /** What was taken in a second. */
  readonly onTick: (atMs: number, sample: TrafficSample, rows: readonly RecordedRow[]) => void;
  /** Names its file; null: it is kept in memory. */
  readonly configFile: string | null;
  readonly clock: Clock;
  readonly log: ProcessLog;
}

const TICK_MS = 1_000;
/** A thread that died is started again after this; its rows since the last commit are lost. */
const AGAIN_MS = 10_000;
/** How long an answer may take: two months of many series are a second or two. */
const ANSWER_MS = 30_000;
/** How long a last commit may take when the process ends. */
const STOP_MS = 2_000;
/** In memory there is less room than on disk. */
const MEMORY_BYTES_MAX = 33_554_432;
/** The heap of the thread: a plan for fifty servers made the process 63 MB larger. */
const HEAP_MB_MAX = 128;

/** History of a running balancer: takes a reading each second, and asks the thread that keeps them. */
export class History {
  readonly #means: HistoryMeans;
  readonly #recorder = new HistoryRecorder();
  readonly #asked = new Map<number, (outcome: HistoryOutcome) => void>();
  /** Tells the settings in force from others. */
  #mark = '';
  #thread: Worker | null = null;
  #timer: RunningTimer | null = null;
  #again: RunningTimer | null = null;
  #ids = 0;
  #leftOut = 0;

  constructor(means: HistoryMeans) {
    this.#means = means;
  }

  /**
   * Follows the configuration: begins, ends, or goes on in another place. Alerts need the readings
   * also where nothing is kept.
   */
  async use({ history, alerts }: Pick<Config, 'history' | 'alerts'>): Promise<void> {
    const hasAlerts = alerts !== null && alerts !== undefined;
    const mark = JSON.stringify([history, hasAlerts]);
    if (mark === this.#mark) return;
    await this.stop();
    this.#mark = mark;
    if (history?.isEnabled === true) this.#startThread(history);
    if (history?.isEnabled === true || hasAlerts) this.#nextTick();
  }

  /** Whether there is something to ask. */
  get isKept(): boolean {
    return this.#thread !== null;
  }

  /** Errors: an outcome that says why, also when history is off. */
  ask(open: OpenQuestion): Promise<HistoryOutcome> {
    const question = this.#completed(open);
    const thread = this.#thread;
    if (thread === null) {
      const problem = 'no history is kept: `history` is off in the configuration';
      return Promise.resolve({ ok: false, problem });
    }
    const id = ++this.#ids;
    return new Promise((resolve) => {
      const problem = `history took longer than ${ANSWER_MS} ms`;
      const late = this.#means.clock.after(ANSWER_MS, () =>
        this.#settle(id, { ok: false, problem }),
      );
      this.#asked.set(id, (outcome) => {
        late.stop();
        resolve(outcome);
      });
      thread.postMessage({ type: 'ask', id, question } satisfies ToKeeper);
    });
  }

  /** Writes the last rows and lets the file go. */
  async stop(): Promise<void> {
    this.#timer?.stop();
    this.#again?.stop();
    const thread = this.#thread;
    this.#thread = null;
    this.#mark = '';
    if (thread === null) return;
    const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
    const rows = this.#recorder.flush();
    this.#recorder.restart();
    thread.postMessage({ type: 'rows', rows } satisfies ToKeeper);
    thread.postMessage({ type: 'stop' } satisfies ToKeeper);
    const late = new Promise<void>((resolve) => this.#means.clock.after(STOP_MS, resolve));
    await Promise.race([ended, late]);
  }

  #completed(open: OpenQuestion): HistoryQuestion {
    if (open.ask === 'series') return open;
    const aims = this.#means.aims();
    if (open.ask === 'report' || open.pool === null) return { ...open, pools: aims };
    return { ...open, pools: aims.filter(({ name }) => name === open.pool) };
  }

  #startThread(settings: ConfigHistory): void {
    const { log, clock } = this.#means;
    const path = this.#pathOf(settings);
    const bytesMax = path === null ? MEMORY_BYTES_MAX : settings.bytesMax;
    const start: KeeperStart = { path, bytesMax };
    const thread = new Worker(sibling(import.meta.url, 'history-entry'), {
      workerData: start,
      execArgv: [...process.execArgv, '--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
    });
    thread.unref();
    this.#thread = thread;
    thread.on('message', (message: FromKeeper) => {
      if (message.type === 'say') log[message.level](message.message);
      else this.#settle(message.id, message.outcome);
    });
    thread.on('error', (error) => log.warn('The thread of history failed', { why: String(error) }));
    thread.on('exit', () => {
      for (const id of [...this.#asked.keys()]) {
        this.#settle(id, { ok: false, problem: 'the thread of history ended' });
      }
      if (this.#thread !== thread) return;
      this.#thread = null;
      this.#again = clock.after(AGAIN_MS, () => this.#startThread(settings));
    });
  }

  #settle(id: number, outcome: HistoryOutcome): void {
    this.#asked.get(id)?.(outcome);
    this.#asked.delete(id);
  }

  #nextTick(): void {
    const { clock } = this.#means;
    // On the second, so that rows of all balancers and days meet.
    this.#timer = clock.after(TICK_MS - (clock.wallMs() % TICK_MS), () => {
      this.#tick();
      this.#nextTick();
    });
  }

  #tick(): void {
    const { sample, clock, log } = this.#means;
    const taken = sample();
    const { readings, leftOut } = readingsOf(taken, limits.historySeries);
    if (leftOut > 0 && this.#leftOut === 0) {
      log.warn('History follows no more series: some servers are left out', { leftOut });
    }
    this.#leftOut = leftOut;
    const atMs = Math.round(clock.wallMs() / TICK_MS) * TICK_MS;
    const rows = this.#recorder.tick(atMs, readings);
    this.#means.onTick(atMs, taken, rows);
    if (rows.length === 0) return;
    this.#thread?.postMessage({ type: 'rows', rows } satisfies ToKeeper);
  }

  #pathOf({ directory }: ConfigHistory): string | null {
    const { configFile, log } = this.#means;
    if (configFile === null) return null;
    const reasons: string[] = [];
    for (const candidate of directory === null ? stateDirectories() : [directory]) {
      const reason = makePrivateDirectory(candidate);
      if (reason === null)
        return join(candidate, `history-${instanceId(configFile, process.pid)}.db`);
      reasons.push(reason);
    }
    log.warn('No directory can keep history: it is kept in memory', { reasons });
    return null;
  }
}
