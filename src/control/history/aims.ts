import type { Config } from '../config/config.ts';
import type { PoolSample, TrafficSample } from '../report/sample.ts';
import type { PoolAims } from './questions.ts';

/** What plans and reports must know of the pools of a configuration besides their past. */
export function aimsOf({ pools }: Config, sample: TrafficSample): PoolAims[] {
  const byName = new Map(sample.pools.map((pool) => [pool.name, pool]));
  return pools.map(({ name, objective }) => {
    const pool = byName.get(name);
    return {
      name,
      serversUp: pool?.servers.filter(({ state }) => state === 'up').length ?? 0,
      connectionsMax: pool === undefined ? 0 : leastLimit(pool),
      p99TargetMs: objective?.p99Ms ?? null,
      loadMax: objective?.loadRatio ?? 0.8,
      successTarget: objective?.successRatio ?? 0.999,
    };
  });
}

/** 0 = none has a limit. */
function leastLimit({ servers }: PoolSample): number {
  const set = servers.map(({ connectionsMax }) => connectionsMax).filter((limit) => limit > 0);
  return set.length === 0 ? 0 : Math.min(...set);
}
