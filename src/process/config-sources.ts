import type { Config } from '../control/config/config.ts';
import type { GeoBytes } from '../model/messages.ts';
import type { GeoFiles } from '../model/snapshot.ts';
import type { Clock } from '../platform/clock.ts';
import { type FileWatch, watchFile } from '../platform/files.ts';
import type { Loaded } from './configuration-source.ts';
import { loadApart } from './load-apart.ts';
import type { RunOptions } from './run-options.ts';

/** Databases kept: those in force and those of a reload that may yet be refused. */
const DATABASES_MAX = 4;

/**
 * Where the configuration comes from: its file, the files that it names, the databases that its
 * routes ask. Watches all of them.
 */
export class ConfigSources {
  readonly #options: RunOptions;
  readonly #clock: Clock;
  /** Contents by path and mark. */
  readonly #databases = new Map<string, SharedArrayBuffer>();
  readonly #watches = new Map<string, FileWatch>();
  #files: readonly string[] = [];
  /** What workers were given last: never forgotten. */
  #inForce: GeoFiles | null = null;
  #onChange: ((path: string) => void) | null = null;

  constructor(options: RunOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Reads the configuration and what it names. */
  async load(): Promise<Loaded> {
    const loaded = await loadApart(this.#options);
    if (!loaded.ok) return loaded;
    const problems = await this.open(loaded.config);
    return problems.length === 0 ? loaded : { ok: false, problems };
  }

  /** Opens what a configuration names that was loaded elsewhere. */
  async open({ geo, files }: Config): Promise<readonly string[]> {
    const problems = await this.#openDatabases(geo);
    if (problems.length === 0) {
      this.#files = files;
      this.#follow();
    }
    return problems;
  }

  /** The databases of a snapshot; null where it asks none. */
  geoBytes(geo: GeoFiles | null): GeoBytes | null {
    if (geo === null) return null;
    this.#inForce = geo;
    const bytesOf = (file: GeoFiles['country']): SharedArrayBuffer | null =>
      file === null ? null : (this.#databases.get(keyOf(file)) ?? null);
    return { country: bytesOf(geo.country), asn: bytesOf(geo.asn) };
  }

  /** Calls `onChange` with the path of a file that may have changed. */
  watch(onChange: (path: string) => void): void {
    this.#onChange = onChange;
    this.#follow();
  }

  stopWatching(): void {
    this.#onChange = null;
    this.#follow();
  }

  async #openDatabases(geo: GeoFiles | null): Promise<readonly string[]> {
    if (geo === null) return [];
    const { readGeoFile } = await import('../platform/geo-database.ts');
    for (const file of [geo.country, geo.asn]) {
      if (file === null || this.#databases.has(keyOf(file))) continue;
      const read = await readGeoFile(file.path);
      if (!read.ok) {
        return [`Cannot open ${file.path} as a database of addresses is required: ${read.found}`];
      }
      this.#databases.set(keyOf(file), read.bytes);
    }
    this.#forget(geo);
    return [];
  }

  /** Forgets the oldest databases that neither the workers nor this configuration use. */
  #forget(wanted: GeoFiles): void {
    const used = [this.#inForce?.country, this.#inForce?.asn, wanted.country, wanted.asn];
    const keys = new Set(used.flatMap((file) => (file ? [keyOf(file)] : [])));
    for (const key of this.#databases.keys()) {
      if (this.#databases.size <= DATABASES_MAX) return;
      if (!keys.has(key)) this.#databases.delete(key);
    }
  }

  #follow(): void {
    const { source } = this.#options;
    const own = source.kind === 'file' ? [source.path] : [];
    const wanted = new Set(this.#onChange === null ? [] : [...own, ...this.#files]);
    for (const [path, watch] of this.#watches) {
      if (wanted.has(path)) continue;
      watch.stop();
      this.#watches.delete(path);
    }
    for (const path of wanted) {
      if (this.#watches.has(path)) continue;
      this.#watches.set(
        path,
        watchFile(path, this.#clock, () => this.#onChange?.(path)),
      );
    }
  }
}

function keyOf({ path, mark }: { readonly path: string; readonly mark: string }): string {
  return `${path} ${mark}`;
}
