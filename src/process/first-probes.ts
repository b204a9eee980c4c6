import type { Pool } from '../model/snapshot.ts';
import type { Clock } from '../platform/clock.ts';

/** How long a snapshot waits for first probes; traffic waits in the kernel's queue. */
const PROBES_WAIT_MS = 500;
const PROBES_LOOK_MS = 5;

/** Has each pool with a probe a server that takes traffic? */
export function areProbed(pools: readonly Pool[], isUp: (slot: number) => boolean): boolean {
  return pools.every(
    ({ probes, servers }) => probes.length === 0 || servers.some(({ slot }) => isUp(slot)),
  );
}

/** Waits until they are, but not for long. */
export async function whenProbed(clock: Clock, isProbed: () => boolean): Promise<void> {
  const untilMs = clock.nowMs() + PROBES_WAIT_MS;
  while (!isProbed() && clock.nowMs() < untilMs) {
    await new Promise<void>((resolve) => {
      clock.after(PROBES_LOOK_MS, resolve);
    });
  }
}
