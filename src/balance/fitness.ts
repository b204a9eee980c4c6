import { Verdict } from '../model/shared-memory.ts';
import type { Server } from '../model/snapshot.ts';

/** Which servers take traffic now, and how that came about. */
export interface Eligible {
  readonly servers: readonly Server[];
  /** Backups stand in because no primary server is fit. */
  readonly isBackup: boolean;
  /** Softly ejected servers were taken back because too few were left. */
  readonly isPanic: boolean;
}

/**
 * Fewer fit servers than this share of the tier: softly ejected ones come back. Source: Envoy's
 * default of 50 %.
 */
const PANIC_SHARE = 0.5;

/**
 * Chooses the eligible servers of a pool by verdict:
 *
 *   1. fit primaries; with softly ejected ones when under half of those that take traffic at all are fit
 *   2. none fit: the backups by the same rule
 *   3. still none fit: softly ejected primaries, then softly ejected backups
 *
 * Panic takes back what was ejected for errors only: never a server that refuses connections, is
 * down by its probe, drains or has no address, for a request to one of those is lost or unwanted
 * for certain. Servers of weight 0 and draining ones do not count as missing.
 */
export function eligibleServers(
  servers: readonly Server[],
  verdictOf: (slot: number) => number,
): Eligible {
  const primaries = tierOf(servers, false, verdictOf);
  if (primaries.fit.length > 0) return withPanic(primaries, false);
  const backups = tierOf(servers, true, verdictOf);
  if (backups.fit.length > 0) return withPanic(backups, true);
  if (primaries.ejected.length > 0) return withPanic(primaries, false);
  return withPanic(backups, true);
}

interface Tier {
  readonly fit: readonly Server[];
  /** Softly ejected and nothing else. */
  readonly ejected: readonly Server[];
  /** Servers that would take traffic if they were well. */
  readonly count: number;
}

function tierOf(
  servers: readonly Server[],
  isBackup: boolean,
  verdictOf: (slot: number) => number,
): Tier {
  const fit: Server[] = [];
  const ejected: Server[] = [];
  let count = 0;
  for (const server of servers) {
    if (server.isBackup !== isBackup || server.weight <= 0) continue;
    const verdict = verdictOf(server.slot);
    if ((verdict & Verdict.DRAINING) !== 0) continue;
    count++;
    // No address yet: the name is unresolved, whether or not the verdict says so already.
    if (server.target === null) continue;
    if (verdict === 0) fit.push(server);
    else if (verdict === Verdict.EJECTED) ejected.push(server);
  }
  return { fit, ejected, count };
}

function withPanic(tier: Tier, isBackup: boolean): Eligible {
  const isPanic = tier.ejected.length > 0 && tier.fit.length < tier.count * PANIC_SHARE;
  // The well ones stand first, so that `first` asks an ejected server last.
  return { servers: isPanic ? [...tier.fit, ...tier.ejected] : tier.fit, isBackup, isPanic };
}
