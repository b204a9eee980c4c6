import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file of the dashboard, in the coding that the asker takes. */
export interface PageFile {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  readonly coding: 'br' | 'gzip' | null;
}

/** The same place for `src/platform/` in a checkout and `dist/platform/` in the package. */
const directory = fileURLToPath(new URL('../../dist/dashboard/', import.meta.url));

const contentTypes: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

let files: Promise<ReadonlyMap<string, Uint8Array>> | null = null;

/**
 * The file of a name such as `assets/index-1a2b.js`; null where there is none, or nothing was built. The
 * files are read at the first question and kept: less than a megabyte.
 */
export async function pageFile(name: string, acceptEncoding: string): Promise<PageFile | null> {
  files ??= readFiles();
  const known = await files;
  // Built meanwhile: look again at the next question.
  if (known.size === 0) files = null;
  const contentType = contentTypes[name.split('.').at(-1) ?? ''];
  const plain = known.get(name);
  if (plain === undefined || contentType === undefined) return null;
  const wanted = new Set(acceptEncoding.split(',').map((part) => part.trim().split(';', 1)[0]));
  const br = wanted.has('br') ? known.get(`${name}.br`) : undefined;
  if (br !== undefined) return { bytes: br, contentType, coding: 'br' };
  const gzip = wanted.has('gzip') ? known.get(`${name}.gz`) : undefined;
  if (gzip !== undefined) return { bytes: gzip, contentType, coding: 'gzip' };
  return { bytes: plain, contentType, coding: null };
}

async function readFiles(): Promise<ReadonlyMap<string, Uint8Array>> {
  try {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    const paths = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    return new Map(
      await Promise.all(
        paths.map(async (path): Promise<[string, Uint8Array]> => {
          const name = relative(directory, path).split(sep).join('/');
          return [name, await readFile(path)];
        }),
      ),
    );
  } catch {
    // Nothing was built.
    return new Map();
  }
}
