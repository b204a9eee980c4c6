import type { Command } from '../command.ts';
import { changeCommand, changeServers, serversMax, verb } from './act.ts';

/** `evenkeel remove`. */
export const remove: Command = changeCommand({
  name: 'remove',
  summary:
    'Removes servers from their pools; what runs on them has `timeouts.drain` to finish, the file stays as it is.',
  usage: 'SERVER…',
  examples: ['evenkeel remove web/10.0.0.9:3000', 'evenkeel remove 10.0.0.8:3000 10.0.0.9:3000'],
  positionals: [1, serversMax],
  act: async (client, { positionals }) => {
    const { json, servers } = await changeServers(client, positionals, { op: 'remove' });
    return { json, text: `${servers} ${verb(positionals, 'is', 'are')} removed` };
  },
});
