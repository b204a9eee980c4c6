import { type TailFilter, tailLinesPerSecond } from '../model/live.ts';
import { AccessLines } from './access-line.ts';
import type { Exchange } from './exchange.ts';
import type { Plane } from './plane.ts';

interface Wanted {
  readonly filter: TailFilter;
  /** Lines that may still be sent this second. */
  left: number;
}

/**
 * Lines of ended exchanges for those who look now. Made only while somebody does; a bounded number a
 * second for each filter, the others are counted.
 */
export class TailLines {
  readonly #plane: Plane;
  readonly #lines: AccessLines;
  readonly #wanted: readonly Wanted[];
  /** Exchanges that began before have no note of their request. */
  readonly #sinceMs: number;
  #second = 0;
  #skipped = 0;

  constructor(plane: Plane, filters: readonly TailFilter[]) {
    this.#plane = plane;
    this.#sinceMs = plane.driver.now();
    this.#wanted = filters.map((filter) => ({ filter, left: tailLinesPerSecond }));
    this.#lines = new AccessLines(plane, (lines) => {
      plane.post({ type: 'tail', lines, skipped: this.#skipped });
      this.#skipped = 0;
    });
  }

  add(exchange: Exchange): void {
    if (exchange.startedAtMs <= this.#sinceMs) return;
    let isWanted = false;
    let isSent = false;
    for (const wanted of this.#wanted) {
      if (!this.#isWanted(wanted.filter, exchange)) continue;
      isWanted = true;
      if (wanted.left === 0) continue;
      wanted.left--;
      isSent = true;
    }
    if (isSent) this.#lines.add(exchange);
    else if (isWanted) this.#skipped++;
  }

  /** Called at every tick. */
  flush(): void {
    const second = Math.floor(this.#plane.driver.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      for (const wanted of this.#wanted) wanted.left = tailLinesPerSecond;
    }
    this.#lines.flush();
  }

  #isWanted(filter: TailFilter, exchange: Exchange): boolean {
    const { status, failure, pool, route, serverState } = exchange;
    if (status < filter.statusMin || status > filter.statusMax) return false;
    if (filter.isFailedOnly && failure === null) return false;
    if (filter.pool !== null && pool?.pool.name !== filter.pool) return false;
    if (filter.route !== null && route?.route.name !== filter.route) return false;
    if (filter.server !== null && serverState?.server.address !== filter.server) return false;
    if (filter.slowMs > 0 && exchange.totalUs(this.#plane.driver) < filter.slowMs * 1000) {
      return false;
    }
    return filter.text === null || holds(exchange, filter.text);
  }
}

/** Whether method, host or path as the line would show them hold the text. */
function holds({ note }: Exchange, text: string): boolean {
  const said = JSON.parse(`{"is":1${Buffer.from(note.bytes.subarray(0, note.length)).toString()}}`);
  const { method, host, path } = said as Record<'method' | 'host' | 'path', string | null>;
  return `${method ?? ''} ${host ?? ''}${path ?? ''}`.includes(text);
}
