import type { Command, OptionValues } from '../command.ts';
import { CommandError, textOf } from '../command.ts';
import { changeCommand } from './act.ts';

/** `evenkeel add`. */
export const add: Command = changeCommand({
  name: 'add',
  summary:
    'Adds a server to a pool until the balancer ends or it is removed; the file stays as it is.',
  usage: 'POOL/ADDRESS',
  examples: ['evenkeel add web/10.0.0.9:3000 --weight 2'],
  options: {
    weight: { type: 'string', value: 'N', says: 'weight, 0 to 1000; default 1' },
    backup: { type: 'boolean', says: 'takes traffic only when no other server can' },
    'max-connections': { type: 'string', value: 'N', says: 'exchanges at once; default no limit' },
    'max-pending': { type: 'string', value: 'N', says: 'unanswered requests; default no limit' },
  },
  positionals: [1, 1],
  act: async (client, { positionals, values }) => {
    const [, pool, address] = /^([a-z0-9-]+)\/(.+)$/.exec(positionals[0] ?? '') ?? [];
    if (pool === undefined || address === undefined) {
      throw new CommandError(
        `Cannot add a server as POOL/ADDRESS is required: current value is ${positionals[0]}`,
      );
    }
    const weight = numberOf(values, 'weight');
    const maxConnections = numberOf(values, 'max-connections');
    const maxPending = numberOf(values, 'max-pending');
    const json = await client.change('POST', `/v1/pools/${encodeURIComponent(pool)}/servers`, {
      address,
      ...(weight === undefined ? {} : { weight }),
      ...(maxConnections === undefined ? {} : { maxConnections }),
      ...(maxPending === undefined ? {} : { maxPending }),
      ...(values['backup'] === true ? { backup: true } : {}),
    });
    return { json, text: `${pool}/${address} is added` };
  },
});

function numberOf(values: OptionValues, name: string): number | undefined {
  const text = textOf(values, name);
  if (text === undefined || /^[0-9]{1,9}$/.test(text))
    return text === undefined ? text : Number(text);
  throw new CommandError(
    `Cannot use --${name} as a whole number is required: current value is ${text}`,
  );
}
