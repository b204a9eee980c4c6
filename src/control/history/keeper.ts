import type { HistoryDatabase } from '../../platform/history-database.ts';
import { answerSeries } from './answer.ts';
import { answerPlan } from './answer-plan.ts';
import { answerReport } from './answer-report.ts';
import type { HistoryOutcome, HistoryQuestion } from './questions.ts';
import type { RecordedRow } from './recorder.ts';
import { HistoryStore } from './store.ts';

/** What the thread of history is started with. */
export interface KeeperStart {
  /** Null: in memory. */
  readonly path: string | null;
  readonly bytesMax: number;
}

/** What it is told. */
export type ToKeeper =
  | { readonly type: 'rows'; readonly rows: readonly RecordedRow[] }
  | { readonly type: 'ask'; readonly id: number; readonly question: HistoryQuestion }
  | { readonly type: 'stop' };

/** What it tells. */
export type FromKeeper =
  | { readonly type: 'answer'; readonly id: number; readonly outcome: HistoryOutcome }
  | { readonly type: 'say'; readonly level: 'info' | 'warn'; readonly message: string };

/** What a keeper works with. */
export interface KeeperMeans {
  /** Errors: throws while the file cannot be opened; called again later. */
  readonly open: () => HistoryDatabase;
  readonly bytesMax: number;
  readonly tell: (message: FromKeeper) => void;
}

/** Rows that wait while the file cannot be opened or written: a minute of all tiers. */
const waitingMax = 70;
/** So often a fault that goes on is said again: once in as many commits. */
const saidEvery = 60;

/**
 * Keeps history in its thread: gathers rows, writes them when told to, answers questions. A disk that
 * is full, slow or gone costs history and nothing else.
 */
export class HistoryKeeper {
  readonly #means: KeeperMeans;
  #store: HistoryStore | null = null;
  #waiting: RecordedRow[] = [];
  #faults = 0;

  constructor(means: KeeperMeans) {
    this.#means = means;
  }

  take(rows: readonly RecordedRow[]): void {
    this.#waiting.push(...rows);
    if (this.#waiting.length > waitingMax)
      this.#waiting.splice(0, this.#waiting.length - waitingMax);
  }

  /** Writes what waits; to be called every few seconds. */
  commit(): void {
    try {
      const store = this.#opened();
      for (const row of this.#waiting) store.append(row);
      store.commit();
      this.#waiting = [];
      this.#faults = 0;
    } catch (error) {
      if (this.#faults++ % saidEvery === 0) {
        this.#means.tell({ type: 'say', level: 'warn', message: `history: ${textOf(error)}` });
      }
    }
  }

  answer(question: HistoryQuestion): HistoryOutcome {
    this.commit();
    if (this.#store === null) return { ok: false, problem: 'the history cannot be opened' };
    try {
      return { ok: true, json: JSON.stringify(answerTo(this.#store, question)) };
    } catch (error) {
      return { ok: false, problem: textOf(error) };
    }
  }

  close(): void {
    this.commit();
    this.#store?.close();
    this.#store = null;
  }

  #opened(): HistoryStore {
    if (this.#store !== null) return this.#store;
    const store = new HistoryStore(this.#means.open(), this.#means.bytesMax);
    store.mend();
    this.#store = store;
    return store;
  }
}

function answerTo(store: HistoryStore, question: HistoryQuestion): unknown {
  if (question.ask === 'series') return answerSeries(store, question);
  return question.ask === 'plan' ? answerPlan(store, question) : answerReport(store, question);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
