import { type Exposition, labelText } from '../report/exposition.ts';
import type { Alert } from './alert-book.ts';
import type { PoolOutlook } from './wanted.ts';

/** What lies ahead, for metrics. */
export interface OutlookFigures {
  readonly figures: readonly PoolOutlook[];
  readonly alerts: readonly Alert[];
}

/** Room and servers wanted of pools whose capacity is known, and alerts that are raised. */
export function outlookMetrics(out: Exposition, { figures, alerts }: OutlookFigures): void {
  const room =
    'Share of what the servers in traffic shall be given that is free; below 0: too much.';
  const wanted = 'Servers for the highest minute of the last 15, one of them lost.';
  for (const { pool, headroomRatio, serversWanted } of figures) {
    const labels = labelText({ pool });
    out.gauge('evenkeel_pool_headroom_ratio', room).add(headroomRatio, labels);
    out.gauge('evenkeel_pool_servers_wanted', wanted).add(serversWanted, labels);
  }
  for (const { rule, pool, server } of alerts) {
    const labels = labelText({ rule, pool, server: server ?? '' });
    out.gauge('evenkeel_alert', '1 while an alert is raised.').add(1, labels);
  }
}
