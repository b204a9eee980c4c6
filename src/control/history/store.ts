import {
  figureCount,
  type HistoryPoint,
  type HistorySeries,
  historyTiers,
  type SeriesKey,
} from '../../model/history.ts';
import type { HistoryDatabase } from '../../platform/history-database.ts';
import { decodeRow, encodeRow, type RowEntry } from './encoding.ts';
import { foldBy, foldPoints } from './fold.ts';
import type { RecordedRow } from './recorder.ts';

/** Which series are meant; null = any. */
export interface SeriesFilter {
  readonly kind: SeriesKey['kind'] | null;
  readonly pool: string | null;
  readonly name: string | null;
}

/** A time, and how long a point shall be at least. */
export interface ReadSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs?: number;
}

/** How often what is too old is looked for. */
const PRUNE_MS = 600_000;
/** Of what is kept longest, this share goes at once when the file is too large. */
const PRUNE_RATIO = 0.1;

/** History in a database: rows of all series in, points of some of them out. */
export class HistoryStore {
  readonly #database: HistoryDatabase;
  readonly #bytesMax: number;
  readonly #ids = new Map<string, number>();
  readonly #keys = new Map<number, SeriesKey>();
  #nextId = 1;
  #prunedMs = 0;

  constructor(database: HistoryDatabase, bytesMax: number) {
    this.#database = database;
    this.#bytesMax = bytesMax;
    for (const { id, key } of database.series()) this.#know(id, key);
  }

  /** Takes a row; it is safe after `commit`. */
  append({ tier, atMs, spanMs, keys, figures }: RecordedRow): void {
    const entries: RowEntry[] = keys.map((key, index) => ({
      id: this.#idOf(key),
      figures,
      start: index * figureCount,
    }));
    entries.sort((a, b) => a.id - b.id);
    this.#database.append(tier, { atMs, spanMs, body: encodeRow(entries) });
    if (Math.abs(atMs - this.#prunedMs) >= PRUNE_MS) this.#prune(atMs);
  }

  commit(): void {
    this.#database.commit();
  }

  close(): void {
    this.#database.close();
  }

  /**
   * Makes the rows that a process which was killed did not come to: those of the coarse tiers, out of
   * the finer ones.
   */
  mend(): void {
    for (let tier = 1; tier < historyTiers.length; tier++) {
      const last = this.#database.edges(tier)?.lastMs ?? 0;
      const series = this.read(
        tier - 1,
        { fromMs: last, toMs: Number.MAX_SAFE_INTEGER },
        anySeries,
      );
      const rows = new Map<number, { spanMs: number; entries: RowEntry[] }>();
      for (const { key, points } of series) {
        for (const { atMs, spanMs, figures } of foldBy(points, historyTiers[tier]!.stepMs)) {
          const row = rows.get(atMs) ?? { spanMs, entries: [] };
          rows.set(atMs, row);
          row.entries.push({ id: this.#idOf(key), figures, start: 0 });
        }
      }
      for (const [atMs, { spanMs, entries }] of rows) {
        entries.sort((a, b) => a.id - b.id);
        this.#database.append(tier, { atMs, spanMs, body: encodeRow(entries) });
      }
    }
    this.commit();
  }

  /**
   * Points that end after `fromMs` and not after `toMs`, folded while they are read where `stepMs` is
   * longer than the tier's own. A series has a point for each row from the first one that names it;
   * where a row does not, it rested. Cost: linear in the rows' bytes; memory: the folded points.
   */
  read(tier: number, span: ReadSpan, filter: SeriesFilter): HistorySeries[] {
    const { stepMs = 0 } = span;
    const isFolded = stepMs > historyTiers[tier]!.stepMs;
    const found = new Map<number, { points: HistoryPoint[]; open: HistoryPoint[] }>();
    const close = (series: { points: HistoryPoint[]; open: HistoryPoint[] }): void => {
      if (series.open.length > 0) series.points.push(compact(foldPoints(series.open)));
      series.open = [];
    };
    let stepOf = Number.NaN;
    const here = new Map<number, readonly number[]>();
    for (const { atMs, spanMs, body } of this.#database.rows(tier, span.fromMs, span.toMs)) {
      here.clear();
      decodeRow(
        body,
        (id) => this.#isMeant(id, filter),
        (id, figures) => here.set(id, Array.from(figures)),
      );
      if (isFolded && Math.ceil(atMs / stepMs) !== stepOf) {
        for (const series of found.values()) close(series);
        stepOf = Math.ceil(atMs / stepMs);
      }
      for (const id of here.keys()) if (!found.has(id)) found.set(id, { points: [], open: [] });
      for (const [id, { points, open }] of found) {
        const point = { atMs, spanMs, figures: here.get(id) ?? resting };
        (isFolded ? open : points).push(point);
      }
    }
    for (const series of found.values()) close(series);
    return [...found].map(([id, { points }]) => ({ key: this.#keys.get(id) as SeriesKey, points }));
  }

  /**
   * Calls `visit` with each point of a time; its figures are overwritten by the next one. Memory: none.
   * `every`: takes each so many rows only.
   */
  scan(
    tier: number,
    span: ReadSpan & { readonly every: number },
    filter: SeriesFilter,
    visit: (key: SeriesKey, point: HistoryPoint) => void,
  ): void {
    let index = 0;
    for (const { atMs, spanMs, body } of this.#database.rows(tier, span.fromMs, span.toMs)) {
      if (index++ % span.every !== 0) continue;
      decodeRow(
        body,
        (id) => this.#isMeant(id, filter),
        (id, figures) => visit(this.#keys.get(id) as SeriesKey, { atMs, spanMs, figures }),
      );
    }
  }

  /** When a tier's first and last points end; null when it has none. */
  edges(tier: number): { readonly firstMs: number; readonly lastMs: number } | null {
    return this.#database.edges(tier);
  }

  /** How many series a filter means. */
  countOf(filter: SeriesFilter): number {
    return [...this.#keys.values()].filter((key) => isMeant(key, filter)).length;
  }

  #isMeant(id: number, filter: SeriesFilter): boolean {
    const key = this.#keys.get(id);
    return key !== undefined && isMeant(key, filter);
  }

  #idOf(key: SeriesKey): number {
    const known = this.#ids.get(textOf(key));
    if (known !== undefined) return known;
    const id = this.#nextId;
    this.#know(id, key);
    this.#database.addSeries({ id, key });
    return id;
  }

  #know(id: number, key: SeriesKey): void {
    this.#ids.set(textOf(key), id);
    this.#keys.set(id, key);
    this.#nextId = Math.max(this.#nextId, id + 1);
  }

  #prune(nowMs: number): void {
    this.#prunedMs = nowMs;
    historyTiers.forEach(({ keptMs }, tier) => {
      this.#database.prune(tier, nowMs - keptMs);
    });
    const longest = historyTiers.length - 1;
    const edges = this.#database.edges(longest);
    if (edges !== null && this.#database.usedBytes > this.#bytesMax) {
      const untilMs = edges.firstMs + (edges.lastMs - edges.firstMs) * PRUNE_RATIO;
      this.#database.prune(longest, untilMs);
    }
    if (this.#keys.size > seriesKeptMax) this.#dropUnused();
  }

  /** Servers that discovery finds and loses again would fill the list of names. */
  #dropUnused(): void {
    const used = new Set<number>();
    for (let tier = 0; tier < historyTiers.length; tier++) {
      for (const { body } of this.#database.rows(tier, 0, Number.MAX_SAFE_INTEGER)) {
        decodeRow(
          body,
          (id) => !used.has(id),
          (id) => used.add(id),
        );
      }
    }
    const unused = [...this.#keys].filter(([id]) => !used.has(id));
    for (const [id, key] of unused) {
      this.#keys.delete(id);
      this.#ids.delete(textOf(key));
    }
    this.#database.dropSeries(unused.map(([id]) => id));
  }
}

/** Every series. */
export const anySeries: SeriesFilter = { kind: null, pool: null, name: null };

/** Names kept before those without any row are looked for: some MiB. */
const seriesKeptMax = 16_384;

const resting: readonly number[] = new Array(figureCount).fill(0);

/** Small typed arrays take three times the room of plain ones. */
function compact({ atMs, spanMs, figures }: HistoryPoint): HistoryPoint {
  return { atMs, spanMs, figures: Array.from(figures) };
}

function isMeant(key: SeriesKey, { kind, pool, name }: SeriesFilter): boolean {
  if (kind !== null && key.kind !== kind) return false;
  // The series of a pool itself belongs to the pool.
  const poolOf = key.kind === 'pool' ? key.name : key.pool;
  if (pool !== null && poolOf !== pool) return false;
  return name === null || key.name === name;
}

function textOf({ kind, pool, name }: SeriesKey): string {
  return `${kind}\n${pool}\n${name}`;
}
