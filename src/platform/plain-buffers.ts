import { invariant } from '../base/invariant.ts';
import { limits } from '../model/limits.ts';
import type { BufferPool } from './driver.ts';

/**
 * A pool of numbered buffers in ordinary memory, for drivers that share nothing with the kernel.
 *
 * All of the budget is reserved at once, but the system gives pages only to what is touched, and fresh
 * numbers are taken only when no freed one is left: resident memory follows the most buffers ever in use.
 * Cost: `acquire`, `retain` and `release` are a few array accesses. Errors: a buffer released or retained
 * while free is a bug (`InvariantError`).
 */
export class PlainBuffers implements BufferPool {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sizeBytes: number = limits.bufferBytes;
  readonly headroomBytes: number = limits.bufferHeadroomBytes;
  readonly #countMax: number;
  readonly #strideBytes: number;
  readonly #references: Int32Array;
  /** Freed numbers, the last freed on top: it is the likeliest to be in the processor's cache. */
  readonly #freed: Int32Array;
  #freedCount = 0;
  #freshId = 0;
  #onFreed: () => void = doNothing;

  /** `countMax`: the budget in buffers (1 … 131,072: beyond it one array buffer would pass 2 GiB). */
  constructor(countMax: number = limits.buffersMax) {
    invariant(countMax >= 1 && countMax <= 131_072, 'the budget of buffers is in range');
    this.#countMax = countMax;
    this.#strideBytes = limits.bufferBytes + limits.bufferHeadroomBytes;
    this.bytes = new Uint8Array(countMax * this.#strideBytes);
    this.#references = new Int32Array(countMax);
    this.#freed = new Int32Array(countMax);
  }

  get inUse(): number {
    return this.#freshId - this.#freedCount;
  }

  get isScarce(): boolean {
    return this.freeCount * 4 < this.#countMax;
  }

  /** Buffers that `acquire` can still give. */
  get freeCount(): number {
    return this.#countMax - this.inUse;
  }

  /** Most buffers ever in use at one time: what resident memory follows. */
  get touchedCount(): number {
    return this.#freshId;
  }

  startOf(id: number): number {
    return id * this.#strideBytes;
  }

  acquire(): number {
    let id: number;
    if (this.#freedCount > 0) {
      this.#freedCount--;
      id = this.#freed[this.#freedCount] as number;
    } else if (this.#freshId < this.#countMax) {
      id = this.#freshId;
      this.#freshId++;
    } else {
      return -1;
    }
    this.#references[id] = 1;
    return id;
  }

  retain(id: number): void {
    const references = this.#references[id] ?? 0;
    invariant(references > 0, 'only a buffer in use is retained');
    this.#references[id] = references + 1;
  }

  release(id: number): void {
    const references = this.#references[id] ?? 0;
    invariant(references > 0, 'only a buffer in use is released');
    this.#references[id] = references - 1;
    if (references > 1) return;
    this.#freed[this.#freedCount] = id;
    this.#freedCount++;
    this.#onFreed();
  }

  /** Sets what is called whenever a buffer becomes free; it must not use the pool at once. */
  whenFreed(onFreed: () => void): void {
    this.#onFreed = onFreed;
  }
}

function doNothing(): void {}
