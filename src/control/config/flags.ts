import type { LoadResult } from './load.ts';
import { configFromPlain } from './load.ts';

/** What `evenkeel run` takes instead of a file; texts as they stand on the command line. */
export interface ConfigFlags {
  /** `--listen`, repeated. */
  readonly listen: readonly string[];
  /** `--to`, repeated. */
  readonly to: readonly string[];
  readonly policy?: string | undefined;
  /** `--probe /path`. */
  readonly probe?: string | undefined;
  readonly workers?: string | undefined;
  readonly admin?: string | undefined;
}

/** Name of the pool that flags make. */
export const flagsPoolName = 'default';

/**
 * The configuration that flags mean: one pool that takes everything. The same checker, defaults and
 * messages as for a file; faults name the flag (`command line: --to: must be …`).
 */
export function configFromFlags(flags: ConfigFlags): LoadResult {
  const { listen, to, policy, probe, workers, admin } = flags;
  const plain = {
    listeners: listen,
    pools: { [flagsPoolName]: { servers: to, policy, probe } },
    workers: workers !== undefined && /^\d{1,9}$/.test(workers) ? Number(workers) : workers,
    admin,
  };
  const result = configFromPlain('command line', plain, () => ({ line: 0, column: 0 }));
  if (to.length === 0) return withoutServers(result);
  if (result.ok) return result;
  return {
    ok: false,
    problems: result.problems.map((one) => ({ ...one, path: flagOf(one.path) })),
  };
}

/** A file may have a pool without servers and fill it later; a command line without is a slip. */
function withoutServers(result: LoadResult): LoadResult {
  const others = result.ok ? [] : result.problems;
  const missing = {
    file: 'command line',
    line: 0,
    column: 0,
    path: '--to',
    requirement: 'must be given at least once',
    found: 'found nothing',
    suggestion: '--to 127.0.0.1:3000',
  };
  return {
    ok: false,
    problems: [missing, ...others.map((one) => ({ ...one, path: flagOf(one.path) }))],
  };
}

function flagOf(path: string): string {
  if (path.startsWith('listeners')) return '--listen';
  if (path.startsWith(`pools.${flagsPoolName}.servers`)) return '--to';
  if (path.startsWith(`pools.${flagsPoolName}.`)) return `--${path.split('.')[2]}`;
  return `--${path.split(/[.[]/)[0]}`;
}
