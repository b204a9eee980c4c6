import type { Ejection } from '../../health/outlier.ts';
import type { VerdictChange } from '../report/status.ts';
import type { HealthCounts } from './server-health.ts';

/** What is known of one probe of a server. */
export interface ProbeMemory {
  readonly isUp: boolean;
  readonly why: string;
}

/** What is known of one server's health, by names: plain data that another process can take over. */
export interface ServerMemory {
  readonly pool: string;
  readonly address: string;
  /** What its probes said, in written order; empty where it was not probed. */
  readonly probes: readonly ProbeMemory[];
  /** Null while it is not ejected. */
  readonly ejection: Ejection | null;
  /** Why the judge decided as it did last. */
  readonly why: string;
  readonly history: readonly VerdictChange[];
  /** Absent where a balancer before ours did not count. */
  readonly counts?: Readonly<HealthCounts>;
}

/** Of all servers. */
export type HealthMemory = readonly ServerMemory[];

/** Finds a server in a map. */
export function memoryKey({ pool, address }: { pool: string; address: string }): string {
  return `${pool}\n${address}`;
}
