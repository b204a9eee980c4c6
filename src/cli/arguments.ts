import { parseArgs } from 'node:util';
import type { Command, OptionValues } from './command.ts';
import { CommandError } from './command.ts';

/** What a command line means for a command. */
export interface ParsedArguments {
  readonly values: OptionValues;
  readonly positionals: readonly string[];
  readonly isHelpWanted: boolean;
}

/**
 * Reads the arguments behind a command's name. Errors: throws `CommandError` that names the argument and,
 * for a misspelt option, the nearest one.
 */
export function parseArguments(command: Command, args: readonly string[]): ParsedArguments {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { type, short, multiple }]) => [
      name,
      { type, multiple: multiple === true, ...(short === undefined ? {} : { short }) },
    ]),
  );
  const known = { ...options, help: { type: 'boolean' as const, short: 'h', multiple: false } };
  const { tokens } = parseArgs({
    args: [...args],
    options: known,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const values: Record<string, string | boolean | (string | boolean)[]> = {};
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(known, token.name)
      ? known[token.name as keyof typeof known]
      : undefined;
    if (option === undefined) throw unknownOption(command, token.rawName, Object.keys(known));
    const value = optionValue(command, token, option.type);
    const before = values[token.name];
    if (!option.multiple && before !== undefined && token.name !== 'help') {
      throw usageError(command, `${token.rawName} is given twice`);
    }
    if (option.multiple) values[token.name] = [...(Array.isArray(before) ? before : []), value];
    else values[token.name] = value;
  }
  const isHelpWanted = values['help'] === true;
  if (!isHelpWanted) checkCount(command, positionals);
  return { values, positionals, isHelpWanted };
}

function optionValue(
  command: Command,
  token: { rawName: string; value?: string | undefined; inlineValue?: boolean | undefined },
  type: 'string' | 'boolean',
): string | boolean {
  const { value, rawName } = token;
  if (type === 'boolean') {
    if (value === undefined) return true;
    throw usageError(command, `${rawName} takes no value`);
  }
  // `--socket --json`: an option where the value should stand is a forgotten value.
  if (value === undefined || (token.inlineValue === false && /^-./.test(value))) {
    throw usageError(command, `${rawName} needs a value`);
  }
  return value;
}

function checkCount(command: Command, positionals: readonly string[]): void {
  const [least, most] = command.positionals;
  if (positionals.length < least) throw usageError(command, 'an argument is missing');
  if (positionals.length > most) {
    throw usageError(command, `the argument ${positionals[most]} is one too many`);
  }
}

function unknownOption(command: Command, rawName: string, names: readonly string[]): CommandError {
  const near = nearest(rawName.replace(/^-+/, ''), names);
  const advice = near === null ? '' : ` (did you mean --${near}?)`;
  return usageError(command, `there is no option ${rawName}${advice}`);
}

function usageError(command: Command, what: string): CommandError {
  const usage = command.usage === '' ? '' : ` ${command.usage}`;
  return new CommandError(
    `evenkeel ${command.name}: ${what}\nUsage: evenkeel ${command.name}${usage}   (--help says more)`,
  );
}

/** The name with the fewest edits to `word`, or null when none is near enough to have been meant. */
export function nearest(word: string, names: readonly string[]): string | null {
  const editsMax = word.length <= 4 ? 1 : 2;
  let best: string | null = null;
  let bestEdits = editsMax + 1;
  for (const name of names) {
    const edits = editDistance(word, name);
    if (edits < bestEdits) {
      best = name;
      bestEdits = edits;
    }
  }
  return best;
}

/** Insertions, removals, replacements and swaps of neighbours that make `a` to `b`. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const replace = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let edits = Math.min(at(i - 1, j) + 1, (row[j - 1] ?? 0) + 1, replace);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        edits = Math.min(edits, at(i - 2, j - 2) + 1);
      }
      row.push(edits);
    }
  }
  return at(a.length, b.length);
}
