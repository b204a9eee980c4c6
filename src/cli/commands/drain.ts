import type { Command } from '../command.ts';
import { textOf } from '../command.ts';
import { changeCommand, changeServers, serversMax, verb } from './act.ts';

/** `evenkeel drain`. */
export const drain: Command = changeCommand({
  name: 'drain',
  summary:
    'Takes servers out of new traffic; what runs on them is finished, or closed when a time is over.',
  usage: 'SERVER…',
  examples: [
    'evenkeel drain web/10.0.0.1:3000',
    'evenkeel drain web/10.0.0.1:3000 web/10.0.0.2:3000 --for 5m',
  ],
  options: {
    for: {
      type: 'string',
      value: 'TIME',
      says: 'then close the rest, spread over a tenth of it; default: never',
    },
  },
  positionals: [1, serversMax],
  act: async (client, { positionals, values }) => {
    const time = textOf(values, 'for');
    const operation = { op: 'drain', ...(time === undefined ? {} : { for: time }) };
    const { json, servers } = await changeServers(client, positionals, operation);
    const then = time === undefined ? '' : `; what still runs there in ${time} is closed`;
    return { json, text: `${servers} ${verb(positionals, 'drains', 'drain')}${then}` };
  },
});
