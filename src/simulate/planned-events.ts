import type { CheckedEvent } from './checked-scenario.ts';
import type { Change, PlannedEvent, ServerPlan } from './scenario.ts';
import { changeKeys } from './scenario-shape.ts';

/** Why an event cannot be. */
export interface EventFault {
  readonly index: number;
  readonly requirement: string;
  readonly found: string;
}

/** Events that can happen, or what is wrong with them. */
export type EventsResult =
  | { readonly ok: true; readonly planned: readonly PlannedEvent[] }
  | { readonly ok: false; readonly faults: readonly EventFault[] };

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const never = Number.POSITIVE_INFINITY;

/** Finds the servers and the one change of each event. */
export function buildEvents(
  events: readonly CheckedEvent[],
  plans: readonly ServerPlan[],
): EventsResult {
  const planned: PlannedEvent[] = [];
  const faults: EventFault[] = [];
  for (const [index, event] of events.entries()) {
    const given = changeKeys.filter((key) => event[key] !== undefined);
    const change = given.length === 1 ? changeOf(event) : null;
    if (change === null) {
      const requirement = `must have one of ${changeKeys.join(', ')}`;
      faults.push({ index, requirement, found: `found ${given.join(' and ') || 'none of them'}` });
      continue;
    }
    const servers = concerned(event, plans);
    if (servers.length === 0) {
      const requirement = `must concern some of the ${plans.length} servers`;
      const where = [...(event.servers ?? ['all']), event.zone ?? ''].join(' ').trim();
      faults.push({ index, requirement, found: `found none for '${where}'` });
      continue;
    }
    const { at = 0, for: forUs = never, every = never } = event;
    planned.push({ atUs: at, servers, change, forUs, everyUs: Math.max(every, 1000) });
  }
  return faults.length > 0 ? { ok: false, faults } : { ok: true, planned };
}

function concerned(
  { servers = ['all'], zone }: CheckedEvent,
  plans: readonly ServerPlan[],
): number[] {
  const chosen = new Set(servers.flatMap((text) => indexesOf(text, plans.length)));
  return [...chosen].filter((index) => zone === undefined || plans[index]!.zone === zone);
}

/** `all`, `3`, `2-4`, `30%` → indexes from 0; what is beyond the last server is left out. */
function indexesOf(text: string, count: number): number[] {
  const share = /^(\d+)%$/.exec(text);
  const range = /^(\d+)(?:-(\d+))?$/.exec(text);
  let from = 1;
  let to = count;
  if (share !== null) to = Math.max(1, Math.round((count * Number(share[1])) / 100));
  else if (range !== null) {
    from = Number(range[1]);
    to = Math.min(count, Number(range[2] ?? range[1]));
  }
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, step) => from - 1 + step);
}

function changeOf(event: CheckedEvent): Change | null {
  if (event.down !== undefined) return { kind: 'down', how: event.down };
  if (event.up !== undefined) return { kind: 'up' };
  if (event.slow !== undefined) return { kind: 'slow', factor: event.slow };
  if (event.rate !== undefined) return { kind: 'rate', rate: event.rate };
  if (event.stall !== undefined) return { kind: 'stall', forUs: event.stall };
  if (event.clock !== undefined) return { kind: 'clock', byMs: jumpMs(event.clock) };
  if (event.late !== undefined) {
    const { share = 0, by = 0 } = event.late;
    return { kind: 'late', late: { ratio: share, byUs: by } };
  }
  if (event.errors === undefined) return null;
  return { kind: 'errors', ratio: event.errors.share ?? 0, status: event.errors.status ?? 500 };
}

function jumpMs(text: string): number {
  const match = /^([+-]\d+)(ms|s|m|h)$/.exec(text);
  return match === null ? 0 : Number(match[1]) * unitMs[match[2]!]!;
}
