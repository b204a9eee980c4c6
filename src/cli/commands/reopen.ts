import type { Command } from '../command.ts';
import { changeCommand } from './act.ts';

/** `evenkeel reopen`. */
export const reopen: Command = changeCommand({
  name: 'reopen',
  summary: 'Makes the running balancer open its log files anew, after a rotation.',
  usage: '',
  examples: ['mv access.log access.log.1 && evenkeel reopen'],
  act: async (client) => {
    const json = await client.change('POST', '/v1/reopen');
    return { json, text: 'the log files are open anew' };
  },
});
