import type { Balancing } from '../../model/balancing.ts';
import { plainBalancing } from '../../model/balancing.ts';
import type { CheckedPool } from './checked.ts';

/** How a pool spreads its traffic, with its defaults. */
export function buildBalancing(pool: CheckedPool): Balancing {
  return { ...plainBalancing, key: pool.key ?? plainBalancing.key };
}
