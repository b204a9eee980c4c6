import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { type LiveShape, type LiveTick, PoolFigure, RouteFigure } from '../model/live.ts';
import { Chart } from './chart.tsx';
import { EventList, EventStrip } from './event-list.tsx';
import { count, microseconds, percent, rate } from './format.ts';
import { HeatMap } from './heat-map.tsx';
import { useHistory } from './history.ts';
import { KeyFigures } from './key-figures.tsx';
import { Choice, Panel, State, toneOf } from './parts.tsx';
import type { Point, Store } from './store.ts';

interface Props {
  readonly store: Store;
  readonly shape: LiveShape;
  readonly tick: LiveTick;
}

const windows = ['5 min', '1 hour', '1 day'] as const;
const windowMs: Readonly<Record<(typeof windows)[number], number>> = {
  '5 min': 300_000,
  '1 hour': 3_600_000,
  '1 day': 86_400_000,
};
const eventsShown = 8;
/** No shorter time is drawn, however little is known yet. */
const spanMsMin = 60_000;

/** The state of everything at a glance, and the last minutes of it. */
export function Overview({ store, shape, tick }: Props): VNode {
  const [shown, setShown] = useState<(typeof windows)[number]>('5 min');
  const past = useHistory(windowMs[shown], shape.hasHistory);
  const points = joined(past, store.points, tick.atMs - windowMs[shown]);
  const knownMs = tick.atMs - (points[0]?.atMs ?? tick.atMs);
  const fromMs = tick.atMs - Math.min(windowMs[shown], Math.max(spanMsMin, knownMs));
  const time = { fromMs, toMs: tick.atMs };
  const { events } = store;
  return (
    <>
      <h1 class="unseen">Overview</h1>
      <Verdict shape={shape} />
      <KeyFigures shape={shape} tick={tick} points={store.points} />
      <div class="pool-cards">
        {shape.pools.map((pool, at) => (
          <PoolCard key={pool.name} shape={shape} tick={tick} at={at} />
        ))}
      </div>
      <div class="section-head">
        <h2>What it did</h2>
        <Choice label="Time shown" values={windows} chosen={shown} onChoose={setShown} />
      </div>
      <div class="two">
        <Panel title="Requests per second">
          <Requests points={points} events={events} {...time} />
        </Panel>
        <Panel title="Latency">
          <Latency points={points} events={events} {...time} />
        </Panel>
      </div>
      <Heat store={store} shape={shape} {...time} />
      <div class="two">
        <Panel title="What changed lately" aside={<a href="#events">All events</a>}>
          <EventList events={events.slice(-eventsShown)} />
        </Panel>
        <Panel title="Routes">
          <Routes shape={shape} tick={tick} />
        </Panel>
      </div>
    </>
  );
}

/**
 * The past as the balancer remembers it, then what this page saw itself: every second of the last minutes, of
 * a longer time only what history has not yet.
 */
function joined(past: readonly Point[], live: readonly Point[], fromMs: number): Point[] {
  const isLong = live.length > 0 && (past.at(-1)?.spanMs ?? 0) > (live.at(-1)?.spanMs ?? 0) * 2;
  const seen = isLong ? live.filter(({ atMs }) => atMs > (past.at(-1)?.atMs ?? 0)) : live;
  const firstMs = seen[0]?.atMs ?? Number.POSITIVE_INFINITY;
  const before = past.filter(({ atMs, spanMs }) => atMs <= firstMs - spanMs / 2);
  return [...before, ...seen].filter(({ atMs }) => atMs >= fromMs);
}

/** One sentence: whether somebody must act, and where. */
function Verdict({ shape }: { readonly shape: LiveShape }): VNode {
  const out = shape.pools.flatMap(({ name, servers }) =>
    servers
      .filter(({ state }) => toneOf(state) === 'bad')
      .map((server) => ({ ...server, pool: name })),
  );
  const sick = shape.pools.filter(({ condition }) => condition !== 'well');
  const isDown = sick.some(({ condition }) => toneOf(condition) === 'bad');
  const tone = isDown ? 'bad' : sick.length + out.length > 0 ? 'warn' : 'good';
  const servers = shape.pools.reduce((sum, pool) => sum + pool.servers.length, 0);
  const pools = `${shape.pools.length} ${shape.pools.length === 1 ? 'pool' : 'pools'}`;
  return (
    <section class={`verdict tone-${tone}`} aria-live="polite" aria-label="State of all pools">
      <p class="verdict-title">
        {shape.isDraining
          ? 'Draining: new connections go elsewhere'
          : tone === 'good'
            ? 'All is well'
            : sick.map(({ name, condition }) => `${name} is ${condition}`).join(', ') ||
              'Some servers are out'}
      </p>
      <p>
        {tone === 'good'
          ? `${pools}, all ${servers} servers take traffic.`
          : sick.map(({ name, why }) => `${name}: ${why}`).join('. ')}
      </p>
      {out.length > 0 && (
        <ul>
          {out.slice(0, 4).map(({ pool, address, state, why }) => (
            <li key={`${pool}/${address}`}>
              <b>
                {pool}/{address}
              </b>{' '}
              {state}: {why}
            </li>
          ))}
          {out.length > 4 && <li>and {out.length - 4} more</li>}
        </ul>
      )}
      {shape.reloadProblems !== null && (
        <p class="problem">The last reload was refused: {shape.reloadProblems[0]}</p>
      )}
    </section>
  );
}

interface CardProps {
  readonly shape: LiveShape;
  readonly tick: LiveTick;
  readonly at: number;
}

const squaresMax = 200;

function PoolCard({ shape, tick, at }: CardProps): VNode | null {
  const pool = shape.pools[at];
  const totals = tick.pools[at]?.totals;
  if (pool === undefined || totals === undefined) return null;
  const up = pool.servers.filter(({ state }) => state === 'up').length;
  return (
    <a class="panel pool-card" href="#pools">
      <div class="panel-head">
        <h2>{pool.name}</h2>
        <State state={pool.condition} />
      </div>
      <div class="squares" aria-hidden="true">
        {pool.servers.slice(0, squaresMax).map(({ address, state }) => (
          <i key={address} class={`tone-${toneOf(state)}`} title={`${address} ${state}`} />
        ))}
      </div>
      <p class="facts">
        <span>
          <b>
            {up} of {pool.servers.length}
          </b>{' '}
          up
        </span>
        <span>
          <b>{rate(totals[PoolFigure.RATE] ?? 0)}</b> /s
        </span>
        <span>
          <b>{microseconds(totals[PoolFigure.P99_US] ?? -1)}</b> p99
        </span>
        <span class="muted">{pool.policy}</span>
      </p>
    </a>
  );
}

interface HeatProps {
  readonly store: Store;
  readonly shape: LiveShape;
  readonly fromMs: number;
  readonly toMs: number;
}

function Heat({ store, shape, ...time }: HeatProps): VNode {
  const [pool, setPool] = useState('');
  const choice = (
    <label class="field inline">
      <span>Pool</span>
      <select value={pool} onChange={(event) => setPool(event.currentTarget.value)}>
        <option value="">all</option>
        {shape.pools.map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <Panel title="How long requests took" aside={shape.pools.length > 1 ? choice : null}>
      <HeatMap points={store.points} pool={pool === '' ? null : pool} {...time} />
      <EventStrip events={store.events} {...time} />
    </Panel>
  );
}

interface CurveProps {
  readonly points: readonly Point[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly events: Store['events'];
}

function Requests({ points, ...rest }: CurveProps): VNode {
  const of = (pick: (point: Point) => number | null): (number | null)[] => points.map(pick);
  return (
    <Chart
      label="Requests per second"
      times={points.map(({ atMs }) => atMs)}
      format={rate}
      curves={[
        { name: 'all', colour: 'accent', isFilled: true, values: of((point) => point.requests) },
        { name: '4xx', colour: 'warn', values: of((point) => point.clientErrors) },
        { name: 'failed', colour: 'bad', isFilled: true, values: of((point) => point.failed) },
      ]}
      {...rest}
    />
  );
}

function Latency({ points, ...rest }: CurveProps): VNode {
  return (
    <Chart
      label="Latency"
      times={points.map(({ atMs }) => atMs)}
      format={microseconds}
      curves={[
        { name: 'p99', colour: 'rest', values: points.map(({ p99Us }) => p99Us) },
        { name: 'p90', colour: 'accent', values: points.map(({ p90Us }) => p90Us) },
        { name: 'p50', colour: 'good', values: points.map(({ p50Us }) => p50Us) },
      ]}
      {...rest}
    />
  );
}

function Routes({ shape, tick }: Omit<Props, 'store'>): VNode {
  const perSecond = tick.spanMs === 0 ? 0 : 1_000 / tick.spanMs;
  const now = (at: number, figure: number): number => tick.routes[at]?.[figure] ?? 0;
  const all = shape.routes.reduce((sum, _, at) => sum + now(at, RouteFigure.REQUESTS_NOW), 0);
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Route</th>
            <th scope="col">Pool</th>
            <th scope="col" class="number">
              Rate/s
            </th>
            <th scope="col" class="number">
              Share
            </th>
            <th scope="col" class="number">
              Failed/s
            </th>
            <th scope="col" class="number">
              Requests
            </th>
          </tr>
        </thead>
        <tbody>
          {shape.routes.slice(0, 200).map(({ name, pool }, at) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{pool ?? 'none'}</td>
              <td class="number">{rate(now(at, RouteFigure.REQUESTS_NOW) * perSecond)}</td>
              <td class="number">
                {percent(all === 0 ? 0 : now(at, RouteFigure.REQUESTS_NOW) / all)}
              </td>
              <td class="number">{rate(now(at, RouteFigure.FAILED_NOW) * perSecond)}</td>
              <td class="number">{count(now(at, RouteFigure.REQUESTS))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
