import type { Command } from '../command.ts';
import { CommandError } from '../command.ts';
import { changeCommand, changeServers, serversMax, verb } from './act.ts';

/** `evenkeel set`. */
export const set: Command = changeCommand({
  name: 'set',
  summary: 'Sets the weight of servers; 0 takes no new traffic.',
  usage: 'SERVER… weight=N',
  examples: ['evenkeel set web/10.0.0.1:3000 weight=5'],
  positionals: [2, serversMax + 1],
  act: async (client, { positionals }) => {
    const text = /^weight=([0-9]{1,9})$/.exec(positionals.at(-1) ?? '')?.[1];
    if (text === undefined) {
      throw new CommandError(
        `Cannot set a value as weight=N with N from 0 to 1000 is required: current value is ${positionals.at(-1)}`,
      );
    }
    const weight = Number(text);
    const names = positionals.slice(0, -1);
    const { json, servers } = await changeServers(client, names, { op: 'set', weight });
    return { json, text: `${servers} ${verb(names, 'has', 'have')} weight ${weight}` };
  },
});
