import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { bucketHigh, bucketLow } from '../base/histogram.ts';
import { heatShift } from '../model/live.ts';
import { colour, onThemeChange } from './colours.ts';
import { clock, count, microseconds } from './format.ts';
import type { Point } from './store.ts';

interface Props {
  readonly points: readonly Point[];
  /** Of this pool only; null: of all. */
  readonly pool: string | null;
  readonly fromMs: number;
  readonly toMs: number;
}

const HEIGHT = 200;
const LEFT = 62;
const BOTTOM = 22;
const RIGHT = 6;
/** Rows at least, so that a narrow band does not fill the whole height. */
const rowsMin = 12;

interface Cells {
  readonly atMs: number;
  readonly spanMs: number;
  readonly counts: ReadonlyMap<number, number>;
}

interface Grid {
  readonly columns: readonly Cells[];
  readonly lowest: number;
  readonly highest: number;
  readonly most: number;
}

/** How many exchanges took how long, over time: the darker, the more. */
export function HeatMap(props: Props): VNode {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [says, setSays] = useState('');
  const [, redraw] = useState(0);
  useEffect(() => onThemeChange(() => redraw((times) => times + 1)), []);
  const grid = gridOf(props);
  useEffect(() => {
    if (canvas.current !== null) draw(canvas.current, grid, props);
  });
  const onMove = (event: MouseEvent): void => {
    const element = canvas.current;
    if (element !== null) setSays(describeAt(element, grid, props, event));
  };
  const range = `${microseconds(lowOf(grid.lowest))} to ${microseconds(highOf(grid.highest))}`;
  const label = grid.most === 0 ? 'Latency heat map: nothing ended' : `Latency heat map: ${range}`;
  return (
    <figure class="chart">
      <figcaption class="legend">
        <span>{says === '' ? 'Exchanges by duration; the stronger, the more' : says}</span>
      </figcaption>
      <canvas
        ref={canvas}
        class="heat"
        height={HEIGHT}
        role="img"
        aria-label={label}
        onMouseMove={onMove}
        onMouseLeave={() => setSays('')}
      />
    </figure>
  );
}

function lowOf(cell: number): number {
  return bucketLow(cell << heatShift);
}

function highOf(cell: number): number {
  return bucketHigh((cell << heatShift) + (1 << heatShift) - 1);
}

function gridOf({ points, pool, fromMs }: Props): Grid {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = 0;
  let most = 0;
  const columns = points
    .filter(({ atMs }) => atMs >= fromMs)
    .map(({ atMs, spanMs, heat }): Cells => {
      const counts = new Map<number, number>();
      for (const [name, cells] of Object.entries(heat)) {
        if (pool !== null && name !== pool) continue;
        for (let at = 0; at < cells.length; at += 2) {
          const cell = cells[at] ?? 0;
          const sum = (counts.get(cell) ?? 0) + (cells[at + 1] ?? 0);
          counts.set(cell, sum);
          lowest = Math.min(lowest, cell);
          highest = Math.max(highest, cell);
          most = Math.max(most, sum);
        }
      }
      return { atMs, spanMs, counts };
    });
  if (most === 0) return { columns, lowest: 32, highest: 56, most };
  const missing = Math.max(0, rowsMin - (highest - lowest + 1));
  const below = Math.min(lowest, Math.ceil(missing / 2));
  return { columns, lowest: lowest - below, highest: highest + missing - below, most };
}

function draw(canvas: HTMLCanvasElement, grid: Grid, { fromMs, toMs }: Props): void {
  const ratio = devicePixelRatio;
  const width = canvas.clientWidth;
  if (canvas.width !== width * ratio) canvas.width = width * ratio;
  if (canvas.height !== HEIGHT * ratio) canvas.height = HEIGHT * ratio;
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, HEIGHT);
  const rows = grid.highest - grid.lowest + 1;
  const rowHeight = (HEIGHT - BOTTOM - 8) / rows;
  const perMs = (width - LEFT - RIGHT) / (toMs - fromMs);
  const paint = colour('accent');
  context.fillStyle = paint;
  for (const { atMs, spanMs, counts } of grid.columns) {
    const x = LEFT + (atMs - spanMs - fromMs) * perMs;
    if (x < LEFT - 1) continue;
    for (const [cell, value] of counts) {
      // By the logarithm: one slow request among thousands must be seen.
      context.globalAlpha = 0.15 + (0.85 * Math.log1p(value)) / Math.log1p(grid.most);
      const y = 8 + (grid.highest - cell) * rowHeight;
      context.fillRect(x, y, Math.max(1, spanMs * perMs + 0.3), Math.max(1, rowHeight - 0.5));
    }
  }
  context.globalAlpha = 1;
  drawAxes(context, grid, { width, rowHeight, fromMs, toMs });
}

interface Axes {
  readonly width: number;
  readonly rowHeight: number;
  readonly fromMs: number;
  readonly toMs: number;
}

function drawAxes(context: CanvasRenderingContext2D, grid: Grid, axes: Axes): void {
  const { width, rowHeight, fromMs, toMs } = axes;
  context.font = '11px system-ui, sans-serif';
  context.fillStyle = colour('muted');
  context.strokeStyle = colour('line');
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  const every = Math.max(1, Math.ceil(30 / rowHeight));
  for (let cell = grid.lowest; cell <= grid.highest; cell += every) {
    const y = 8 + (grid.highest - cell + 1) * rowHeight;
    context.fillText(microseconds(lowOf(cell)), LEFT - 8, y);
  }
  context.textAlign = 'center';
  const marks = Math.max(2, Math.floor((width - LEFT) / 110));
  for (let mark = 0; mark <= marks; mark++) {
    const at = fromMs + ((toMs - fromMs) * mark) / marks;
    const x = LEFT + ((width - LEFT - RIGHT) * mark) / marks;
    context.textAlign = mark === 0 ? 'left' : mark === marks ? 'right' : 'center';
    context.fillText(clock(at), x, HEIGHT - 8);
  }
}

function describeAt(
  canvas: HTMLCanvasElement,
  grid: Grid,
  { fromMs, toMs }: Props,
  event: MouseEvent,
): string {
  const box = canvas.getBoundingClientRect();
  const share = (event.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT);
  const atMs = fromMs + share * (toMs - fromMs);
  const column = grid.columns.find((cells) => cells.atMs >= atMs);
  if (column === undefined || share < 0) return '';
  const rowHeight = (HEIGHT - BOTTOM - 8) / (grid.highest - grid.lowest + 1);
  const cell = grid.highest - Math.floor((event.clientY - box.top - 8) / rowHeight);
  if (cell < grid.lowest || cell > grid.highest) return '';
  const value = column.counts.get(cell) ?? 0;
  const times = `${microseconds(lowOf(cell))} – ${microseconds(highOf(cell))}`;
  return `${clock(column.atMs)}: ${count(value)} took ${times}`;
}
