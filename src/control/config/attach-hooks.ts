import { dirname, resolve } from 'node:path';
import type { HookModule } from '../../model/hooks.ts';
import type { InspectedModule } from '../../platform/user-modules.ts';
import { inspectModule } from '../../platform/user-modules.ts';
import type { AttachedFiles, FileFault } from './attach-files.ts';
import type { Config } from './config.ts';
import { nearest } from './suggest.ts';

const members = ['onRequest', 'onPick', 'onResponse'] as const;

/**
 * Looks at the modules of hooks that a checked configuration names: their paths become absolute, and
 * each gets the version that its files make. Relative paths start at the configuration's own file.
 * Cost: a thread per module; nothing where there is none.
 */
export async function attachHooks(file: string, config: Config): Promise<AttachedFiles> {
  const faults: FileFault[] = [];
  const seen = new Map<string, Promise<InspectedModule>>();
  const files = new Set(config.files);
  const attach = async (hooks: HookModule | null | undefined, path: string) => {
    if (!hooks) return null;
    const absolute = resolve(dirname(file), hooks.path);
    const inspected = await (seen.get(absolute) ?? inspect(absolute, seen));
    const fault = faultOf(inspected, absolute);
    if (fault !== null) faults.push({ path, ...fault });
    if (!inspected.ok) return null;
    for (const one of inspected.files) files.add(one);
    return { ...hooks, path: absolute, version: inspected.version };
  };
  const hooks = await attach(config.hooks, 'hooks');
  const routes: Config['routes'][number][] = [];
  for (const [index, route] of config.routes.entries()) {
    const own = route.hooks ? await attach(route.hooks, `routes[${index}].hooks`) : null;
    routes.push(own === null ? route : { ...route, hooks: own });
  }
  return { config: { ...config, hooks, routes, files: [...files] }, faults };
}

function inspect(
  path: string,
  seen: Map<string, Promise<InspectedModule>>,
): Promise<InspectedModule> {
  // `hooks.ts` in a checkout, `hooks.js` in the package.
  const ending = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  const library = new URL(`../../model/hooks${ending}`, import.meta.url);
  const inspected = inspectModule(path, library);
  seen.set(path, inspected);
  return inspected;
}

function faultOf(inspected: InspectedModule, path: string): Omit<FileFault, 'path'> | null {
  if (!inspected.ok) {
    const requirement = `must be a module of hooks (${inspected.where})`;
    return { requirement, found: inspected.found, suggestion: null };
  }
  const requirement = `must be a module that exports defineHooks({ ${members.join(', ')} }) as its default (${path})`;
  if (inspected.members === null) return { requirement, found: 'found none', suggestion: null };
  for (const [name, type] of inspected.members) {
    const isKnown = members.some((member) => member === name);
    if (!isKnown)
      return { requirement, found: `found ${name}`, suggestion: nearest(name, members) };
    if (type !== 'function' && type !== 'undefined') {
      return { requirement, found: `found ${name}, which is no function`, suggestion: null };
    }
  }
  return inspected.members.length > 0
    ? null
    : { requirement, found: 'found no hook', suggestion: null };
}
