import type { Condition } from '../../model/conditions.ts';
import type { GeoFile } from '../../model/snapshot.ts';
import type { ConfigFiles } from '../../platform/config-files.ts';
import { defaultCountryFile, readGeoFile } from '../../platform/geo-database.ts';
import { canonicalCidr } from './address.ts';
import type { Config } from './config.ts';
import { shown } from './problem.ts';

/** A fault of a file that a configuration names, with the key that names it. */
export interface FileFault {
  readonly path: string;
  readonly requirement: string;
  readonly found: string;
  readonly suggestion: string | null;
}

/** A configuration with what its files say, or what is wrong with them. */
export interface AttachedFiles {
  readonly config: Config;
  readonly faults: readonly FileFault[];
}

/** A list of ranges: 50,000 of them. */
const listBytesMax = 1_048_576;

/**
 * Reads the files that a checked configuration names: lists of client ranges, which become part of
 * it, and databases, which are looked at and marked. Cost: nothing where it names none.
 */
export async function attachFiles(config: Config, files: ConfigFiles): Promise<AttachedFiles> {
  const faults: FileFault[] = [];
  const routes = config.files.length === 0 ? config.routes : await withLists(config, files, faults);
  const { geo } = config;
  if (geo === null) return { config: { ...config, routes }, faults };
  const country = geo.country === null ? null : await markOf(geo.country, 'country', faults);
  const asn = geo.asn === null ? null : await markOf(geo.asn, 'asn', faults);
  const databases = [country, asn].flatMap((file) => (file === null ? [] : [file.path]));
  return {
    config: { ...config, routes, geo: { country, asn }, files: [...config.files, ...databases] },
    faults,
  };
}

async function withLists(
  config: Config,
  files: ConfigFiles,
  faults: FileFault[],
): Promise<Config['routes']> {
  const lists = new Map<string, readonly string[]>();
  for (const file of config.files) lists.set(file, await readList(file, files, config, faults));
  return config.routes.map((route) => {
    const conditions = route.match.conditions.map((one) => withRanges(one, lists));
    return { ...route, match: { ...route.match, conditions } };
  });
}

async function readList(
  file: string,
  files: ConfigFiles,
  config: Config,
  faults: FileFault[],
): Promise<readonly string[]> {
  const path = keyNaming(file, config);
  const fault = (requirement: string, found: string): void =>
    void faults.push({ path, requirement, found, suggestion: null });
  const read = await files.read(file, listBytesMax);
  if (!read.ok) {
    fault(`must name a readable file of at most 1 MiB (${file})`, read.found);
    return [];
  }
  const ranges: string[] = [];
  for (const [index, line] of new TextDecoder().decode(read.bytes).split('\n').entries()) {
    const written = line.replace(/#.*$/, '').trim();
    if (written === '') continue;
    const range = canonicalCidr(written);
    if (range === null) {
      fault(
        `must name a list of ranges, one a line (${file}:${index + 1})`,
        `found ${shown(written)}`,
      );
      return [];
    }
    ranges.push(range);
  }
  return ranges;
}

/** The route that names a file first. */
function keyNaming(file: string, { routes }: Config): string {
  const names = (condition: Condition): boolean => {
    switch (condition.kind) {
      case 'client':
        return condition.files.includes(file);
      case 'all':
      case 'any':
        return condition.of.some(names);
      case 'not':
        return names(condition.of);
      default:
        return false;
    }
  };
  const index = routes.findIndex((route) => route.match.conditions.some(names));
  return `routes[${index}].match`;
}

function withRanges(
  condition: Condition,
  lists: ReadonlyMap<string, readonly string[]>,
): Condition {
  switch (condition.kind) {
    case 'client': {
      const read = condition.files.flatMap((file) => lists.get(file) ?? []);
      return { ...condition, ranges: [...condition.ranges, ...read] };
    }
    case 'all':
    case 'any':
      return { ...condition, of: condition.of.map((inner) => withRanges(inner, lists)) };
    case 'not':
      return { ...condition, of: withRanges(condition.of, lists) };
    default:
      return condition;
  }
}

/** An empty path is the default database. */
async function markOf(
  file: GeoFile,
  key: 'country' | 'asn',
  faults: FileFault[],
): Promise<GeoFile | null> {
  const path = file.path === '' ? defaultCountryFile() : file.path;
  const at = `geo.${key}`;
  if (path === null) {
    faults.push({
      path: at,
      requirement: 'must be given, as a route asks for the country of clients',
      found: 'found nothing, and the default database is not installed',
      suggestion: 'npm install @ip-location-db/geo-whois-asn-country-mmdb',
    });
    return null;
  }
  const read = await readGeoFile(path);
  if (read.ok) return { path, mark: read.mark };
  const requirement = `must be a readable MMDB database (${path})`;
  faults.push({ path: at, requirement, found: read.found, suggestion: null });
  return null;
}
