import type { Checked } from './checked.ts';
import { shown } from './problem.ts';
import { nearest } from './suggest.ts';

/** Collects what is wrong between values that are right by themselves. */
export interface Refuse {
  (path: string, requirement: string, found: string, suggestion?: string | null): void;
  /** Was something refused at or below a path by its shape? What is missing there may be misspelt. */
  isFaulty(path: string): boolean;
  /** Was a key of the file refused that may have been meant to be this one? */
  isMisspelt(key: string): boolean;
}

/** Refuses a name that no pool has. */
export function checkPoolName(
  name: string | undefined,
  path: string,
  checked: Checked,
  refuse: Refuse,
): void {
  if (name === undefined || checked.pools === undefined || checked.pools.has(name)) return;
  const names = [...checked.pools.keys()];
  const requirement = `must be the name of a pool (${someOf(names)})`;
  refuse(path, requirement, `found ${shown(name)}`, nearest(name, names));
}

/** Names for a requirement: the first twelve. */
export function someOf(names: readonly string[]): string {
  return names.length <= 12 ? names.join(', ') : `${names.slice(0, 12).join(', ')}, …`;
}
