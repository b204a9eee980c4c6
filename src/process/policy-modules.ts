import { pathToFileURL } from 'node:url';
import type { CustomPolicies, CustomPolicy } from '../balance/custom.ts';
import { moduleKey } from '../balance/eligible.ts';
import { suspect } from '../base/invariant.ts';
import type { PolicyModule } from '../model/balancing.ts';
import type { Snapshot } from '../model/snapshot.ts';

/**
 * The policies of one's own that a worker has imported. A module is imported anew when its mark
 * changes; control has tried it before, so one that fails here has changed since, and `p2c` stands in.
 */
export class PolicyModules {
  readonly #loaded = new Map<string, CustomPolicy>();

  get policies(): CustomPolicies {
    return this.#loaded;
  }

  /** Whether a snapshot may be applied at once. */
  has(snapshot: Pick<Snapshot, 'pools'>): boolean {
    return modulesOf(snapshot).every((module) => this.#loaded.has(moduleKey(module)));
  }

  async load(snapshot: Pick<Snapshot, 'pools'>): Promise<void> {
    for (const module of modulesOf(snapshot)) {
      const key = moduleKey(module);
      if (this.#loaded.has(key)) continue;
      try {
        const url = `${pathToFileURL(module.path).href}?${module.mark}`;
        const exports: { default?: CustomPolicy } = await import(url);
        if (exports.default !== undefined) this.#loaded.set(key, exports.default);
      } catch (error) {
        suspect(false, `${module.path} could not be loaded: ${String(error)}`);
      }
    }
  }
}

function modulesOf({ pools }: Pick<Snapshot, 'pools'>): readonly PolicyModule[] {
  return pools.flatMap(({ balancing }) => (balancing.module === null ? [] : [balancing.module]));
}
