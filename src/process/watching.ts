import { EventBook } from '../control/live/event-book.ts';
import { LiveFeed } from '../control/live/live-feed.ts';
import { type TailBatch, TailFeed } from '../control/live/tail-feed.ts';
import type { Watch } from '../control/live/watch.ts';
import type { HealthLog } from '../control/probe/health-log.ts';
import type {
  ReloadOutcome,
  ServerOperation,
  UpgradeOutcome,
} from '../control/publish/operations.ts';
import type { Clock } from '../platform/clock.ts';
import type { ProcessLog } from './process-log.ts';
import type { Reports } from './reports.ts';
import type { WorkerCrew } from './worker-crew.ts';

/** What a balancer knows of itself. */
interface Present {
  readonly isDraining: boolean;
  readonly isHistoryKept: boolean;
}

/** Keeps the events of the process and feeds those who look at it. */
export class Watching implements Watch {
  readonly #book: EventBook;
  readonly #log: ProcessLog;
  #live: LiveFeed | null = null;
  #tail: TailFeed | null = null;
  #lastReload: ReloadOutcome | null = null;

  constructor(clock: Clock, log: ProcessLog) {
    this.#book = new EventBook(() => clock.wallMs());
    this.#log = log;
  }

  /** Before it, events are kept and nobody can look. */
  attach(clock: Clock, reports: Reports, crew: WorkerCrew, now: Present): void {
    this.#live = new LiveFeed({
      clock,
      events: this.#book,
      process: () => reports.process(now.isDraining),
      traffic: () => reports.traffic(),
      sample: () => reports.sample(),
      workers: () => crew.live(),
      hasHistory: () => now.isHistoryKept,
    });
    this.#tail = new TailFeed((filters) => crew.tail(filters));
  }

  readonly events: Watch['events'] = (after) => this.#book.after(after);
  readonly live: Watch['live'] = (send) => this.#live?.follow(send) ?? (() => {});
  readonly tail: Watch['tail'] = (filter, send) => this.#tail?.follow(filter, send) ?? (() => {});

  /** Lines of a worker. */
  take(batch: TailBatch): void {
    this.#tail?.take(batch);
  }

  /** The process log of health, which is events too. */
  readonly onHealth: HealthLog = (level, message, about) => {
    this.#log[level](message);
    if (about !== undefined) this.#book.note({ ...about, level });
  };

  onStarted(text: string): void {
    this.#note('info', text);
  }

  onWorkerDied(worker: number, why: string): void {
    const [first = ''] = why.split('\n');
    this.#note('error', `worker ${worker} died and is replaced: ${first.slice(0, 200)}`);
  }

  onUpgrade(outcome: UpgradeOutcome): void {
    if (outcome.ok) this.#note('info', `replaced by process ${outcome.pid}`);
    else this.#note('error', `upgrade: ${outcome.problem}`);
  }

  /** Calls that shared one reload give one event. */
  onReload(outcome: ReloadOutcome): void {
    if (outcome === this.#lastReload) return;
    this.#lastReload = outcome;
    const level = outcome.ok ? 'info' : 'error';
    const text = outcome.ok
      ? `version ${outcome.version} in force: ${outcome.changes.join('; ')}`
      : `refused: ${outcome.problems.join('; ')}`;
    this.#book.note({ kind: 'reload', level, pool: null, server: null, text });
  }

  /** Drains are told by health. */
  onChanges(changes: readonly ServerOperation[]): void {
    for (const change of changes) {
      if (change.op === 'drain' || change.op === 'ready') continue;
      const server = change.op === 'add' ? change.server.address : change.address;
      const text =
        change.op === 'set'
          ? `weight ${change.weight} set by an operator`
          : `${change.op === 'add' ? 'added' : 'removed'} by an operator`;
      this.#book.note({ kind: 'operator', level: 'info', pool: change.pool, server, text });
    }
  }

  #note(level: 'info' | 'error', text: string): void {
    this.#book.note({ kind: 'process', level, pool: null, server: null, text });
  }
}
