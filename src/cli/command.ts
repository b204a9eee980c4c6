/** An option of a command. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** What stands for the value in the help: `FILE`. */
  readonly value?: string;
  readonly says: string;
}

/** Values of options by name; absent ones are undefined. */
export type OptionValues = Readonly<
  Record<string, string | boolean | readonly (string | boolean)[] | undefined>
>;

/** What a command is run with. */
export interface Invocation {
  readonly values: OptionValues;
  readonly positionals: readonly string[];
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Width of the terminal; null when stdout is none. */
  readonly columns: number | null;
  /** All commands: for the help, which is one of them and cannot import their table. */
  readonly catalogue: Catalogue;
}

/** The names of all commands in the order of the help, and how to load one (null: there is none). */
export interface Catalogue {
  readonly names: readonly string[];
  load(name: string): Promise<Command | null>;
}

/** One command: everything that help, the parser and the reference say about it. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Behind `evenkeel NAME`: `SERVER weight=N`. */
  readonly usage: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Least and most arguments that are not options. */
  readonly positionals: readonly [least: number, most: number];
  readonly examples: readonly string[];
  /** Gives the exit code. Errors: throws `CommandError` for what the user can put right. */
  run(invocation: Invocation): Promise<number>;
}

/** What a user did wrong or met: printed as one line (or as it is), exit code 1, no stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** `--socket` and `-c` of all commands that speak to a running balancer. */
export const instanceOptions: Readonly<Record<string, OptionSpec>> = {
  socket: { type: 'string', value: 'PATH', says: 'admin socket of the balancer' },
  config: {
    type: 'string',
    short: 'c',
    value: 'FILE',
    says: 'the balancer that runs from this file',
  },
};

/** `--json`. */
export const jsonOption: Readonly<Record<string, OptionSpec>> = {
  json: { type: 'boolean', says: 'print JSON' },
};

/** A text value, or undefined. */
export function textOf(values: OptionValues, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}

/** All values of a repeatable option. */
export function textsOf(values: OptionValues, name: string): readonly string[] {
  const value = values[name];
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : [];
}

/** The help of one command. */
export function helpText(command: Command): string {
  const usage = command.usage === '' ? '' : ` ${command.usage}`;
  const rows = Object.entries({ ...command.options, help: helpOption }).map(([name, option]) => {
    const short = option.short === undefined ? '    ' : `-${option.short}, `;
    const value = option.value === undefined ? '' : ` ${option.value}`;
    return [`  ${short}--${name}${value}`, option.says + (option.multiple ? ' (repeatable)' : '')];
  });
  const width = Math.max(...rows.map(([left]) => left?.length ?? 0));
  const lines = rows.map(([left, right]) => `${left?.padEnd(width)}  ${right}`);
  const examples = command.examples.map((example) => `  ${example}`);
  return [
    `evenkeel ${command.name}${usage}`,
    '',
    command.summary,
    '',
    'Options:',
    ...lines,
    '',
    examples.length === 1 ? 'Example:' : 'Examples:',
    ...examples,
    '',
  ].join('\n');
}

const helpOption: OptionSpec = { type: 'boolean', short: 'h', says: 'print this help' };
