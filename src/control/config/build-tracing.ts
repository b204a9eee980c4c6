import type { Checked } from './checked.ts';
import type { ConfigTracing } from './config.ts';

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
