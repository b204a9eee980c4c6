import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { type LivePool, type LiveShape, type LiveTick, PoolFigure } from '../model/live.ts';
import type { Action } from './action-dialog.tsx';
import { microseconds, rate } from './format.ts';
import { Choice, Panel, State, toneOf } from './parts.tsx';
import { ServerRow } from './server-row.tsx';

interface Props {
  readonly shape: LiveShape;
  readonly tick: LiveTick;
  readonly trails: ReadonlyMap<string, readonly number[]>;
  readonly onAction: (action: Action) => void;
}

const shownStates = ['all', 'in trouble'] as const;
/** Rows of one pool that are drawn; more would be no list for a person. */
const rowsMax = 500;

/** Each pool with its servers: how they are, what they do, and what can be done with them. */
export function PoolsView({ shape, tick, trails, onAction }: Props): VNode {
  const [text, setText] = useState('');
  const [states, setStates] = useState<(typeof shownStates)[number]>('all');
  return (
    <>
      <div class="section-head">
        <h1>Pools and servers</h1>
        <div class="filters">
          <label class="field inline">
            <span class="unseen">Show servers whose address holds</span>
            <input
              type="search"
              placeholder="Filter by address"
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </label>
          <Choice label="Servers shown" values={shownStates} chosen={states} onChoose={setStates} />
        </div>
      </div>
      {shape.pools.map((pool, at) => (
        <PoolPanel
          key={pool.name}
          pool={pool}
          figures={tick.pools[at]}
          spanMs={tick.spanMs}
          nowMs={tick.atMs}
          trails={trails}
          isShown={({ address, state }) =>
            address.includes(text) && (states === 'all' || toneOf(state) !== 'good')
          }
          onAction={onAction}
        />
      ))}
    </>
  );
}

interface PanelProps {
  readonly pool: LivePool;
  readonly figures: LiveTick['pools'][number] | undefined;
  readonly spanMs: number;
  readonly nowMs: number;
  readonly trails: Props['trails'];
  readonly isShown: (server: LivePool['servers'][number]) => boolean;
  readonly onAction: Props['onAction'];
}

function PoolPanel(props: PanelProps): VNode | null {
  const { pool, figures, nowMs, trails, isShown, onAction } = props;
  const [open, setOpen] = useState<string | null>(null);
  if (figures === undefined) return null;
  const { totals } = figures;
  const all = totals[PoolFigure.RATE] ?? 0;
  const rows = pool.servers
    .map((server, index) => ({ server, figures: figures.servers[index] ?? [] }))
    .filter(({ server }) => isShown(server));
  return (
    <Panel title={pool.name} class="pool" aside={<State state={pool.condition} />}>
      <p class="facts">
        <span>{pool.why}</span>
        <span>
          <b>{rate(all)}</b> /s
        </span>
        <span>
          p50 <b>{microseconds(totals[PoolFigure.P50_US] ?? -1)}</b>
        </span>
        <span>
          p99 <b>{microseconds(totals[PoolFigure.P99_US] ?? -1)}</b>
        </span>
        <span>
          queued <b>{totals[PoolFigure.QUEUED] ?? 0}</b>
        </span>
        <span class="muted">{pool.policy}</span>
      </p>
      <div class="scroll">
        <table class="servers">
          <Titles pool={pool.name} />
          <tbody>
            {rows.slice(0, rowsMax).map(({ server, figures: own }) => (
              <ServerRow
                key={server.address}
                pool={pool.name}
                server={server}
                figures={own}
                poolRate={all}
                nowMs={nowMs}
                trail={trails.get(`${pool.name}/${server.address}`) ?? []}
                isOpen={open === server.address}
                onToggle={() => setOpen(open === server.address ? null : server.address)}
                onAction={onAction}
              />
            ))}
          </tbody>
        </table>
      </div>
      {rows.length === 0 && <p class="nothing">No server is like that.</p>}
      {rows.length > rowsMax && (
        <p class="nothing">{rows.length - rowsMax} more: narrow it down by address.</p>
      )}
    </Panel>
  );
}

const titles: readonly (readonly [title: string, kind: string])[] = [
  ['State', ''],
  ['Server', ''],
  ['Share', ''],
  ['Rate/s', 'number'],
  ['Last minute', ''],
  ['In flight', 'number'],
  ['p50', 'number'],
  ['p99', 'number'],
  ['Errors', 'number'],
  ['Weight', 'number'],
];

function Titles({ pool }: { readonly pool: string }): VNode {
  return (
    <>
      <caption class="unseen">Servers of the pool {pool}</caption>
      <thead>
        <tr>
          {titles.map(([title, kind]) => (
            <th key={title} scope="col" class={kind}>
              {title}
            </th>
          ))}
          <th scope="col">
            <span class="unseen">Actions</span>
          </th>
        </tr>
      </thead>
    </>
  );
}
