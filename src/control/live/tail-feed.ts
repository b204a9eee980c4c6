import type { TailFilter, TailLine } from '../../model/live.ts';
import type { Send } from './watch.ts';

/** A batch of a worker. `skipped`: lines that were wanted and above the limit. */
export interface TailBatch {
  readonly lines: Uint8Array;
  readonly skipped: number;
}

interface Viewer {
  readonly filter: TailFilter;
  readonly send: Send;
}

/**
 * Gives ended exchanges to those who look. Workers send some only while somebody does, and then a
 * bounded number of those that one of the filters wants.
 */
export class TailFeed {
  readonly #ask: (filters: readonly TailFilter[]) => void;
  readonly #viewers = new Set<Viewer>();

  /** `ask` tells all workers, and those that are started later, whose exchanges are wanted. */
  constructor(ask: (filters: readonly TailFilter[]) => void) {
    this.#ask = ask;
  }

  /** Sends those that the filter wants, as `line` events; gives what ends that. */
  follow(filter: TailFilter, send: Send): () => void {
    const viewer = { filter, send };
    this.#viewers.add(viewer);
    this.#askAgain();
    return () => {
      this.#viewers.delete(viewer);
      this.#askAgain();
    };
  }

  /** What a worker sent. */
  take({ lines, skipped }: TailBatch): void {
    if (this.#viewers.size === 0) return;
    for (const text of Buffer.from(lines).toString().split('\n')) {
      if (text === '') continue;
      const line = JSON.parse(text) as TailLine;
      for (const { filter, send } of this.#viewers) if (isWanted(filter, line)) send('line', text);
    }
    if (skipped === 0) return;
    for (const { send } of this.#viewers) send('skipped', String(skipped));
  }

  #askAgain(): void {
    const filters = new Map(
      [...this.#viewers].map(({ filter }) => [JSON.stringify(filter), filter]),
    );
    this.#ask([...filters.values()]);
  }
}

function isWanted(filter: TailFilter, line: TailLine): boolean {
  if (line.status < filter.statusMin || line.status > filter.statusMax) return false;
  if (filter.isFailedOnly && line.reason === 'ok') return false;
  if (filter.pool !== null && line.pool !== filter.pool) return false;
  if (filter.route !== null && line.route !== filter.route) return false;
  if (filter.server !== null && line.server !== filter.server) return false;
  if (filter.slowMs > 0 && (line.totalMs ?? 0) < filter.slowMs) return false;
  if (filter.text === null) return true;
  return `${line.method ?? ''} ${line.host ?? ''}${line.path ?? ''}`.includes(filter.text);
}
