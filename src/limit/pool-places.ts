import { limits } from '../model/limits.ts';
import type { SharedWords } from '../model/shared-memory.ts';

type PlaceWords = Pick<SharedWords, 'poolInFlight' | 'poolInFlightByWorker'>;

/** Takes one of `most` places in a pool, over all workers. Every success is given back by one `leavePool`. */
export function enterPool(words: PlaceWords, worker: number, pool: number, most: number): boolean {
  let seen = Atomics.load(words.poolInFlight, pool);
  for (;;) {
    if (seen >= most) return false;
    // Each lost round is another worker's success.
    const found = Atomics.compareExchange(words.poolInFlight, pool, seen, seen + 1);
    if (found === seen) break;
    seen = found;
  }
  // A plain write: the row has one writer, and is read by others only after that one has ended.
  words.poolInFlightByWorker[worker * limits.pools + pool]! += 1;
  return true;
}

/** Gives one place back. */
export function leavePool(words: PlaceWords, worker: number, pool: number): void {
  words.poolInFlightByWorker[worker * limits.pools + pool]! -= 1;
  Atomics.sub(words.poolInFlight, pool, 1);
}

/** Takes a dead worker's places out of the totals. */
export function leavePoolsOf(words: PlaceWords, worker: number): void {
  for (let pool = 0; pool < limits.pools; pool++) {
    const held = Atomics.exchange(words.poolInFlightByWorker, worker * limits.pools + pool, 0);
    if (held !== 0) Atomics.sub(words.poolInFlight, pool, held);
  }
}
