import { dirname, join, resolve } from 'node:path';
import type { Config, ConfigPool } from '../control/config/config.ts';
import {
  createExclusive,
  makePrivateDirectory,
  randomToken,
  readSmallFile,
  stateDirectories,
} from '../platform/private-files.ts';
import type { Loaded } from './configuration-source.ts';

/** The file of our own secret, in the first state directory that can be used. */
const OWN_FILE = 'sticky.key';
const SECRET_BYTES_MAX = 4_096;
const SECRET_LETTERS_MIN = 16;

/**
 * Fills in the secrets of sticky pools that do not write theirs: from `secretFile` (relative to the
 * configuration's directory), else from a file of mode 0600 of our own, made once, so that sessions
 * outlive restarts. Errors: a problem in words when a secret cannot be had.
 */
export function withSecrets(
  config: Config,
  configFile: string | null,
  directories: readonly string[] = stateDirectories(),
): Loaded {
  const pools: ConfigPool[] = [];
  for (const pool of config.pools) {
    const { sticky } = pool.balancing;
    if (sticky === null || sticky.secret !== '') {
      pools.push(pool);
      continue;
    }
    const file = sticky.secretFile;
    const found = file === null ? ownSecret(directories) : fileSecret(file, configFile);
    if ('problem' in found) {
      const where = `pools.${pool.name}.sticky.secretFile`;
      return { ok: false, problems: [`${configFile ?? 'flags'}: ${where}: ${found.problem}`] };
    }
    const balancing = { ...pool.balancing, sticky: { ...sticky, secret: found.secret } };
    pools.push({ ...pool, balancing });
  }
  return { ok: true, config: { ...config, pools } };
}

type Found = { readonly secret: string } | { readonly problem: string };

function fileSecret(file: string, configFile: string | null): Found {
  const path = resolve(configFile === null ? '.' : dirname(configFile), file);
  const text = readSmallFile(path, SECRET_BYTES_MAX)?.trim();
  if (text !== undefined && text.length >= SECRET_LETTERS_MIN) return { secret: text };
  const found = text === undefined ? 'none there' : `${text.length} letters`;
  const requirement = `must be a readable file of at least ${SECRET_LETTERS_MIN} letters`;
  return { problem: `${requirement}, found ${found} (${path})` };
}

function ownSecret(directories: readonly string[]): Found {
  const reasons: string[] = [];
  for (const directory of directories) {
    const reason = makePrivateDirectory(directory);
    if (reason !== null) {
      reasons.push(reason);
      continue;
    }
    const path = join(directory, OWN_FILE);
    try {
      // Of two that start at once, one makes it and both read it.
      createExclusive(path, `${randomToken()}\n`);
    } catch (error) {
      reasons.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
      continue;
    }
    const text = readSmallFile(path, SECRET_BYTES_MAX)?.trim() ?? '';
    if (text.length >= SECRET_LETTERS_MIN) return { secret: text };
    reasons.push(`${path}: must be readable and have at least ${SECRET_LETTERS_MIN} letters`);
  }
  return {
    problem: `must be given, as no directory can keep a secret of ours, found ${reasons.join('; ')}`,
  };
}
