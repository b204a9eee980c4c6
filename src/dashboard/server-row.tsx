import type { VNode } from 'preact';
import { type LiveServer, ServerFigure } from '../model/live.ts';
import type { Action } from './action-dialog.tsx';
import { count, microseconds, percent, rate, span } from './format.ts';
import { State, toneOf } from './parts.tsx';
import { ServerDetails } from './server-details.tsx';
import { Sparkline } from './sparkline.tsx';

interface Props {
  readonly pool: string;
  readonly server: LiveServer;
  readonly figures: readonly number[];
  /** Requests per second of the whole pool. */
  readonly poolRate: number;
  readonly nowMs: number;
  readonly trail: readonly number[];
  readonly isOpen: boolean;
  readonly onToggle: () => void;
  readonly onAction: (action: Action) => void;
}

const columns = 11;
const trailTicks = 60;

/** One server: a row of figures, its history beneath when it is opened. */
export function ServerRow(props: Props): VNode {
  const { pool, server, figures, isOpen } = props;
  const of = (figure: number): number => figures[figure] ?? 0;
  const share = props.poolRate === 0 ? 0 : of(ServerFigure.RATE) / props.poolRate;
  return (
    <>
      <tr class={isOpen ? 'is-open' : ''}>
        <td data-title="State">
          <State state={server.state} />
        </td>
        <Name {...props} />
        <td data-title="Share" class="share">
          <span class="share-bar" aria-hidden="true">
            <i style={{ transform: `scaleX(${Math.min(1, share).toFixed(3)})` }} />
          </span>
          {percent(share)}
        </td>
        <td data-title="Rate/s" class="number">
          {rate(of(ServerFigure.RATE))}
        </td>
        <td class="spark-cell">
          <Sparkline values={props.trail} most={trailTicks} />
        </td>
        <td data-title="In flight" class="number">
          {count(of(ServerFigure.IN_FLIGHT))}
        </td>
        <td data-title="p50" class="number">
          {microseconds(figures[ServerFigure.P50_US] ?? -1)}
        </td>
        <td data-title="p99" class="number">
          {microseconds(figures[ServerFigure.P99_US] ?? -1)}
        </td>
        <td data-title="Errors" class={`number ${of(ServerFigure.ERRORS_NOW) > 0 ? 'is-bad' : ''}`}>
          {count(of(ServerFigure.ERRORS))}
        </td>
        <td data-title="Weight" class="number">
          {server.weight}
        </td>
        <Buttons {...props} />
      </tr>
      {isOpen && (
        <tr class="details">
          <td colSpan={columns}>
            <ServerDetails pool={pool} address={server.address} state={server.state} />
          </td>
        </tr>
      )}
    </>
  );
}

function Name({ server, nowMs, isOpen, onToggle }: Props): VNode {
  const { address, isBackup, state, why, sinceMs } = server;
  const since = sinceMs === null ? '' : `, ${span(nowMs - sinceMs)}`;
  return (
    <th scope="row" class="server-name">
      <button type="button" class="plain" aria-expanded={isOpen} onClick={onToggle}>
        {address}
        {isBackup && <em> backup</em>}
      </button>
      <span class={toneOf(state) === 'good' ? 'why' : `why tone-${toneOf(state)}`}>
        {why}
        {since}
      </span>
    </th>
  );
}

function Buttons({ pool, server, figures, onAction }: Props): VNode {
  const { address, state, weight } = server;
  const inFlight = figures[ServerFigure.IN_FLIGHT] ?? 0;
  const subject = { pool, address, weight, inFlight };
  const turn = state === 'draining' ? 'ready' : 'drain';
  return (
    <td class="buttons">
      <button
        type="button"
        aria-label={`${turn === 'drain' ? 'Drain' : 'Take back'} ${pool}/${address}`}
        onClick={() => onAction({ kind: turn, ...subject })}
      >
        {turn === 'drain' ? 'Drain' : 'Ready'}
      </button>
      <button
        type="button"
        aria-label={`Weight of ${pool}/${address}`}
        onClick={() => onAction({ kind: 'weight', ...subject })}
      >
        Weight
      </button>
    </td>
  );
}
