import { type LiveEvent, type LiveShape, type LiveTick, ServerFigure } from '../../model/live.ts';
import { rowsOf, type ServerRow, type Sorting, sortings } from './rows.ts';

/** What a key asks of the balancer. */
export interface Wish {
  readonly op: 'drain' | 'ready';
  readonly pool: string;
  readonly address: string;
}

/** What came of a key. */
export type KeyOutcome = 'quit' | Wish | null;

/** Values kept for each curve. */
const trailMax = 60;

/** What is on the screen and how keys change it; knows nothing of terminals and sockets. */
export class TopScreen {
  shape: LiveShape | null = null;
  tick: LiveTick | null = null;
  lastEvent: LiveEvent | null = null;
  sorting: Sorting = 'server';
  filter = '';
  /** The filter as it is being typed; null: nothing is. */
  typing: string | null = null;
  /** What waits for a yes. */
  asked: Wish | null = null;
  /** What the balancer said to the last change. */
  notice = '';
  /** Requests per second of each server by name, and of all by ''; oldest first. */
  readonly trails: Map<string, number[]> = new Map<string, number[]>();
  #selected = '';

  /** Takes an event of `/v1/live`. */
  on(event: string, json: string): void {
    if (event === 'shape') this.shape = JSON.parse(json) as LiveShape;
    else if (event === 'events') this.lastEvent = (JSON.parse(json) as LiveEvent[]).at(-1) ?? null;
    else if (event === 'event') this.lastEvent = JSON.parse(json) as LiveEvent;
    else if (event === 'tick') this.#onTick(JSON.parse(json) as LiveTick);
  }

  /** Rows in their order. */
  get rows(): readonly ServerRow[] {
    if (this.shape === null || this.tick === null) return [];
    return rowsOf(this.shape, this.tick, this.sorting, this.typing ?? this.filter);
  }

  /** The row that keys are about: the one that was, else the first. */
  get selected(): ServerRow | null {
    const { rows } = this;
    return rows.find(({ name }) => name === this.#selected) ?? rows[0] ?? null;
  }

  /** Takes a key as Node names it, with the text that it gives. */
  onKey(name: string, text: string): KeyOutcome {
    if (this.typing !== null) return this.#type(name, text);
    if (this.asked !== null) {
      const wish = this.asked;
      this.asked = null;
      return text === 'y' || text === 'Y' ? wish : null;
    }
    if (text === 'q' || name === 'escape') return 'quit';
    if (text === '/') this.typing = this.filter;
    else if (text === 's') this.sorting = after(sortings, this.sorting);
    else if (name === 'down' || text === 'j') this.#move(1);
    else if (name === 'up' || text === 'k') this.#move(-1);
    else if (text === 'd' || text === 'r') this.#ask(text === 'd' ? 'drain' : 'ready');
    return null;
  }

  #type(name: string, text: string): KeyOutcome {
    const typed = this.typing ?? '';
    if (name === 'return' || name === 'enter') {
      this.filter = typed;
      this.typing = null;
    } else if (name === 'escape') {
      this.filter = '';
      this.typing = null;
    } else if (name === 'backspace') this.typing = typed.slice(0, -1);
    else if (/^[^\p{Cc}]+$/u.test(text)) this.typing = (typed + text).slice(0, 60);
    return null;
  }

  #move(by: number): void {
    const { rows, selected } = this;
    const at = rows.findIndex(({ name }) => name === selected?.name);
    this.#selected = rows[Math.min(rows.length - 1, Math.max(0, at + by))]?.name ?? '';
  }

  #ask(op: Wish['op']): void {
    const { selected } = this;
    if (selected === null) return;
    this.#selected = selected.name;
    this.asked = { op, pool: selected.pool, address: selected.address };
  }

  #onTick(tick: LiveTick): void {
    this.tick = tick;
    if (this.shape === null || tick.spanMs === 0) return;
    let all = 0;
    this.shape.pools.forEach(({ name, servers }, at) => {
      servers.forEach(({ address }, index) => {
        const requests = tick.pools[at]?.servers[index]?.[ServerFigure.REQUESTS_NOW] ?? 0;
        all += requests;
        this.#follow(`${name}/${address}`, (requests * 1_000) / tick.spanMs);
      });
    });
    this.#follow('', (all * 1_000) / tick.spanMs);
  }

  #follow(name: string, value: number): void {
    const trail = this.trails.get(name) ?? [];
    trail.push(value);
    if (trail.length > trailMax) trail.shift();
    this.trails.set(name, trail);
  }
}

function after<Item>(items: readonly Item[], item: Item): Item {
  return items[(items.indexOf(item) + 1) % items.length] as Item;
}
