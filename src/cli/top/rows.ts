import type { LiveServer, LiveShape, LiveTick } from '../../model/live.ts';
import { ServerFigure } from '../../model/live.ts';

/** One server with its figures. */
export interface ServerRow extends LiveServer {
  readonly pool: string;
  /** `pool/address`. */
  readonly name: string;
  readonly inFlight: number;
  readonly requests: number;
  /** Per second over ten seconds. */
  readonly rate: number;
  readonly errors: number;
  /** Of the last tick; null: nothing ended. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** What servers of a pool may be sorted by, the greatest first; `server`: as configured. */
export const sortings = ['server', 'rate', 'inflight', 'errors', 'p99', 'state'] as const;

/** One of them. */
export type Sorting = (typeof sortings)[number];

/** Servers whose pool, address, state or reason holds `filter`, pool by pool, sorted within each. */
export function rowsOf(
  shape: LiveShape,
  tick: LiveTick,
  sorting: Sorting,
  filter: string,
): readonly ServerRow[] {
  return shape.pools.flatMap((pool, at) =>
    pool.servers
      .map((server, index) => rowOf(pool.name, server, tick.pools[at]?.servers[index] ?? []))
      .filter(({ name, state, why }) => `${name} ${state} ${why}`.includes(filter))
      .sort((a, b) => keyOf(b, sorting) - keyOf(a, sorting)),
  );
}

function rowOf(pool: string, server: LiveServer, figures: readonly number[]): ServerRow {
  const of = (figure: number): number => figures[figure] ?? 0;
  const ms = (us: number): number | null => (us < 0 ? null : us / 1_000);
  return {
    ...server,
    pool,
    name: `${pool}/${server.address}`,
    inFlight: of(ServerFigure.IN_FLIGHT),
    requests: of(ServerFigure.REQUESTS),
    rate: of(ServerFigure.RATE),
    errors: of(ServerFigure.ERRORS),
    p50Ms: ms(figures[ServerFigure.P50_US] ?? -1),
    p99Ms: ms(figures[ServerFigure.P99_US] ?? -1),
  };
}

function keyOf(row: ServerRow, sorting: Sorting): number {
  switch (sorting) {
    case 'rate':
      return row.rate;
    case 'inflight':
      return row.inFlight;
    case 'errors':
      return row.errors;
    case 'p99':
      return row.p99Ms ?? -1;
    case 'state':
      return row.state === 'up' ? 0 : 1;
    default:
      return 0;
  }
}
