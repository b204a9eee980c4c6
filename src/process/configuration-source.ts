import { realpathSync } from 'node:fs';
import type { Config } from '../control/config/config.ts';
import type { RunOptions } from './run-options.ts';

/** A configuration, or lines that say what is wrong with it. */
export type Loaded =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Loads the configuration that the options name. Modules are loaded only when they are needed. */
export async function loadSource(options: RunOptions): Promise<Loaded> {
  const { source } = options;
  const [{ formatProblem }, result] = await Promise.all([
    import('../control/config/problem.ts'),
    source.kind === 'file'
      ? import('../control/config/load.ts').then((load) => load.loadConfig(source))
      : import('../control/config/flags.ts').then((flags) => flags.configFromFlags(source.flags)),
  ]);
  if (result.ok) {
    const needs = result.config.pools.some(({ balancing }) => balancing.sticky?.secret === '');
    if (!needs) return { ok: true, config: result.config };
    const { withSecrets } = await import('./sticky-secrets.ts');
    return withSecrets(result.config, source.kind === 'file' ? source.path : null);
  }
  return { ok: false, problems: result.problems.map(formatProblem) };
}

/** Real path of the configuration file; null for the flags form. */
export function configurationPath(options: RunOptions): string | null {
  const { source } = options;
  if (source.kind === 'flags') return null;
  try {
    return realpathSync(source.path);
  } catch {
    // A file that is gone is known by the name it was given.
    return source.path;
  }
}
