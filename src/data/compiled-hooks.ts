import type { HookModule, Hooks } from '../model/hooks.ts';

/** Functions of a module that this thread has imported; null when it could not be. */
export type HooksOf = (module: HookModule) => Hooks | null;

/** One module with its functions. */
export interface LoadedHooks {
  readonly module: HookModule;
  /** File name, for people. */
  readonly name: string;
  readonly hooks: Hooks;
}

/** What a route's requests meet: the configuration's own hooks, then those of the route. */
export class CompiledHooks {
  readonly modules: readonly LoadedHooks[];
  readonly hasRequest: boolean;
  readonly hasPick: boolean;
  readonly hasResponse: boolean;

  constructor(modules: readonly LoadedHooks[]) {
    this.modules = modules;
    this.hasRequest = modules.some(({ hooks }) => hooks.onRequest !== undefined);
    this.hasPick = modules.some(({ hooks }) => hooks.onPick !== undefined);
    this.hasResponse = modules.some(({ hooks }) => hooks.onResponse !== undefined);
  }
}

/** Compiles the hooks of a route; null when there are none, which is what requests look at. */
export function compileHooks(
  modules: readonly (HookModule | null)[],
  hooksOf: HooksOf,
): CompiledHooks | null {
  const loaded = modules
    .filter((module) => module !== null)
    .map((module) => ({
      module,
      name: module.path.replace(/^.*[/\\]/, ''),
      hooks: hooksOf(module) ?? missing,
    }));
  return loaded.length === 0 ? null : new CompiledHooks(loaded);
}

/** Stands for a module that could not be imported: its policy of failure decides. */
const missing: Hooks = {
  onRequest: () => {
    throw new Error('the module could not be imported');
  },
};
