/**
 * The known word nearest to a written one, or null when none is near: at most 2 edits for words of
 * up to 7 letters (1 for up to 3), 3 for longer ones, or one starts with the other. Case counts for nothing. Ties go to the first
 * in the list. Cost: product of the lengths per candidate.
 */
export function nearest(written: string, known: Iterable<string>): string | null {
  // Longer than any key: never near one, and the distance would be costly.
  if (written.length > 64) return null;
  const word = written.toLowerCase();
  const editsMax = word.length <= 3 ? 1 : word.length <= 7 ? 2 : 3;
  let best: string | null = null;
  let bestEdits = editsMax + 1;
  for (const candidate of known) {
    const other = candidate.toLowerCase();
    // `warning` for `warn`, `least-conn` for `least-connections`.
    const isStart = Math.min(word.length, other.length) > 2 && startsEither(word, other);
    if (!isStart && Math.abs(other.length - word.length) > editsMax) continue;
    const edits = Math.min(editDistance(word, other), isStart ? editsMax : Infinity);
    // As many edits as letters would turn any word into any other.
    if (edits >= candidate.length) continue;
    if (edits < bestEdits) {
      best = candidate;
      bestEdits = edits;
    }
  }
  return best;
}

function startsEither(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}

/**
 * Edits between two words: letters added, dropped, changed, or two neighbours swapped, none of them
 * touched twice (optimal string alignment after Damerau, 1964, and Levenshtein, 1966).
 */
export function editDistance(a: string, b: string): number {
  let twoAbove: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      const changed = (above[j - 1] ?? 0) + (isSame ? 0 : 1);
      let edits = Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, changed);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) edits = Math.min(edits, (twoAbove[j - 2] ?? 0) + 1);
      row.push(edits);
    }
    twoAbove = above;
    above = row;
  }
  return above[b.length] ?? 0;
}
