import { limits } from '../model/limits.ts';
import type { SharedWords } from '../model/shared-memory.ts';

/** The shared words that queues live in. */
export type QueueWords = Pick<
  SharedWords,
  'poolQueued' | 'queuedByWorker' | 'queueTicket' | 'queueHead' | 'doorbell'
>;

/** Words per worker's doorbell: a cache line each. */
const BELL_WORDS = 16;
const CLASSES = limits.queueClasses;

/**
 * One worker's view of a pool's queue over all workers. Requests wait with their worker, in order; each draws a
 * ticket from the pool, and each worker shows the ticket of its first waiter per class:
 *
 *     queueHead   class 0: [ 7 . 9 ]   class 1: [ . 4 5 ]   by worker, `.` = nobody
 *                            ↑ next: the lowest class, in it the lowest ticket
 *
 * so that all workers agree whose turn it is, in order of arrival, without handing requests around. Tickets wrap;
 * they are compared by their difference. Cost: atomic operations, only while a pool is at its limit.
 */
export class SharedQueue {
  readonly #words: QueueWords;
  readonly #workers: number;
  readonly #worker: number;
  readonly #pool: number;

  constructor(words: QueueWords, by: { workers: number; worker: number }, poolSlot: number) {
    this.#words = words;
    this.#workers = by.workers;
    this.#worker = by.worker;
    this.#pool = poolSlot;
  }

  /** Waiting now, over all workers. */
  get count(): number {
    return Atomics.load(this.#words.poolQueued, this.#pool);
  }

  /** Takes one of `sizeMax` places in the queue. Every success is given back by one `leave`. */
  enter(sizeMax: number): boolean {
    const { poolQueued, queuedByWorker } = this.#words;
    if (Atomics.add(poolQueued, this.#pool, 1) >= sizeMax) {
      Atomics.sub(poolQueued, this.#pool, 1);
      return false;
    }
    Atomics.add(queuedByWorker, this.#worker * limits.pools + this.#pool, 1);
    return true;
  }

  leave(): void {
    Atomics.sub(this.#words.poolQueued, this.#pool, 1);
    Atomics.sub(this.#words.queuedByWorker, this.#worker * limits.pools + this.#pool, 1);
  }

  /** The next ticket; never 0. */
  ticket(): number {
    const ticket = Atomics.add(this.#words.queueTicket, this.#pool, 1) + 1;
    return ticket | 0 || this.ticket();
  }

  /** Shows the ticket of this worker's first waiter of a class; 0 = there is none. */
  show(klass: number, ticket: number): void {
    Atomics.store(this.#words.queueHead, this.#headAt(klass) + this.#worker, ticket);
  }

  /** The worker whose waiter is next, -1 when nobody waits. */
  turn(): number {
    const { queueHead } = this.#words;
    for (let klass = 0; klass < CLASSES; klass++) {
      const at = this.#headAt(klass);
      let first = 0;
      let whose = -1;
      for (let worker = 0; worker < this.#workers; worker++) {
        const ticket = Atomics.load(queueHead, at + worker);
        if (ticket === 0 || (whose >= 0 && ((ticket - first) | 0) >= 0)) continue;
        first = ticket;
        whose = worker;
      }
      if (whose >= 0) return whose;
    }
    return -1;
  }

  /** Wakes a worker that waits by its doorbell. */
  ring(worker: number): void {
    const at = bellOf(worker);
    Atomics.add(this.#words.doorbell, at, 1);
    Atomics.notify(this.#words.doorbell, at);
  }

  #headAt(klass: number): number {
    return (this.#pool * CLASSES + klass) * this.#workers;
  }
}

/** Index of a worker's doorbell in its words. */
export function bellOf(worker: number): number {
  return worker * BELL_WORDS;
}

/** Takes a dead worker's waiters out of the totals. Call it after its thread has ended. Returns how many there were. */
export function emptyQueuesOf(words: QueueWords, worker: number, workers: number): number {
  for (let row = 0; row < limits.pools * CLASSES; row++) {
    Atomics.store(words.queueHead, row * workers + worker, 0);
  }
  let waiting = 0;
  for (let pool = 0; pool < limits.pools; pool++) {
    const held = Atomics.exchange(words.queuedByWorker, worker * limits.pools + pool, 0);
    if (held === 0) continue;
    Atomics.sub(words.poolQueued, pool, held);
    waiting += held;
  }
  return waiting;
}
