import type { ErrorPage } from '../../model/actions.ts';
import type { ConfigFiles } from '../../platform/config-files.ts';
import type { AttachedFiles, FileFault } from './attach-files.ts';
import type { Config, ConfigRoute } from './config.ts';
import { keyPath } from './source-tree.ts';

/** A page with its pictures inside; every worker keeps it in memory. */
const bodyBytesMax = 1_048_576;

/**
 * Reads the files that fixed answers and error pages name, each once, and puts their texts into the
 * configuration; the files join those that are watched. Cost: nothing where none is named.
 */
export async function attachBodies(config: Config, files: ConfigFiles): Promise<AttachedFiles> {
  const named = namedIn(config);
  if (named.length === 0) return { config, faults: [] };
  const texts = new Map<string, string>();
  const faults: FileFault[] = [];
  for (const { file, path } of named) {
    if (texts.has(file)) continue;
    const read = await readText(file, files);
    texts.set(file, read.text);
    if (read.found === null) continue;
    const requirement = `must name a readable text of at most 1 MiB in UTF-8 (${file})`;
    faults.push({ path, requirement, found: read.found, suggestion: null });
  }
  return { config: withTexts(config, texts), faults };
}

/** A file that the configuration names, and the key that does. */
interface NamedFile {
  readonly file: string;
  readonly path: string;
}

function namedIn({ routes, errors }: Config): readonly NamedFile[] {
  const named: NamedFile[] = [];
  const add = (file: string | null | undefined, path: string): void => {
    if (file) named.push({ file, path });
  };
  const addPages = (pages: readonly ErrorPage[], path: string): void => {
    for (const { file, first, last } of pages) {
      const statuses = first === last ? String(first) : `${first}-${last}`;
      add(file, `${keyPath(path, statuses)}.file`);
    }
  };
  for (const [index, { respond, actions }] of routes.entries()) {
    add(respond?.file, `routes[${index}].respond.file`);
    addPages(actions?.errors ?? [], `routes[${index}].errors`);
  }
  addPages(errors, 'errors');
  return named;
}

async function readText(
  file: string,
  files: ConfigFiles,
): Promise<{ readonly text: string; readonly found: string | null }> {
  const read = await files.read(file, bodyBytesMax);
  if (!read.ok) return { text: '', found: read.found };
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(read.bytes), found: null };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { text: '', found: 'found other bytes' };
  }
}

function withTexts(config: Config, texts: ReadonlyMap<string, string>): Config {
  const textOf = <T extends { readonly file: string | null; readonly body: string }>(of: T): T =>
    of.file === null ? of : { ...of, body: texts.get(of.file) ?? '' };
  const routeWithTexts = (route: ConfigRoute): ConfigRoute => {
    const { respond, actions } = route;
    return {
      ...route,
      respond: respond === null ? null : textOf(respond),
      actions: actions === null ? null : { ...actions, errors: actions.errors.map(textOf) },
    };
  };
  return {
    ...config,
    routes: config.routes.map(routeWithTexts),
    errors: config.errors.map(textOf),
    files: [...config.files, ...texts.keys()],
  };
}
