import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { LiveShape, TailLine } from '../model/live.ts';
import { microseconds } from './format.ts';
import { Choice, Panel } from './parts.tsx';
import { followStream } from './stream.ts';

const linesMax = 200;
/** Lines are shown in batches: nobody reads faster, and drawing costs. */
const showEveryMs = 400;

const statuses = ['all', '2xx', '3xx', '4xx', '5xx'] as const;
const outcomes = ['all', 'failed'] as const;

interface Filters {
  readonly status: (typeof statuses)[number];
  readonly outcome: (typeof outcomes)[number];
  readonly pool: string;
  readonly slow: string;
  readonly text: string;
}

const everything: Filters = { status: 'all', outcome: 'all', pool: '', slow: '', text: '' };

function queryOf({ status, outcome, pool, slow, text }: Filters): string {
  const query = new URLSearchParams();
  if (status !== 'all') query.set('status', status);
  if (outcome === 'failed') query.set('failed', 'true');
  if (pool !== '') query.set('pool', pool);
  if (slow !== '') query.set('slow', slow);
  if (text !== '') query.set('text', text);
  return query.toString();
}

/** Ended exchanges as they end, with the reason of those that failed. */
export function TailView({ shape }: { readonly shape: LiveShape }): VNode {
  const [filters, setFilters] = useState(everything);
  const [isPaused, setPaused] = useState(false);
  const { lines, skipped } = useTail(queryOf(filters), isPaused);
  const [open, setOpen] = useState<string | null>(null);
  return (
    <>
      <div class="section-head">
        <h1>Traffic as it ends</h1>
        <button type="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          {isPaused ? 'Go on' : 'Pause'}
        </button>
      </div>
      <FilterBar shape={shape} filters={filters} onChange={setFilters} />
      <Panel
        title="Exchanges"
        aside={
          <span class="muted">
            {skipped > 0
              ? `${skipped} more were not sent: the tail is limited`
              : 'the newest first'}
          </span>
        }
      >
        <div class="scroll tail-scroll">
          <table class="tail">
            <Titles />
            <tbody>
              {lines.map((line) => (
                <Line
                  key={line.id + line.time}
                  line={line}
                  isOpen={open === line.id}
                  onToggle={() => setOpen(open === line.id ? null : line.id)}
                />
              ))}
            </tbody>
          </table>
        </div>
        {lines.length === 0 && <p class="nothing">Nothing that fits has ended yet.</p>}
      </Panel>
    </>
  );
}

function useTail(
  query: string,
  isPaused: boolean,
): { lines: readonly TailLine[]; skipped: number } {
  const [shown, show] = useState<{ lines: readonly TailLine[]; skipped: number }>({
    lines: [],
    skipped: 0,
  });
  useEffect(() => show({ lines: [], skipped: 0 }), [query]);
  useEffect(() => {
    if (isPaused) return;
    let fresh: TailLine[] = [];
    let left = 0;
    const stop = followStream(`/v1/tail?${query}`, {
      onOpen: () => {},
      onLost: () => {},
      onEvent: (event, json) => {
        if (event === 'line') fresh.unshift(JSON.parse(json) as TailLine);
        else if (event === 'skipped') left += Number(json);
        if (fresh.length > linesMax) fresh.length = linesMax;
      },
    });
    const timer = setInterval(() => {
      if (fresh.length === 0 && left === 0) return;
      const [taken, more] = [fresh, left];
      fresh = [];
      left = 0;
      show(({ lines, skipped }) => ({
        lines: [...taken, ...lines].slice(0, linesMax),
        skipped: skipped + more,
      }));
    }, showEveryMs);
    return () => {
      stop();
      clearInterval(timer);
    };
  }, [query, isPaused]);
  return shown;
}

interface BarProps {
  readonly shape: LiveShape;
  readonly filters: Filters;
  readonly onChange: (filters: Filters) => void;
}

function FilterBar({ shape, filters, onChange }: BarProps): VNode {
  return (
    <fieldset class="filters bar-of-filters">
      <legend class="unseen">Which exchanges</legend>
      <Choice
        label="Status"
        values={statuses}
        chosen={filters.status}
        onChoose={(status) => onChange({ ...filters, status })}
      />
      <Choice
        label="Outcome"
        values={outcomes}
        chosen={filters.outcome}
        onChoose={(outcome) => onChange({ ...filters, outcome })}
      />
      <label class="field inline">
        <span>Pool</span>
        <select
          value={filters.pool}
          onChange={(event) => onChange({ ...filters, pool: event.currentTarget.value })}
        >
          <option value="">all</option>
          {shape.pools.map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="field inline">
        <span>Slower than</span>
        <select
          value={filters.slow}
          onChange={(event) => onChange({ ...filters, slow: event.currentTarget.value })}
        >
          <option value="">any</option>
          {['10ms', '100ms', '500ms', '1s', '5s'].map((time) => (
            <option key={time}>{time}</option>
          ))}
        </select>
      </label>
      <label class="field inline grow">
        <span class="unseen">Method, host or path holds</span>
        <input
          type="search"
          placeholder="Method, host or path holds …"
          maxLength={200}
          value={filters.text}
          onChange={(event) => onChange({ ...filters, text: event.currentTarget.value })}
        />
      </label>
    </fieldset>
  );
}

const titles: readonly (readonly [title: string, kind: string])[] = [
  ['Time', ''],
  ['Status', 'number'],
  ['Request', ''],
  ['Took', 'number'],
  ['Server', ''],
  ['Reason', ''],
];

function Titles(): VNode {
  return (
    <thead>
      <tr>
        {titles.map(([title, kind]) => (
          <th key={title} scope="col" class={kind}>
            {title}
          </th>
        ))}
      </tr>
    </thead>
  );
}

function toneOfLine({ status, reason }: TailLine): string {
  if (status === 0 || status >= 500) return 'bad';
  return status >= 400 || reason !== 'ok' ? 'warn' : 'good';
}

interface LineProps {
  readonly line: TailLine;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}

function Line({ line, isOpen, onToggle }: LineProps): VNode {
  const took = line.totalMs === null ? null : line.totalMs * 1_000;
  return (
    <>
      <tr class={isOpen ? 'is-open' : ''}>
        <td class="time">{line.time.slice(11, 23)}</td>
        <td class={`number tone-${toneOfLine(line)}`}>{line.status === 0 ? '–' : line.status}</td>
        <th scope="row" class="request">
          <button type="button" class="plain" aria-expanded={isOpen} onClick={onToggle}>
            <b>{line.method ?? line.listener}</b> {line.path ?? 'no request'}
          </button>
        </th>
        <td class="number">{microseconds(took)}</td>
        <td>{line.server === null ? '–' : `${line.pool}/${line.server}`}</td>
        <td class={line.reason === 'ok' ? 'muted' : `tone-${toneOfLine(line)}`}>{line.reason}</td>
      </tr>
      {isOpen && (
        <tr class="details">
          <td colSpan={titles.length}>
            <dl>
              {Object.entries(line).map(([name, value]) => (
                <>
                  <dt>{name}</dt>
                  <dd>{value === null ? '–' : String(value)}</dd>
                </>
              ))}
            </dl>
          </td>
        </tr>
      )}
    </>
  );
}
