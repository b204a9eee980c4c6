import { invariant } from '../base/invariant.ts';
import { limits } from '../model/limits.ts';

const SLOTS = limits.serverSlots;

/** Compare-and-swap rounds of one reservation. Each lost round is another worker's success. */
const ROUNDS_MAX = 64;

/**
 * The words of shared memory that reservations live in: the total per server, and each worker's row
 * of it.
 */
export interface InFlightWords {
  readonly inFlight: Int32Array;
  readonly inFlightByWorker: Int32Array;
}

/**
 * Takes one place on a server: in the total over all workers and in this worker's row. Every
 * success is given back by exactly one `release`. False when the server is at `connectionsMax` (0 =
 * no limit).
 *
 * Cost: one atomic addition without a limit, else a compare-and-swap.
 */
export function reserve(
  words: InFlightWords,
  worker: number,
  slot: number,
  connectionsMax: number,
): boolean {
  if (connectionsMax > 0) {
    if (!reserveBelow(words.inFlight, slot, connectionsMax)) return false;
  } else {
    Atomics.add(words.inFlight, slot, 1);
  }
  // A plain write: the row has one writer, and is read by others only after that one has ended.
  words.inFlightByWorker[worker * SLOTS + slot]! += 1;
  return true;
}

function reserveBelow(counts: Int32Array, slot: number, most: number): boolean {
  let seen = Atomics.load(counts, slot);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    if (seen >= most) return false;
    const found = Atomics.compareExchange(counts, slot, seen, seen + 1);
    if (found === seen) return true;
    seen = found;
  }
  return false;
}

/**
 * The same, but only while the server's load is still `expected`: what makes `least-connections`
 * exact when two workers see the same minimum. False when another was faster; pick anew.
 */
export function reserveExpecting(
  words: InFlightWords,
  worker: number,
  slot: number,
  expected: number,
): boolean {
  if (Atomics.compareExchange(words.inFlight, slot, expected, expected + 1) !== expected)
    return false;
  words.inFlightByWorker[worker * SLOTS + slot]! += 1;
  return true;
}

/**
 * Gives one place back. Errors: throws `InvariantError` when this worker holds none on that server.
 */
export function release(words: InFlightWords, worker: number, slot: number): void {
  const row = worker * SLOTS + slot;
  invariant(words.inFlightByWorker[row]! > 0, 'a place is given back once');
  words.inFlightByWorker[row]! -= 1;
  Atomics.sub(words.inFlight, slot, 1);
}

/** The words that unanswered exchanges of servers with such a limit are counted in. */
export interface PendingWords {
  readonly pending: Int32Array;
  readonly pendingByWorker: Int32Array;
}

/**
 * Counts one more exchange that waits for the server's answer. Every success is ended by one
 * `releasePending`. False when there are `most` already. Cost: a compare-and-swap.
 */
export function reservePending(
  words: PendingWords,
  worker: number,
  slot: number,
  most: number,
): boolean {
  if (!reserveBelow(words.pending, slot, most)) return false;
  words.pendingByWorker[worker * SLOTS + slot]! += 1;
  return true;
}

/** The answer has begun, or there will be none. Errors: as `release`. */
export function releasePending(words: PendingWords, worker: number, slot: number): void {
  const row = worker * SLOTS + slot;
  invariant(words.pendingByWorker[row]! > 0, 'an answer is awaited once');
  words.pendingByWorker[row]! -= 1;
  Atomics.sub(words.pending, slot, 1);
}

/**
 * Takes a dead worker's places out of the totals and empties its row. Call it after that thread has
 * ended. Returns how many places there were. Cost: O(slots).
 */
export function releaseAllOf(words: InFlightWords, worker: number): number {
  let released = 0;
  for (let slot = 0; slot < SLOTS; slot++) {
    const held = words.inFlightByWorker[worker * SLOTS + slot]!;
    if (held === 0) continue;
    words.inFlightByWorker[worker * SLOTS + slot] = 0;
    Atomics.sub(words.inFlight, slot, held);
    released += held;
  }
  return released;
}
