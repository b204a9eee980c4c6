import type { Clock, RunningTimer } from '../../platform/clock.ts';
import type { ConfigServer } from '../config/config.ts';
import { type ConfigDiscovery, discoveryName } from '../config/discovery.ts';
import type { DiscoveryStatus } from '../report/status.ts';
import { suspicionOf } from './guard.ts';
import type { RunningSource, SourceSink } from './source.ts';

/** What a followed source tells. */
export interface FollowedSourceMeans {
  readonly clock: Clock;
  readonly start: (source: ConfigDiscovery, sink: SourceSink) => RunningSource;
  /** What is in use changed. */
  readonly onChange: () => void;
  /** It answered or failed for the first time. */
  readonly onSettled: () => void;
  readonly log: (level: 'info' | 'warn', message: string) => void;
}

/** An answer that takes away too much: not believed until it has stood so long. */
interface Held {
  servers: readonly ConfigServer[];
  readonly sinceMs: number;
  readonly why: string;
  readonly timer: RunningTimer;
}

/**
 * One source of a pool with what is believed of it:
 *
 *   waiting ──answer──▶ ok ◀──answer── failing     (the last good answer stays in use)
 *                        │ ▲
 *      too many vanish   ▼ │ they are back, or the time is over
 *                      holding                      (the last answer and the new one together are in use)
 */
export class FollowedSource {
  readonly pool: string;
  readonly source: ConfigDiscovery;
  isSettled = false;
  readonly #name: string;
  readonly #means: FollowedSourceMeans;
  #running: RunningSource | null = null;
  /** Last good answer, or what was there before the first. */
  #servers: readonly ConfigServer[] = [];
  #hasAnswered = false;
  #held: Held | null = null;
  #failure: string | null = null;
  #answers = 0;
  #failures = 0;
  #heldAnswers = 0;
  #answeredAtMs: number | null = null;
  #changedAtMs: number | null = null;

  constructor(pool: string, source: ConfigDiscovery, means: FollowedSourceMeans) {
    this.pool = pool;
    this.source = source;
    this.#name = `pool ${pool}, ${discoveryName(source)}`;
    this.#means = means;
  }

  /** Before `start`: what this source found in a process before us. */
  restore(servers: readonly ConfigServer[]): void {
    this.#servers = servers;
    this.#hasAnswered = true;
    // Nobody needs to wait for its next answer.
    this.isSettled = true;
  }

  /** Before `start`: what the sources found that this one replaces; in use until its first answer. */
  inherit(servers: readonly ConfigServer[]): void {
    this.#servers = servers;
  }

  /** Begins to ask. What it learns is told by the means' calls. */
  start(): void {
    this.#running = this.#means.start(this.source, {
      found: (servers) => this.#onFound(servers),
      same: () => this.#onSame(),
      failed: (why) => this.#onFailed(why),
    });
  }

  stop(): void {
    this.#running?.stop();
    this.#held?.timer.stop();
    this.#held = null;
  }

  /** What is in use now. */
  get servers(): readonly ConfigServer[] {
    if (this.#held === null) return this.#servers;
    // What vanished stays, what is new may already help.
    const known = new Set(this.#held.servers.map(({ address }) => address));
    const kept = this.#servers.filter(({ address }) => !known.has(address));
    return [...this.#held.servers, ...kept];
  }

  /** For `status` and metrics. */
  status(): DiscoveryStatus {
    const held = this.#held;
    return {
      source: discoveryName(this.source),
      state:
        this.#failure !== null
          ? 'failing'
          : held !== null
            ? 'holding'
            : this.#hasAnswered
              ? 'ok'
              : 'waiting',
      why: this.#failure ?? held?.why ?? null,
      servers: this.servers.length,
      answers: this.#answers,
      failures: this.#failures,
      heldAnswers: this.#heldAnswers,
      answeredAtMs: this.#answeredAtMs,
      changedAtMs: this.#changedAtMs,
    };
  }

  #onFound(servers: readonly ConfigServer[]): void {
    this.#onAnswer();
    const why = this.#suspicionOf(servers);
    const before = this.servers;
    if (why === null) this.#believe(servers);
    else this.#hold(servers, why);
    this.#hasAnswered = true;
    this.#tell(before);
    this.#settle();
  }

  #onSame(): void {
    this.#onAnswer();
    const held = this.#held;
    if (held !== null) {
      const before = this.servers;
      if (this.#isOver(held)) this.#believe(held.servers);
      this.#tell(before);
    }
    this.#settle();
  }

  #onFailed(why: string): void {
    this.#failures++;
    if (this.#failure === null) {
      const count = this.servers.length;
      const kept = count === 0 ? 'it has found no server yet' : `its last ${count} stay in use`;
      this.#means.log('warn', `${this.#name}: no answer: ${why}; ${kept}`);
    }
    this.#failure = why;
    this.#settle();
  }

  #onAnswer(): void {
    this.#answers++;
    this.#answeredAtMs = this.#means.clock.wallMs();
    if (this.#failure !== null) this.#means.log('info', `${this.#name}: answers again`);
    this.#failure = null;
  }

  #suspicionOf(servers: readonly ConfigServer[]): string | null {
    const { keepLastMs, vanishRatio } = this.source;
    if (keepLastMs === 0) return null;
    // Another source may well have fewer servers than the one it replaces.
    if (!this.#hasAnswered && servers.length > 0) return null;
    const why = suspicionOf(this.#servers.length, servers.length, { vanishRatio });
    return why !== null && this.#held !== null && this.#isOver(this.#held) ? null : why;
  }

  #isOver(held: Held): boolean {
    return this.#means.clock.nowMs() - held.sinceMs >= this.source.keepLastMs;
  }

  #believe(servers: readonly ConfigServer[]): void {
    if (this.#held !== null) {
      this.#held.timer.stop();
      this.#held = null;
      this.#means.log('info', `${this.#name}: its answer is believed: ${servers.length} servers`);
    }
    this.#servers = servers;
  }

  #hold(servers: readonly ConfigServer[], why: string): void {
    this.#heldAnswers++;
    if (this.#held !== null) {
      this.#held.servers = servers;
      return;
    }
    const { clock, log } = this.#means;
    const { keepLastMs } = this.source;
    const timer = clock.after(keepLastMs, () => this.#onHeldLong());
    this.#held = { servers, sinceMs: clock.nowMs(), why, timer };
    log('warn', `${this.#name}: its answer is held back for ${keepLastMs / 1_000} s: ${why}`);
  }

  /** Sources that only tell changes do not repeat an answer; one that fails now must confirm it first. */
  #onHeldLong(): void {
    const held = this.#held;
    if (held === null || this.#failure !== null) return;
    const before = this.servers;
    this.#believe(held.servers);
    this.#tell(before);
  }

  #tell(before: readonly ConfigServer[]): void {
    const after = this.servers;
    if (JSON.stringify(before) === JSON.stringify(after)) return;
    this.#changedAtMs = this.#means.clock.wallMs();
    this.#means.log('info', `${this.#name}: ${changeText(before, after)}`);
    this.#means.onChange();
  }

  #settle(): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.#means.onSettled();
  }
}

/** Addresses named in one line of the log. */
const SHOWN = 5;

function changeText(before: readonly ConfigServer[], after: readonly ConfigServer[]): string {
  const old = new Set(before.map(({ address }) => address));
  const now = new Set(after.map(({ address }) => address));
  const came = after.filter(({ address }) => !old.has(address)).map(({ address }) => `+${address}`);
  const left = before
    .filter(({ address }) => !now.has(address))
    .map(({ address }) => `-${address}`);
  const names = [...came, ...left];
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  const what = names.length === 0 ? 'other settings' : names.slice(0, SHOWN).join(' ') + more;
  return `${after.length} servers: ${what}`;
}
