import type { Command } from '../command.ts';
import { changeCommand, patchServer } from './act.ts';

/** `evenkeel ready`. */
export const ready: Command = changeCommand({
  name: 'ready',
  summary: 'Takes a drain back: the server gets new traffic again.',
  usage: 'SERVER',
  examples: ['evenkeel ready web/10.0.0.1:3000'],
  positionals: [1, 1],
  act: async (client, { positionals }) => {
    const { json, server } = await patchServer(client, positionals[0] ?? '', { draining: false });
    return { json, text: `${server} takes new traffic` };
  },
});
