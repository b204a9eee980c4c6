import type { BufferPool } from '../platform/driver.ts';

/** Received bytes that wait: spans of buffers in order, each with one reference. */
export class PendingBytes {
  readonly #pool: BufferPool;
  #triples: number[] = [];

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  get isEmpty(): boolean {
    return this.#triples.length === 0;
  }

  append(id: number, offset: number, length: number): void {
    this.#triples.push(id, offset, length);
  }

  /** Puts back what was taken and not used up. */
  prepend(id: number, offset: number, length: number): void {
    this.#triples.unshift(id, offset, length);
  }

  /** The first span with its reference; call it only when not empty. */
  take(): { readonly id: number; readonly offset: number; readonly length: number } {
    const [id, offset, length] = this.#triples.splice(0, 3) as [number, number, number];
    return { id, offset, length };
  }

  /** All spans as `id, offset, length` triples, with their references. */
  takeAll(): readonly number[] {
    const triples = this.#triples;
    this.#triples = [];
    return triples;
  }

  releaseAll(): void {
    const triples = this.takeAll();
    for (let i = 0; i < triples.length; i += 3) this.#pool.release(triples[i]!);
  }
}
