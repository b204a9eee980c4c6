import { renameSync, rmSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import {
  type HistoryTier,
  historyTiers,
  type SeriesKey,
  type SeriesKind,
} from '../model/history.ts';

/** A series as the database numbers it. */
export interface KnownSeries {
  readonly id: number;
  readonly key: SeriesKey;
}

/** One row as it is stored. */
export interface StoredRow {
  readonly atMs: number;
  readonly spanMs: number;
  readonly body: Uint8Array;
}

/** Format of the file; another one is put aside. */
const FORMAT = 1;
/** Another process may hold the file for a moment: while it is replaced by us. */
const BUSY_MS = 250;

/**
 * Rows of history in one SQLite file, a table for each tier. One process at a time. Writes are in the
 * system's hands after `commit`: they outlive the process, and a crash of the machine but for its
 * last moments. Errors: throws the library's.
 */
export class HistoryDatabase {
  readonly #database: DatabaseSync;
  readonly #insert: readonly StatementSync[];
  readonly #select: readonly StatementSync[];
  readonly #edge: readonly StatementSync[];
  readonly #prune: readonly StatementSync[];
  readonly #addSeries: StatementSync;
  #isOpen = false;

  /** Null keeps it in memory. Errors: throws while another process has the file. */
  constructor(path: string | null) {
    this.#database = new DatabaseSync(path ?? ':memory:', { timeout: BUSY_MS });
    try {
      this.#prepare();
    } catch (error) {
      this.#database.close();
      throw error;
    }
    const each = (sql: (table: string) => string): StatementSync[] =>
      historyTiers.map((tier) => this.#database.prepare(sql(tableOf(tier))));
    this.#insert = each((table) => `INSERT OR REPLACE INTO ${table} VALUES (?, ?, ?)`);
    this.#select = each(
      (table) => `SELECT at, span, body FROM ${table} WHERE at > ? AND at <= ? ORDER BY at`,
    );
    this.#edge = each((table) => `SELECT min(at) AS first, max(at) AS last FROM ${table}`);
    this.#prune = each((table) => `DELETE FROM ${table} WHERE at <= ?`);
    this.#addSeries = this.#database.prepare('INSERT INTO series VALUES (?, ?, ?, ?)');
  }

  /** All series that were ever recorded. */
  series(): KnownSeries[] {
    const rows = this.#database.prepare('SELECT id, kind, pool, name FROM series').all();
    return rows.map(({ id, kind, pool, name }) => ({
      id: Number(id),
      key: { kind: String(kind) as SeriesKind, pool: String(pool), name: String(name) },
    }));
  }

  addSeries({ id, key }: KnownSeries): void {
    this.#begin();
    this.#addSeries.run(id, key.kind, key.pool, key.name);
  }

  /** Forgets series that no row names any more. */
  dropSeries(ids: readonly number[]): void {
    this.#begin();
    const drop = this.#database.prepare('DELETE FROM series WHERE id = ?');
    for (const id of ids) drop.run(id);
  }

  append(tier: number, row: StoredRow): void {
    this.#begin();
    this.#insert[tier]!.run(row.atMs, row.spanMs, row.body);
  }

  /** Rows that end after `fromMs` and not after `toMs`, oldest first, one by one. */
  *rows(tier: number, fromMs: number, toMs: number): Generator<StoredRow> {
    for (const row of this.#select[tier]!.iterate(Math.floor(fromMs), Math.floor(toMs))) {
      const { at, span, body } = row;
      yield { atMs: Number(at), spanMs: Number(span), body: body as Uint8Array };
    }
  }

  /** When the first and the last row of a tier end; null when it has none. */
  edges(tier: number): { readonly firstMs: number; readonly lastMs: number } | null {
    const { first, last } = this.#edge[tier]!.get() ?? {};
    return typeof first === 'number' && typeof last === 'number'
      ? { firstMs: first, lastMs: last }
      : null;
  }

  /** Forgets the rows of a tier up to a time. */
  prune(tier: number, untilMs: number): void {
    this.#begin();
    this.#prune[tier]!.run(Math.floor(untilMs));
  }

  commit(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#database.exec('COMMIT');
  }

  /** Bytes in use, room of pruned rows not counted. */
  get usedBytes(): number {
    const of = (pragma: string): number =>
      Number(Object.values(this.#database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0]);
    return (of('page_count') - of('freelist_count')) * of('page_size');
  }

  close(): void {
    this.commit();
    this.#database.close();
  }

  #begin(): void {
    if (this.#isOpen) return;
    this.#database.exec('BEGIN IMMEDIATE');
    this.#isOpen = true;
  }

  #prepare(): void {
    this.#database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL');
    this.#database.exec('PRAGMA synchronous = NORMAL; PRAGMA cache_size = -2048');
    const format = Number(this.#database.prepare('PRAGMA user_version').get()?.['user_version']);
    if (format !== 0 && format !== FORMAT)
      throw new Error(`format ${format} is not ours: ${FORMAT}`);
    const tables = historyTiers.map(
      (tier) =>
        `CREATE TABLE IF NOT EXISTS ${tableOf(tier)} (at INTEGER PRIMARY KEY, span INTEGER, body BLOB);`,
    );
    this.#database.exec(
      `BEGIN IMMEDIATE;
       CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, kind TEXT, pool TEXT, name TEXT);
       ${tables.join('\n')}
       PRAGMA user_version = ${FORMAT};
       COMMIT`,
    );
  }
}

/** A file that cannot be read is put aside under another name, for whoever wants to look into it. */
export function putAside(path: string): void {
  for (const end of ['-wal', '-shm']) rmSync(`${path}${end}`, { force: true });
  renameSync(path, `${path}.broken`);
}

/** Another process has the file: it may be free in a moment. */
export function isHeldByAnother(error: unknown): boolean {
  return /locked|busy/i.test(error instanceof Error ? error.message : String(error));
}

function tableOf({ name }: HistoryTier): string {
  return `rows_${name}`;
}
