import type { VNode } from 'preact';
import type { LiveEvent } from '../model/live.ts';
import { clock } from './format.ts';

const marks: Readonly<Record<LiveEvent['level'], string>> = { info: '●', warn: '▲', error: '■' };

/** `good` for what came right again, so that a recovery does not look like one more trouble. */
export function toneOfEvent({ level, text }: LiveEvent): string {
  if (level === 'error') return 'bad';
  if (level === 'warn') return 'warn';
  return /^(up|readmitted|circuit closed|panic is over)/.test(text) ? 'good' : 'rest';
}

/** Events, the newest first. */
export function EventList({ events }: { readonly events: readonly LiveEvent[] }): VNode {
  if (events.length === 0) return <p class="nothing">Nothing happened yet.</p>;
  return (
    <ol class="events">
      {events.toReversed().map((event) => (
        <li key={event.id} class={`tone-${toneOfEvent(event)}`}>
          <time dateTime={new Date(event.atMs).toISOString()}>{clock(event.atMs)}</time>
          <i aria-hidden="true">{marks[event.level]}</i>
          <span class="event-text">
            {event.pool !== null && (
              <b>
                {event.pool}
                {event.server === null ? '' : `/${event.server}`}
              </b>
            )}{' '}
            {event.text}
          </span>
          <span class="kind">{event.kind}</span>
        </li>
      ))}
    </ol>
  );
}

interface StripProps {
  readonly events: readonly LiveEvent[];
  readonly fromMs: number;
  readonly toMs: number;
}

/** Events on the time of the charts above it: a mark each, at its place. */
export function EventStrip({ events, fromMs, toMs }: StripProps): VNode {
  const shown = events.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
  return (
    <svg class="strip" role="img" aria-label={`${shown.length} events in the time shown`}>
      <line x1="0" x2="100%" y1="50%" y2="50%" />
      {shown.map((event) => (
        <circle
          key={event.id}
          class={`tone-${toneOfEvent(event)}`}
          cx={`${(((event.atMs - fromMs) / (toMs - fromMs)) * 100).toFixed(2)}%`}
          cy="50%"
          r="5"
        >
          <title>{`${clock(event.atMs)} ${event.pool ?? ''} ${event.server ?? ''} ${event.text}`}</title>
        </circle>
      ))}
    </svg>
  );
}
