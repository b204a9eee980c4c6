import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import type { LiveEvent } from '../model/live.ts';
import { colour, onThemeChange } from './colours.ts';
import { axisTime, clock } from './format.ts';

/** One curve. */
export interface Curve {
  readonly name: string;
  /** A colour of the style sheet. */
  readonly colour: string;
  readonly isFilled?: boolean;
  readonly values: readonly (number | null)[];
}

interface Props {
  readonly label: string;
  /** Ms of the epoch, oldest first; as many as each curve has values. */
  readonly times: readonly number[];
  readonly curves: readonly Curve[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly events: readonly LiveEvent[];
  readonly format: (value: number) => string;
}

const HEIGHT = 190;
/** Charts with one key share their cursor. */
const cursorKey = 'time';

/** Curves over time, with a line for each event. Values at the cursor, or the last ones, stand in the legend. */
export function Chart(props: Props): VNode {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  const [cursor, setCursor] = useState<number | null>(null);
  latest.current = props;
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const make = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(
        optionsOf(latest, element.clientWidth, setCursor),
        dataOf(latest.current),
        element,
      );
    };
    make();
    const resize = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    resize.observe(element);
    const stop = onThemeChange(make);
    return () => {
      stop();
      resize.disconnect();
      plot.current?.destroy();
    };
  }, []);
  useEffect(() => {
    plot.current?.batch(() => {
      plot.current?.setData(dataOf(props), false);
      plot.current?.setScale('x', { min: props.fromMs / 1_000, max: props.toMs / 1_000 });
    });
  });
  return (
    <figure class="chart">
      <Legend {...props} at={cursor} />
      <div ref={place} class="chart-place" role="img" aria-label={describe(props)} />
    </figure>
  );
}

function Legend({ curves, times, format, at }: Props & { readonly at: number | null }): VNode {
  const index = at !== null && at < times.length ? at : times.length - 1;
  const time = times[index];
  return (
    <figcaption class="legend">
      {curves.map(({ name, colour: paint, values }) => {
        const value = values[index] ?? null;
        return (
          <span key={name}>
            <i class={`swatch paint-${paint}`} aria-hidden="true" />
            {name} <b>{value === null ? '–' : format(value)}</b>
          </span>
        );
      })}
      <span class="legend-time">{at !== null && time !== undefined ? clock(time) : ''}</span>
    </figcaption>
  );
}

function describe({ label, curves, format }: Props): string {
  const parts = curves.map(({ name, values }) => {
    const last = values.at(-1) ?? null;
    return `${name} ${last === null ? 'none' : format(last)}`;
  });
  return `${label}, now: ${parts.join(', ')}`;
}

function dataOf({ times, curves }: Props): uPlot.AlignedData {
  return [
    times.map((time) => time / 1_000),
    ...curves.map(({ values }) => values as (number | null)[]),
  ] as uPlot.AlignedData;
}

function optionsOf(
  latest: { readonly current: Props },
  width: number,
  onCursor: (index: number | null) => void,
): uPlot.Options {
  const axis = {
    stroke: colour('muted'),
    grid: { stroke: colour('line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  };
  const { curves } = latest.current;
  return {
    width,
    height: HEIGHT,
    padding: [8, 6, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: cursorKey },
      y: false,
      points: { size: 6 },
      drag: { x: false, y: false },
    },
    scales: {
      x: { time: true },
      y: { range: (_plot, _least, most) => [0, most > 0 ? most * 1.1 : 1] },
    },
    axes: [
      {
        ...axis,
        size: 26,
        values: (_plot, seconds) => {
          const stepMs = ((seconds[1] ?? 0) - (seconds[0] ?? 0)) * 1_000;
          return seconds.map((second) => axisTime(second * 1_000, stepMs));
        },
        space: 80,
      },
      {
        ...axis,
        size: 62,
        values: (_plot, values) => values.map((value) => latest.current.format(value)),
        space: 34,
      },
    ],
    series: [
      {},
      ...curves.map(({ colour: paint, isFilled }) => ({
        stroke: colour(paint),
        width: 1.5,
        points: { show: false },
        spanGaps: false,
        ...(isFilled === true ? { fill: `${colour(paint)}24` } : {}),
      })),
    ],
    hooks: {
      drawClear: [(plot) => drawEvents(plot, latest.current.events)],
      setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)],
    },
  };
}

/** A line for each event under the curves, in the colour of its level. */
function drawEvents(plot: uPlot, events: readonly LiveEvent[]): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.setLineDash([3, 3]);
  for (const { atMs, level } of events) {
    const x = Math.round(plot.valToPos(atMs / 1_000, 'x', true)) + 0.5;
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = colour(level === 'info' ? 'muted' : level === 'warn' ? 'warn' : 'bad');
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}
