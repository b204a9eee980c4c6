import { nearest } from '../arguments.ts';
import type { Command } from '../command.ts';
import { CommandError, helpText } from '../command.ts';

/** `evenkeel help`. */
export const help: Command = {
  name: 'help',
  summary: 'Prints what the commands do, or the help of one.',
  usage: '[COMMAND]',
  options: {},
  positionals: [0, 1],
  examples: ['evenkeel help run'],
  run: async ({ positionals, out, catalogue }) => {
    const { names } = catalogue;
    const [name] = positionals;
    if (name !== undefined) {
      const command = await catalogue.load(name);
      if (command === null) throw unknownCommand(name, names);
      out(helpText(command));
      return 0;
    }
    const width = Math.max(...names.map((each) => each.length));
    const lines: string[] = [];
    for (const each of names) {
      const command = await catalogue.load(each);
      lines.push(`  ${each.padEnd(width)}  ${command?.summary ?? ''}`);
    }
    out(
      `evenkeel: a load balancer for TCP and HTTP\n\nUsage: evenkeel COMMAND [OPTIONS]\n\n${lines.join('\n')}\n\nevenkeel COMMAND --help says more, with an example. The quickest start: evenkeel demo\n`,
    );
    return 0;
  },
};

/** The error for a command that does not exist. */
export function unknownCommand(name: string, names: readonly string[]): CommandError {
  const near = nearest(name, names);
  const advice = near === null ? '' : ` (did you mean ${near}?)`;
  return new CommandError(
    `evenkeel: there is no command ${name}${advice}; evenkeel help lists them`,
  );
}
