import { setTimeout as delay } from 'node:timers/promises';
import { isProcessAlive } from '../../platform/private-files.ts';
import type { Command } from '../command.ts';
import { changeCommand } from './act.ts';

/** How often `--wait` looks whether the processes have ended. */
const lookMs = 50;

/** `evenkeel stop`. */
export const stop: Command = changeCommand({
  name: 'stop',
  summary:
    'Drains the running balancer, which then ends. Called again during the drain it ends at once.',
  usage: '',
  examples: ['evenkeel stop --wait'],
  options: { wait: { type: 'boolean', says: 'return only when it has ended' } },
  act: async (client, { values }) => {
    const { pids } = await client.status();
    const json = await client.change('POST', '/v1/stop');
    if (values['wait'] !== true) return { json, text: 'it drains, then ends' };
    const watched = [pids.balancer, ...(pids.supervisor === null ? [] : [pids.supervisor])];
    // No limit of our own: the balancer's drain has one, and the user can interrupt.
    while (watched.some(isProcessAlive)) await delay(lookMs);
    return { json, text: 'it has ended' };
  },
});
