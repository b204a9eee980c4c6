import { configSchema } from '../../control/config/schema.ts';
import type { Command } from '../command.ts';

/** `evenkeel schema`. */
export const schema: Command = {
  name: 'schema',
  summary: 'Prints the JSON Schema of the configuration, for editors.',
  usage: '',
  options: {},
  positionals: [0, 0],
  examples: ['evenkeel schema > evenkeel.schema.json'],
  run: ({ out }) => {
    out(`${JSON.stringify(configSchema(), null, 2)}\n`);
    return Promise.resolve(0);
  },
};
