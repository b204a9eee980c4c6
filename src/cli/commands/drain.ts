import type { Command } from '../command.ts';
import { changeCommand, patchServer } from './act.ts';

/** `evenkeel drain`. */
export const drain: Command = changeCommand({
  name: 'drain',
  summary: 'Takes a server out of new traffic; what runs on it is finished.',
  usage: 'SERVER',
  examples: ['evenkeel drain web/10.0.0.1:3000'],
  positionals: [1, 1],
  act: async (client, { positionals }) => {
    const { json, server } = await patchServer(client, positionals[0] ?? '', { draining: true });
    return { json, text: `${server} drains` };
  },
});
