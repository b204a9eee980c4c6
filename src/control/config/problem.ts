/** One fault of a configuration: where it is, what is required there, what was found. */
export interface ConfigProblem {
  /** Name as the user gave it; `command line` for flags. */
  readonly file: string;
  /** From 1; 0 = there is no such place (flags). */
  readonly line: number;
  /** From 1, in UTF-16 code units; 0 where `line` is 0. */
  readonly column: number;
  /** `pools.web.servers[1].weight`; `file` for the file as a whole. */
  readonly path: string;
  /** `must be …`. */
  readonly requirement: string;
  /** `found …`. */
  readonly found: string;
  /** What to write instead, where we can guess it. */
  readonly suggestion: string | null;
}

/** A place in a source text. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A fault whose file is not known yet. */
export type PlacedProblem = Omit<ConfigProblem, 'file'>;

/** Faults shown for one file; a file of another kind given by mistake would fill the screen. */
const problemsShownMax = 100;

/** One line: `file:line:column: path: requirement, found (did you mean 'x'?)`; no place for flags. */
export function formatProblem(problem: ConfigProblem): string {
  const { file, line, column, path, requirement, found, suggestion } = problem;
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  const hint = suggestion === null ? '' : ` (did you mean '${suggestion}'?)`;
  return `${place}: ${path}: ${requirement}, ${found}${hint}`;
}

/**
 * Names the file in each fault and sorts them by position, then path. At most 100 are kept; the last
 * then says how many were left out.
 */
export function finishProblems(
  file: string,
  problems: readonly PlacedProblem[],
): readonly ConfigProblem[] {
  const sorted = problems
    .map((problem) => ({ file, ...problem }))
    .sort((a, b) => a.line - b.line || a.column - b.column || (a.path < b.path ? -1 : 1));
  const last = sorted[problemsShownMax - 1];
  if (last === undefined || sorted.length <= problemsShownMax) return sorted;
  const leftOut = sorted.length - problemsShownMax + 1;
  return [
    ...sorted.slice(0, problemsShownMax - 1),
    {
      ...last,
      path: 'file',
      requirement: 'must be a configuration without faults',
      found: `found ${leftOut} more faults from here on`,
      suggestion: null,
    },
  ];
}

/** How a value is shown in `found …`: quoted text shortened to 60 characters, numbers as they are. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map of keys';
  if (typeof value !== 'string') return String(value);
  if (value === '') return 'an empty text';
  const short = value.length > 60 ? `${value.slice(0, 57)}...` : value;
  // Control characters would let a file write to the terminal of whoever checks it.
  return `'${short.replace(/\p{Cc}/gu, (char) => `\\x${hex(char)}`)}'`;
}

function hex(char: string): string {
  return char.charCodeAt(0).toString(16).padStart(2, '0');
}
