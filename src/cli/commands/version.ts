import { version as programVersion } from '../../process/version.ts';
import type { Command } from '../command.ts';
import { jsonOption } from '../command.ts';

/** `evenkeel version`. */
export const version: Command = {
  name: 'version',
  summary: 'Prints the version of this program.',
  usage: '',
  options: jsonOption,
  positionals: [0, 0],
  examples: ['evenkeel version'],
  run: ({ out, values }) => {
    const facts = { version: programVersion, node: process.version, platform: process.platform };
    out(values['json'] === true ? `${JSON.stringify(facts)}\n` : `evenkeel ${programVersion}\n`);
    return Promise.resolve(0);
  },
};
