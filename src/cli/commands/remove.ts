import { findServer, serverPath } from '../client.ts';
import type { Command } from '../command.ts';
import { changeCommand } from './act.ts';

/** `evenkeel remove`. */
export const remove: Command = changeCommand({
  name: 'remove',
  summary: 'Removes a server from its pool; what runs on it is finished, the file stays as it is.',
  usage: 'SERVER',
  examples: ['evenkeel remove web/10.0.0.9:3000'],
  positionals: [1, 1],
  act: async (client, { positionals }) => {
    const server = await findServer(client, positionals[0] ?? '');
    const json = await client.change('DELETE', serverPath(server));
    return { json, text: `${server.pool}/${server.address} is removed` };
  },
});
