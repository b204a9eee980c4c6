import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root, type SourceFile } from './source-files.ts';

const LINES_MAX = 400;

/** Files above 400 lines without the comment that rule zero asks for. */
export function tooLongFiles(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ text }) => text.trimEnd().split('\n').length > LINES_MAX && !/Rule zero:/.test(text))
    .map(({ path, text }) => `${path}: ${text.trimEnd().split('\n').length} lines`);
}

/** Exported symbols of src/ that have no docstring. */
export function undocumentedExports(files: readonly SourceFile[]): string[] {
  const found: string[] = [];
  const declaration =
    /^export (?:declare )?(?:async )?(?:abstract )?(?:const|let|function\*?|class|interface|type) (\w+)/;
  for (const { path, text } of files) {
    const lines = text.split('\n');
    const documented = new Set<string>();
    for (const [index, line] of lines.entries()) {
      const name = declaration.exec(line)?.[1];
      if (name === undefined) continue;
      let before = index - 1;
      while (before >= 0 && /^\s*(\/\/|@)/.test(lines[before]!)) before--;
      const isDocumented = /\*\/\s*$/.test(lines[before] ?? '');
      // Overloads and a type that goes with its const share one docstring.
      if (isDocumented) documented.add(name);
      else if (!documented.has(name)) found.push(`${path}:${index + 1}: ${name}`);
    }
  }
  return found;
}

const RECORD_PARTS = [
  'Status',
  'Context',
  'Options',
  'Decision',
  'Consequences',
  'Evidence',
  'Revisit when',
];

/** Decision records without one of their parts, with a wrong name or a number used twice. */
export function badRecords(files: readonly SourceFile[]): string[] {
  const found: string[] = [];
  const numbers = new Map<string, string>();
  for (const { path, text } of files) {
    const number = /\/(\d{4})-[a-z0-9-]+\.md$/.exec(path)?.[1];
    if (number === undefined) {
      found.push(`${path}: the name is not 0000-title.md`);
      continue;
    }
    if (numbers.has(number)) found.push(`${path}: number of ${numbers.get(number)}`);
    numbers.set(number, path);
    if (!/\b\d{4}-\d{2}-\d{2}\b/.test(text)) found.push(`${path}: no date`);
    for (const part of RECORD_PARTS) {
      const pattern = new RegExp(`^(#+ *|[-*] +)?\\**${part}\\b`, 'im');
      if (!pattern.test(text)) found.push(`${path}: no "${part}"`);
    }
  }
  return found;
}

/** Relative links of Markdown files that lead nowhere. */
export function deadLinks(
  files: readonly SourceFile[],
  exists: (path: string) => boolean = (path) => existsSync(join(root, path)),
): string[] {
  const found: string[] = [];
  for (const { path, text } of files) {
    const prose = text.replace(/```[\s\S]*?```/g, '').replace(/`[^`\n]*`/g, '');
    for (const match of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      const target = match[1]!;
      if (/^([a-z]+:|#)/.test(target)) continue;
      const file = join(dirname(path), decodeURIComponent(target.split('#')[0]!));
      if (!exists(file)) found.push(`${path}: ${target}`);
    }
  }
  return found;
}

/** Places in a lock file that name the registry of one machine. */
export function resolvedHosts(lockFile: string): string[] {
  return [...lockFile.matchAll(/"resolved":\s*"([^"]+)"/g)].map((match) => match[1]!);
}
