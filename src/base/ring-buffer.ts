import { invariant } from './invariant.ts';

/** The last `capacity` items; an older one makes room for each new one. Cost: O(1) per push. */
export class RingBuffer<Item> {
  readonly #items: Item[] = [];
  readonly #capacity: number;
  #oldest = 0;

  constructor(capacity: number) {
    invariant(capacity > 0, 'a ring holds at least one item');
    this.#capacity = capacity;
  }

  /** Items held now. */
  get size(): number {
    return this.#items.length;
  }

  /** Adds the newest item, in place of the oldest when the ring is full. */
  push(item: Item): void {
    if (this.#items.length < this.#capacity) {
      this.#items.push(item);
      return;
    }
    this.#items[this.#oldest] = item;
    this.#oldest = (this.#oldest + 1) % this.#capacity;
  }

  /** A copy, oldest first. */
  toArray(): Item[] {
    return [...this.#items.slice(this.#oldest), ...this.#items.slice(0, this.#oldest)];
  }
}
