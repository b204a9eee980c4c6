import type { VNode } from 'preact';
import { type LiveShape, type LiveTick, ServerFigure } from '../model/live.ts';
import { bytes, count, microseconds, percent, rate } from './format.ts';
import { Sparkline } from './sparkline.tsx';
import type { Point } from './store.ts';

interface Props {
  readonly shape: LiveShape;
  readonly tick: LiveTick;
  readonly points: readonly Point[];
}

interface Card {
  readonly name: string;
  readonly value: string;
  readonly says: string;
  readonly trail: readonly number[];
  readonly tone?: 'warn' | 'bad';
}

/** Ticks that a curve in a card shows. */
const trailTicks = 60;
/** Ticks that the share of failures is taken over. */
const errorTicks = 10;

/** The figures that say most, each with the last minute. */
export function KeyFigures(props: Props): VNode {
  return (
    <div class="key-figures">
      {cardsOf(props).map(({ name, value, says, trail, tone }) => (
        <section key={name} class={`panel key-figure ${tone === undefined ? '' : `tone-${tone}`}`}>
          <h2>{name}</h2>
          <p class="value">{value}</p>
          <p class="says">{says}</p>
          <Sparkline values={trail} most={trailTicks} />
        </section>
      ))}
    </div>
  );
}

function cardsOf({ shape, tick, points }: Props): Card[] {
  const last = points.at(-1);
  const recent = points.slice(-trailTicks);
  const trail = (pick: (point: Point) => number): number[] => recent.map(pick);
  const lately = points.slice(-errorTicks);
  const sum = (pick: (point: Point) => number): number =>
    lately.reduce((total, point) => total + pick(point), 0);
  const all = sum(({ requests }) => requests);
  const failedShare = all === 0 ? 0 : sum(({ failed }) => failed) / all;
  const full = fullest(shape, tick);
  const links = last?.links ?? 0;
  const saturation = Math.max(last?.busy ?? 0, full.share, links / shape.connectionsMax);
  return [
    {
      name: 'Requests',
      value: `${rate(last?.requests ?? 0)}/s`,
      says: `${bytes(last?.bytesOut ?? 0)}/s sent`,
      trail: trail(({ requests }) => requests),
    },
    {
      name: 'Failed',
      value: percent(failedShare),
      says: `${rate(last?.failed ?? 0)}/s 5xx or cut, ${rate(last?.clientErrors ?? 0)}/s 4xx`,
      trail: trail(({ failed }) => failed),
      ...(failedShare >= 0.05 ? { tone: 'bad' } : failedShare > 0.001 ? { tone: 'warn' } : {}),
    },
    {
      name: 'Latency p99',
      value: microseconds(last?.p99Us ?? null),
      says: `p50 ${microseconds(last?.p50Us ?? null)}, p90 ${microseconds(last?.p90Us ?? null)}`,
      trail: trail(({ p99Us }) => p99Us ?? 0),
    },
    {
      name: 'In flight',
      value: count(last?.inFlight ?? 0),
      says: `${count(last?.queued ?? 0)} wait in queues`,
      trail: trail(({ inFlight }) => inFlight),
      ...((last?.queued ?? 0) > 0 ? { tone: 'warn' } : {}),
    },
    {
      name: 'Saturation',
      value: percent(saturation),
      says: `worker ${percent(last?.busy ?? 0)}, ${full.says}`,
      trail: trail(({ busy }) => busy),
      ...(saturation > 0.95 ? { tone: 'bad' } : saturation > 0.8 ? { tone: 'warn' } : {}),
    },
    {
      name: 'Connections',
      value: count(links),
      says: `of ${count(shape.connectionsMax)} allowed`,
      trail: trail(({ links }) => links),
    },
  ];
}

/** The server that is nearest to its limit. */
function fullest(shape: LiveShape, tick: LiveTick): { share: number; says: string } {
  let share = 0;
  let hasLimit = false;
  shape.pools.forEach((pool, at) => {
    pool.servers.forEach(({ connectionsMax }, index) => {
      if (connectionsMax === 0) return;
      hasLimit = true;
      const inFlight = tick.pools[at]?.servers[index]?.[ServerFigure.IN_FLIGHT] ?? 0;
      share = Math.max(share, inFlight / connectionsMax);
    });
  });
  return { share, says: hasLimit ? `fullest server ${percent(share)}` : 'servers without limits' };
}
