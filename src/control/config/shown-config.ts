import type { Sticky } from '../../model/balancing.ts';
import type { Config } from './config.ts';
import { withoutSecrets } from './discovery.ts';

/** A configuration as it may be shown: plain data in which secrets are named, not told. */
export function shownConfig(config: Config): unknown {
  const { admin, pools, ...rest } = config;
  return {
    ...rest,
    pools: pools.map((pool) => ({
      ...pool,
      balancing: { ...pool.balancing, sticky: withoutSecret(pool.balancing.sticky) },
      discover: pool.discover.map(withoutSecrets),
    })),
    admin: { ...admin, token: admin.token === null ? null : '(secret)' },
  };
}

function withoutSecret(sticky: Sticky | null): Sticky | null {
  return sticky === null ? null : { ...sticky, secret: '(secret)' };
}
