import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { LiveEvent } from '../model/live.ts';
import { EventList } from './event-list.tsx';
import { Choice, Panel } from './parts.tsx';

const kinds = [
  'all',
  'health',
  'ejection',
  'drain',
  'pool',
  'operator',
  'reload',
  'process',
] as const;

/** What happened to the balancer, by kind. */
export function EventsView({ events }: { readonly events: readonly LiveEvent[] }): VNode {
  const [kind, setKind] = useState<(typeof kinds)[number]>('all');
  const shown = kind === 'all' ? events : events.filter((event) => event.kind === kind);
  return (
    <>
      <h1 class="unseen">Events</h1>
      <Panel
        title="What happened"
        aside={<Choice label="Kind of event" values={kinds} chosen={kind} onChoose={setKind} />}
      >
        <EventList events={shown} />
      </Panel>
    </>
  );
}
