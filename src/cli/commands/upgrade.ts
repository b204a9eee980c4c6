import type { Command } from '../command.ts';
import { changeCommand } from './act.ts';

/** `evenkeel upgrade`. */
export const upgrade: Command = changeCommand({
  name: 'upgrade',
  summary:
    'Replaces the running balancer by one of the program on disk, without a lost request. Exit 1 when the new one does not get ready: the old one then stays.',
  usage: '',
  examples: [
    'npm install --global evenkeel && evenkeel upgrade',
    'evenkeel upgrade -c /etc/evenkeel.yaml',
  ],
  act: async (client) => {
    const json = await client.change('POST', '/v1/upgrade');
    const { pid } = json as { pid?: number };
    return {
      json,
      text: `upgraded: the balancer is pid ${pid} now; the one before finishes its traffic`,
    };
  },
});
