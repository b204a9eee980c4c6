import { posix } from 'node:path';
import { lineOf, type SourceFile, withoutComments } from './source-files.ts';

/** Ranks of the rooms (ARCHITECTURE.md): imports go to the own room or to a strictly lower rank. */
export const ranks: Readonly<Record<string, number>> = {
  base: 0,
  model: 1,
  wire: 2,
  platform: 2,
  balance: 3,
  match: 3,
  health: 3,
  limit: 3,
  observe: 3,
  capacity: 3,
  data: 4,
  control: 4,
  process: 5,
  simulate: 5,
  cli: 6,
  // The page runs in a browser: it takes shapes and pure tools, and nobody imports it.
  dashboard: 7,
  'index.ts': 6,
  'testing.ts': 6,
};

/** Rooms that the page may import. */
const pageRooms: readonly string[] = ['base', 'model'];

/** Room of a file below src/, for example `wire`. */
function roomOf(path: string): string {
  return path.split('/')[1] ?? '';
}

/** Breaches of the ranks, as `file:line: what`. */
export function rankBreaches(files: readonly SourceFile[]): string[] {
  const found: string[] = [];
  for (const { path, text } of files) {
    const room = roomOf(path);
    const rank = ranks[room];
    if (rank === undefined) {
      found.push(`${path}:1: the room ${room} has no rank`);
      continue;
    }
    const code = withoutComments(text);
    for (const match of code.matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g)) {
      const target = posix.join(posix.dirname(path), match[1]!);
      if (!target.startsWith('src/')) {
        found.push(`${path}:${lineOf(code, match.index)}: imports ${target}, outside src/`);
        continue;
      }
      const other = roomOf(target);
      if (other === room) continue;
      if (room === 'dashboard' && !pageRooms.includes(other)) {
        found.push(`${path}:${lineOf(code, match.index)}: the page imports ${other}`);
        continue;
      }
      if ((ranks[other] ?? 99) < rank) continue;
      found.push(
        `${path}:${lineOf(code, match.index)}: ${room} (${rank}) imports ${other} (${ranks[other]})`,
      );
    }
  }
  return found;
}
