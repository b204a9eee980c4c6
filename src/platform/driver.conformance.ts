import { test } from 'node:test';

import { addAcceptingCases } from './conformance/accepting.ts';
import { addEndingCases } from './conformance/endings.ts';
import { Rig } from './conformance/rig.ts';
import { addStarvingCases } from './conformance/starving.ts';
import { addTrafficCases } from './conformance/traffic.ts';
import type { Driver } from './driver.ts';

/**
 * Registers the tests that every driver must pass, each with a driver of its own. Peers are plain
 * `node:net` sockets on loopback. Linux only, as what it checks of descriptors is.
 *
 * After every case all links must be gone, all buffers free, and no handler called at a wrong time.
 *
 * ```ts
 * driverConformance('portable', () => createPortableDriver({ worker: 0 }));
 * ```
 */
export function driverConformance(name: 'uring' | 'portable', create: () => Driver): void {
  const add = (title: string, run: (rig: Rig) => Promise<void>): void => {
    test(`${name}: ${title}`, async () => {
      const rig = new Rig(create());
      try {
        await run(rig);
      } catch (error) {
        await rig.finish().catch(() => rig.driver.close());
        throw error;
      }
      await rig.finish();
    });
  };
  addTrafficCases(add);
  addEndingCases(add);
  addAcceptingCases(add);
  addStarvingCases(name);
}
