import { leavePoolsOf } from '../limit/pool-places.ts';
import { emptyQueuesOf } from '../limit/shared-queue.ts';
import { limits } from '../model/limits.ts';
import type { SharedWords } from '../model/shared-memory.ts';

/** What a dead worker left behind and was taken off the totals. */
export interface FoldedWorker {
  readonly exchanges: number;
  readonly links: number;
}

/**
 * Takes a dead worker's share off the totals: its exchanges in flight and waiting, and its downstream
 * links. Only after its thread has ended, since it is the only other writer of its rows. Cost: one
 * pass over the slots.
 */
export function foldWorker(words: SharedWords, worker: number, workers: number): FoldedWorker {
  let exchanges = 0;
  const row = worker * limits.serverSlots;
  for (let slot = 0; slot < limits.serverSlots; slot++) {
    const unanswered = Atomics.exchange(words.pendingByWorker, row + slot, 0);
    if (unanswered !== 0) Atomics.sub(words.pending, slot, unanswered);
    const count = Atomics.exchange(words.inFlightByWorker, row + slot, 0);
    if (count === 0) continue;
    Atomics.sub(words.inFlight, slot, count);
    exchanges += count;
  }
  let links = 0;
  const first = worker * limits.listeners;
  for (let slot = 0; slot < limits.listeners; slot++) {
    links += Atomics.exchange(words.linksByWorker, first + slot, 0);
  }
  Atomics.sub(words.links, 0, links);
  leavePoolsOf(words, worker);
  emptyQueuesOf(words, worker, workers);
  return { exchanges, links };
}
