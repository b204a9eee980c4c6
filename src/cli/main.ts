import { parseArguments } from './arguments.ts';
import { CommandError, helpText } from './command.ts';
import { commandLoaders, loadCommand } from './commands.ts';

/** Exit code for what the user can put right: a wrong argument, a refused change, nobody there. */
const exitRefused = 1;

/**
 * Runs the command line and gives the exit code. `args` is what stands behind the program's name.
 * Errors: rejects for bugs of ours only.
 */
export async function main(args: readonly string[]): Promise<number> {
  // `evenkeel status | head` closes our stdout early: the rest has no reader, and that is all.
  process.stdout.on('error', () => process.exit(0));
  const [first = 'help', ...rest] = args;
  const name = alias(first);
  try {
    const command = await loadCommand(name);
    if (command === null) {
      const { unknownCommand } = await import('./commands/help.ts');
      throw unknownCommand(name, Object.keys(commandLoaders));
    }
    const { values, positionals, isHelpWanted } = parseArguments(command, rest);
    if (isHelpWanted) {
      process.stdout.write(helpText(command));
      return 0;
    }
    return await command.run({
      values,
      positionals,
      out: (text) => void process.stdout.write(text),
      err: (text) => void process.stderr.write(text),
      env: process.env,
      cwd: process.cwd(),
      catalogue: { names: Object.keys(commandLoaders), load: loadCommand },
      columns: process.stdout.isTTY ? process.stdout.columns : null,
    });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return exitRefused;
  }
}

function alias(first: string): string {
  if (first === '--help' || first === '-h') return 'help';
  return first === '--version' || first === '-V' || first === '-v' ? 'version' : first;
}
