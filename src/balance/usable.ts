import type { Candidate, Load, PickRequest } from './policy.ts';
import { ALL_BUSY, NONE } from './policy.ts';

/**
 * Has this exchange tried the slot already? Cost: a few comparisons; an exchange has few attempts.
 */
export function isTried(request: PickRequest, slot: number): boolean {
  for (let at = 0; at < request.triedCount; at++) if (request.tried[at] === slot) return true;
  return false;
}

/** Is the server at one of its own limits? */
export function isFull(candidate: Candidate, load: Load): boolean {
  const { slot, connectionsMax, pendingMax } = candidate;
  if (connectionsMax > 0 && load.of(slot) >= connectionsMax) return true;
  return pendingMax > 0 && load.pendingOf(slot) >= pendingMax;
}

/** May this exchange go to this server now? */
export function isUsable(candidate: Candidate, request: PickRequest, load: Load): boolean {
  return !isTried(request, candidate.slot) && !isFull(candidate, load);
}

/** Why nothing was usable: `ALL_BUSY` when a server that was not tried is full, else `NONE`. */
export function whyNone(candidates: readonly Candidate[], request: PickRequest): number {
  for (let at = 0; at < candidates.length; at++) {
    if (!isTried(request, candidates[at]!.slot)) return ALL_BUSY;
  }
  return NONE;
}

/** First usable slot going round from index `start`, else `whyNone`. Cost: O(servers). */
export function firstUsableFrom(
  start: number,
  candidates: readonly Candidate[],
  request: PickRequest,
  load: Load,
): number {
  const count = candidates.length;
  for (let step = 0; step < count; step++) {
    const candidate = candidates[(start + step) % count]!;
    if (isUsable(candidate, request, load)) return candidate.slot;
  }
  return whyNone(candidates, request);
}
