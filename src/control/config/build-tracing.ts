import type { Checked } from './checked.ts';
import type { ConfigMetrics, ConfigTracing } from './config.ts';

/** Tracing with its defaults; null where it is not configured. */
export function buildTracing({ tracing, name }: Checked): ConfigTracing | null {
  if (tracing?.otlp === undefined) return null;
  return {
    otlp: tracing.otlp,
    headers: Object.fromEntries(tracing.headers ?? []),
    share: tracing.sample ?? 0.01,
    parents: tracing.parents ?? 'all',
    service: tracing.service ?? name ?? 'evenkeel',
  };
}

/** The push of metrics with its defaults; null where it is not configured. */
export function buildMetrics({ metrics, name }: Checked): ConfigMetrics | null {
  if (metrics?.otlp === undefined) return null;
  return {
    otlp: metrics.otlp,
    headers: Object.fromEntries(metrics.headers ?? []),
    intervalMs: metrics.interval ?? 15_000,
    service: metrics.service ?? name ?? 'evenkeel',
  };
}
