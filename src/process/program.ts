import { accessSync, constants, existsSync, realpathSync } from 'node:fs';
import { basename, delimiter, dirname, isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { sibling } from './sibling.ts';

/**
 * The balancer's module as it is on disk now: the script that this process was started by may be a
 * link that leads to another version since. Null where that script is not ours (tests, a library).
 */
export function balancerEntryNow(script: string | undefined = process.argv[1]): URL | null {
  const root = programRoot(script);
  if (root === null) return null;
  const inCheckout = join(root, 'src', 'process', 'balancer-entry.ts');
  const inPackage = join(root, 'dist', 'process', 'balancer-entry.js');
  return pathToFileURL(existsSync(inCheckout) ? inCheckout : inPackage);
}

/** The balancer's module beside this one. */
export function ownBalancerEntry(): URL {
  return sibling(import.meta.url, 'balancer-entry');
}

/**
 * Node as it would be found now: the word that this process was started with, looked up again. The
 * same path as before where it is gone.
 */
export function nodeNow(): string {
  const word = process.argv0;
  const candidates = isAbsolute(word)
    ? [word]
    : (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, word));
  const isWord = isAbsolute(word) || basename(word) === word;
  return (isWord ? candidates.find(isExecutable) : undefined) ?? process.execPath;
}

function programRoot(script: string | undefined): string | null {
  if (script === undefined || basename(script) !== 'evenkeel') return null;
  try {
    return dirname(dirname(realpathSync(script)));
  } catch {
    // The link leads nowhere just now: the start that follows says so.
    return dirname(dirname(script));
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
