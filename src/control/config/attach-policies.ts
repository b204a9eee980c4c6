import type { ConfigFiles } from '../../platform/config-files.ts';
import type { AttachedFiles, FileFault } from './attach-files.ts';
import type { Config, ConfigPool } from './config.ts';
import { keyPath } from './source-tree.ts';

/** A policy of one's own is a page or two. */
const moduleBytesMax = 1_048_576;

/**
 * Finds and tries the modules of policies of one's own; they are watched like the configuration
 * itself. `base`: the configuration's file, beside which relative paths begin. Cost: nothing where
 * there are none, else a thread per module.
 */
export async function attachPolicies(
  config: Config,
  base: string,
  files: ConfigFiles,
): Promise<AttachedFiles> {
  if (config.pools.every(({ balancing }) => balancing.module === null)) {
    return { config, faults: [] };
  }
  const faults: FileFault[] = [];
  const pools: ConfigPool[] = [];
  const paths: string[] = [];
  for (const pool of config.pools) {
    const { module } = pool.balancing;
    if (module === null) {
      pools.push(pool);
      continue;
    }
    const path = files.beside(base, module.path);
    const found = await tried(path, files);
    if ('fault' in found) {
      const at = `${keyPath('pools', pool.name)}.policy.module`;
      const requirement = `must be a module whose default export is a policy (${path})`;
      faults.push({ path: at, requirement, found: found.fault, suggestion: null });
    } else {
      paths.push(path);
      pools.push({ ...pool, balancing: { ...pool.balancing, module: { path, mark: found.mark } } });
    }
  }
  return { config: { ...config, pools, files: [...config.files, ...paths] }, faults };
}

async function tried(
  path: string,
  files: ConfigFiles,
): Promise<{ readonly mark: string } | { readonly fault: string }> {
  const file = await files.read(path, moduleBytesMax);
  if (!file.ok) return { fault: file.found };
  // `define.ts` in a checkout, `define.js` in the package.
  const ending = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  const library = new URL(`./define${ending}`, import.meta.url);
  const result = await files.evaluate(path, library, 'policy');
  return result.ok ? { mark: files.markOf(file.bytes) } : { fault: result.found };
}
