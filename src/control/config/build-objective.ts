import type { CheckedPool } from './checked.ts';
import type { ConfigObjective } from './config.ts';

/** Fills in what a pool that says nothing shall keep to. */
export function buildObjective(objective: CheckedPool['objective']): ConfigObjective {
  return {
    p99Ms: objective?.p99 ?? null,
    successRatio: objective?.success ?? 0.999,
    loadRatio: objective?.load ?? 0.8,
  };
}
