import type { HookModule } from './hooks.ts';
import type { Snapshot } from './snapshot.ts';

/** All modules of hooks that a snapshot names, each once. Cost: linear in routes. */
export function hookModulesOf({ hooks, routes }: Pick<Snapshot, 'hooks' | 'routes'>): HookModule[] {
  const named = new Map<string, HookModule>();
  for (const module of [hooks, ...routes.map((route) => route.hooks)]) {
    if (module) named.set(`${module.path}\n${module.version}`, module);
  }
  return [...named.values()];
}
