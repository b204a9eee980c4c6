import type { Sticky } from '../../model/balancing.ts';
import type { Config } from './config.ts';
import { withoutSecrets } from './discovery.ts';

/** A configuration as it may be shown: plain data in which secrets are named, not told. */
export function shownConfig(config: Config): unknown {
  const { admin, pools, tracing, metrics, alerts, scaling, ...rest } = config;
  return {
    ...rest,
    pools: pools.map((pool) => ({
      ...pool,
      balancing: { ...pool.balancing, sticky: withoutSecret(pool.balancing.sticky) },
      discover: pool.discover.map(withoutSecrets),
    })),
    metrics: metrics === null ? null : { ...metrics, headers: withoutValues(metrics.headers) },
    tracing: tracing === null ? null : { ...tracing, headers: withoutValues(tracing.headers) },
    alerts: withoutWebhook(alerts ?? null),
    scaling: withoutWebhook(scaling ?? null),
    admin: { ...admin, token: admin.token === null ? null : '(secret)' },
  };
}

function withoutValues(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.keys(headers).map((name) => [name, '(secret)']));
}

/** Its path often is all that keeps others from using it. */
function withoutWebhook<Settings extends { readonly webhook: string | null }>(
  settings: Settings | null,
): Settings | null {
  return settings?.webhook == null ? settings : { ...settings, webhook: '(secret)' };
}

function withoutSecret(sticky: Sticky | null): Sticky | null {
  return sticky === null ? null : { ...sticky, secret: '(secret)' };
}
