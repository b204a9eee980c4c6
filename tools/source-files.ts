import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const root: string = dirname(dirname(fileURLToPath(import.meta.url)));

/** One file of the tree: `path` relative to the checkout, with `/`. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Files below `directories` whose names end in one of `endings`, sorted by path. */
export function sourceFiles(
  directories: readonly string[],
  endings: readonly string[],
): SourceFile[] {
  const files: SourceFile[] = [];
  for (const directory of directories) {
    const entries = readdirSync(join(root, directory), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      const path = relative(root, join(entry.parentPath, entry.name)).split(sep).join('/');
      const isWanted = entry.isFile() && endings.some((ending) => path.endsWith(ending));
      if (!isWanted || path.includes('node_modules/') || path.startsWith('bench/results/'))
        continue;
      files.push({ path, text: readFileSync(join(root, path), 'utf8') });
    }
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Source without comments, line by line in place, so that prose is not mistaken for code. Strings stay. */
export function withoutComments(text: string): string {
  const blocks = text.replace(/\/\*[\s\S]*?\*\//g, (block) => block.replace(/[^\n]/g, ' '));
  // A `//` inside a string follows a colon or a quote in our code (`http://`).
  return blocks.replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1');
}

/** Line number (from 1) of an offset. */
export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
