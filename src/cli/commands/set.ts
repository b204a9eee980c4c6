import type { Command } from '../command.ts';
import { CommandError } from '../command.ts';
import { changeCommand, patchServer } from './act.ts';

/** `evenkeel set`. */
export const set: Command = changeCommand({
  name: 'set',
  summary: 'Sets the weight of a server; 0 takes no new traffic.',
  usage: 'SERVER weight=N',
  examples: ['evenkeel set web/10.0.0.1:3000 weight=5'],
  positionals: [2, 2],
  act: async (client, { positionals }) => {
    const text = /^weight=([0-9]{1,9})$/.exec(positionals[1] ?? '')?.[1];
    if (text === undefined) {
      throw new CommandError(
        `Cannot set a value as weight=N with N from 0 to 1000 is required: current value is ${positionals[1]}`,
      );
    }
    const weight = Number(text);
    const { json, server } = await patchServer(client, positionals[0] ?? '', { weight });
    return { json, text: `${server} has weight ${weight}` };
  },
});
