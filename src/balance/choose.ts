import { Verdict } from '../model/shared-memory.ts';
import type { Server } from '../model/snapshot.ts';
import type { EligibleSet } from './eligible.ts';
import type { PickRequest } from './policy.ts';
import { ALL_BUSY, NONE } from './policy.ts';
import { release, reserve, reserveExpecting, reservePending } from './reserve.ts';
import { isTried } from './usable.ts';

/**
 * Picks that one choice may make. Each lost one is another worker's success, so with 64 workers
 * more than a few in a row are rare; afterwards any place on the picked server will do.
 */
const PICKS_MAX = 16;

/**
 * Chooses a server for an exchange and takes a place on it. Returns its slot, which `release` must
 * give back once, or `NONE`, or `ALL_BUSY`; for these two `set.reason` says why. Where the server has a limit
 * of unanswered exchanges (`set.pendingMaxOf`), it is counted among these as well, until `releasePending`.
 *
 * Cost: one read of shared memory, one pick, one atomic addition or compare-and-swap; nothing allocated while
 * the eligible set stays as it is.
 */
export function choose(set: EligibleSet, request: PickRequest): number {
  for (let pick = 1; pick <= PICKS_MAX; pick++) {
    const picker = set.picker();
    const slot = picker.pick(request);
    if (slot < 0) {
      set.reason = set.reasonFor(slot);
      return slot;
    }
    const expected = pick < PICKS_MAX ? picker.observedLoad : -1;
    const isReserved =
      expected >= 0
        ? reserveExpecting(set.words, set.worker, slot, expected)
        : reserve(set.words, set.worker, slot, set.connectionsMaxOf(slot));
    if (!isReserved) continue;
    const mostPending = set.pendingMaxOf(slot);
    if (mostPending === 0 || reservePending(set.words, set.worker, slot, mostPending)) return slot;
    release(set.words, set.worker, slot);
  }
  set.reason = set.reasonFor(ALL_BUSY);
  return ALL_BUSY;
}

/**
 * Takes a place on a backup for a request that has tried all eligible servers (`set.spareFor`); its slot, or `NONE`.
 */
export function chooseSpare(set: EligibleSet, request: PickRequest): number {
  const spare = set.spareFor(request);
  return spare !== null && claim(set, spare, request) ? spare.slot : NONE;
}

/**
 * Takes a place on one server of the set's pool, for an exchange that belongs there: also while it
 * drains or has no weight, but not when it is sick, full or was tried.
 */
export function claim(set: EligibleSet, server: Server, request: PickRequest): boolean {
  const { slot, target, connectionsMax } = server;
  const verdict = Atomics.load(set.words.verdict, slot) & ~Verdict.DRAINING;
  if (verdict !== 0 || target === null || isTried(request, slot)) return false;
  if (!reserve(set.words, set.worker, slot, connectionsMax)) return false;
  const mostPending = set.pendingMaxOf(slot);
  if (mostPending === 0 || reservePending(set.words, set.worker, slot, mostPending)) return true;
  release(set.words, set.worker, slot);
  return false;
}
