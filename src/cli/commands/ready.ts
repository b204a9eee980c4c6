import type { Command } from '../command.ts';
import { changeCommand, changeServers, serversMax, verb } from './act.ts';

/** `evenkeel ready`. */
export const ready: Command = changeCommand({
  name: 'ready',
  summary: 'Takes drains back: the servers get new traffic again.',
  usage: 'SERVER…',
  examples: ['evenkeel ready web/10.0.0.1:3000'],
  positionals: [1, serversMax],
  act: async (client, { positionals }) => {
    const { json, servers } = await changeServers(client, positionals, { op: 'ready' });
    return { json, text: `${servers} ${verb(positionals, 'takes', 'take')} new traffic` };
  },
});
