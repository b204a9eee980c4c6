import type { Snapshot } from '../../model/snapshot.ts';

/** The slots of all servers of a snapshot. */
export function slotsOf({ pools }: Snapshot): number[] {
  return pools.flatMap(({ servers }) => servers.map(({ slot }) => slot));
}
