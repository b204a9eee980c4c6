import { durationText } from '../../base/duration-text.ts';
import { ListenerFigure, type LivePool, PoolFigure } from '../../model/live.ts';
import type { ServerRow } from './rows.ts';
import type { TopScreen } from './screen.ts';
import { sparkline } from './sparkline.ts';

/** Room of a terminal; null: none, nothing is cut, coloured or marked. */
export type Room = { readonly columns: number; readonly rows: number } | null;

const curveWidth = 20;
const titles = [
  'SERVER',
  'STATE',
  'WEIGHT',
  'IN FLIGHT',
  'RATE/S',
  'REQUESTS',
  'ERRORS',
  'P50 MS',
  'P99 MS',
  'LAST MINUTE',
  'WHY',
] as const;
/** Columns of numbers, which stand right. */
const numbers: readonly number[] = [2, 3, 4, 5, 6, 7, 8];

const colours: Readonly<Record<string, string>> = {
  up: '32',
  well: '32',
  draining: '35',
  degraded: '33',
};

/** The screen as lines. Cost: one pass over all servers that fit the filter. */
export function drawTop(screen: TopScreen, room: Room): readonly string[] {
  const { shape, tick } = screen;
  if (shape === null || tick === null) return ['waiting for the balancer …'];
  const { rows, selected } = screen;
  const cells = rows.map((row) => cellsOf(row, screen.trails.get(row.name) ?? []));
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const body: string[] = [];
  let selectedAt = 0;
  shape.pools.forEach((pool, at) => {
    const own = rows.flatMap((row, index) => (row.pool === pool.name ? [index] : []));
    if (own.length === 0 && pool.servers.length > 0) return;
    body.push('', poolLine(pool, tick.pools[at]?.totals ?? [], room), lineOf(titles, widths));
    for (const index of own) {
      const isSelected = room !== null && rows[index]?.name === selected?.name;
      if (isSelected) selectedAt = body.length;
      const line = lineOf(cells[index] ?? [], widths);
      body.push(isSelected ? `\u0000${line}` : line);
    }
  });
  const head = headLines(screen);
  if (room === null) return [...head, ...body].map(withoutControls);
  const foot = [footLine(screen)];
  const free = Math.max(3, room.rows - head.length - foot.length);
  const first = Math.max(0, Math.min(selectedAt - Math.floor(free / 2), body.length - free));
  const shown = body.slice(first, first + free);
  const blank = Array.from({ length: Math.max(0, free - shown.length) }, () => '');
  return [...head, ...shown, ...blank, ...foot].map((line) => finish(line, room.columns));
}

function headLines(screen: TopScreen): string[] {
  const { shape, tick, lastEvent, trails } = screen;
  if (shape === null || tick === null) return [];
  const sum = (figure: number): number =>
    tick.listeners.reduce((total, listener) => total + (listener[figure] ?? 0), 0);
  const perSecond = tick.spanMs === 0 ? 0 : 1_000 / tick.spanMs;
  const failed = sum(ListenerFigure.S5XX_NOW) + sum(ListenerFigure.ABORTED_NOW);
  const [p50 = -1, p90 = -1, p99 = -1] = tick.latencyUs;
  const ms = (us: number): string => milliseconds(us < 0 ? null : us / 1_000);
  const busy = Math.max(0, ...tick.workers.map((worker) => worker.busy ?? 0));
  const upFor = durationText(tick.atMs - shape.startedAtMs);
  const event =
    lastEvent === null
      ? 'nothing happened yet'
      : `${durationText(tick.atMs - lastEvent.atMs)} ago: ${[lastEvent.pool, lastEvent.server]
          .filter((part) => part !== null)
          .join('/')} ${lastEvent.text}`;
  return [
    `evenkeel ${shape.version}, up ${upFor}${shape.isDraining ? ', draining' : ''}; pid ${shape.pid}, driver ${shape.driver}`,
    `requests ${whole(sum(ListenerFigure.REQUESTS_NOW) * perSecond)}/s ${sparkline(trails.get('') ?? [], curveWidth)}` +
      `  failed ${whole(failed * perSecond)}/s  4xx ${whole(sum(ListenerFigure.S4XX_NOW) * perSecond)}/s` +
      `  links ${sum(ListenerFigure.LINKS)}  busiest worker ${Math.round(busy * 100)} %`,
    `latency p50 ${ms(p50)} ms, p90 ${ms(p90)} ms, p99 ${ms(p99)} ms`,
    `last event ${event}`,
  ];
}

function poolLine(pool: LivePool, totals: readonly number[], room: Room): string {
  const of = (figure: number): number => totals[figure] ?? 0;
  const queued = of(PoolFigure.QUEUED) === 0 ? '' : `, ${of(PoolFigure.QUEUED)} queued`;
  const retries = of(PoolFigure.RETRIES) === 0 ? '' : `, ${of(PoolFigure.RETRIES)} retries`;
  const line =
    `pool ${pool.name}: ${pool.condition}, ${pool.policy}, ${of(PoolFigure.RATE)}/s, ` +
    `${of(PoolFigure.REQUESTS)} requests${retries}${queued}; ${pool.why}`;
  return room === null ? line : `\u0001${line}`;
}

function cellsOf(row: ServerRow, trail: readonly number[]): readonly string[] {
  return [
    row.isBackup ? `${row.address} (backup)` : row.address,
    row.state,
    String(row.weight),
    String(row.inFlight),
    String(row.rate),
    String(row.requests),
    String(row.errors),
    milliseconds(row.p50Ms),
    milliseconds(row.p99Ms),
    sparkline(trail, curveWidth),
    row.why,
  ];
}

function lineOf(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => {
      const width = widths[column] ?? 0;
      return numbers.includes(column) ? cell.padStart(width) : cell.padEnd(width);
    })
    .join('  ')
    .trimEnd();
}

function footLine({ asked, typing, filter, sorting, notice }: TopScreen): string {
  if (asked !== null)
    return `${asked.op} ${asked.pool}/${asked.address}? y = yes, any other key = no`;
  if (typing !== null)
    return `show servers that hold: ${typing}_   Enter keeps it, Escape shows all`;
  const keys = 'q quit  s sort  / filter  ↑↓ choose  d drain  r ready';
  const filtered = filter === '' ? '' : `, those that hold ${filter}`;
  return `${keys}   by ${sorting}${filtered}${notice === '' ? '' : `   ${notice}`}`;
}

/** Texts of others could steer a terminal. */
function withoutControls(line: string): string {
  return line.replace(/\p{Cc}/gu, '?');
}

/** Cuts to its width, marks the chosen row, the pools and the states. */
function finish(line: string, columns: number): string {
  const [mark] = line;
  const isSelected = mark === '\u0000';
  const isPool = mark === '\u0001';
  const plain = withoutControls(isSelected || isPool ? line.slice(1) : line);
  const cut = plain.length > columns ? `${plain.slice(0, columns - 1)}…` : plain;
  if (isPool) return `\u001b[1m${cut}\u001b[0m`;
  if (isSelected) return `\u001b[7m${cut.padEnd(columns)}\u001b[0m`;
  return cut.replace(
    / {2}(up|draining|down|ejected|refusing|unresolved)(?= )/,
    (_match, state: string) => `  \u001b[${colours[state] ?? '31'}m${state}\u001b[0m`,
  );
}

function milliseconds(value: number | null): string {
  if (value === null) return '–';
  return value < 10 ? value.toFixed(2) : value.toFixed(0);
}

function whole(value: number): string {
  return value > 0 && value < 10 ? value.toFixed(1) : value.toFixed(0);
}
