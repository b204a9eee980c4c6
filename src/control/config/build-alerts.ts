import type { Checked } from './checked.ts';
import type { ConfigAlerts, ConfigScaling } from './config.ts';

/** Null where none are wanted. */
export function buildAlerts(alerts: Checked['alerts']): ConfigAlerts | null {
  if (alerts === undefined) return null;
  return {
    webhook: alerts.webhook ?? null,
    errorRatio: alerts.errors ?? 0.05,
    headroomRatio: alerts.headroom ?? 0.1,
    serverDownMs: alerts.serverDown ?? 30_000,
    forMs: alerts.for ?? 30_000,
  };
}

/** Null where nobody is to be told. */
export function buildScaling(scaling: Checked['scaling']): ConfigScaling | null {
  if (scaling === undefined) return null;
  const { webhook, command, every } = scaling;
  return { webhook: webhook ?? null, command: command ?? null, everyMs: every ?? 60_000 };
}
