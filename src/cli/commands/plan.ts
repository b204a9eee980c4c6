import type { PlanAnswer } from '../../control/history/answer-plan.ts';
import { connectClient } from '../client.ts';
import type { Command } from '../command.ts';
import { CommandError, instanceOptions, jsonOption, textOf } from '../command.ts';
import { planText } from '../plan-text.ts';

/** `evenkeel plan`. */
export const plan: Command = {
  name: 'plan',
  summary:
    'Says per pool what its servers can take, what is free, and how many servers a growth or a date to come needs, one of them lost.',
  usage: '[POOL]',
  options: {
    growth: { type: 'string', value: 'FACTOR', says: 'for so many times the peak: 2x, +50%' },
    until: { type: 'string', value: 'TIME', says: 'for the peak that is forecast: 2027-03' },
    ...instanceOptions,
    ...jsonOption,
  },
  positionals: [0, 1],
  examples: ['evenkeel plan --growth 2x', 'evenkeel plan web --until 2027-03'],
  run: async (invocation) => {
    const { values, positionals, out } = invocation;
    const query = new URLSearchParams();
    for (const name of ['growth', 'until'] as const) {
      const said = textOf(values, name);
      if (said !== undefined) query.set(name, said);
    }
    const client = await connectClient(invocation);
    const answer = (await client.change('GET', `/v1/plan?${query}`)) as PlanAnswer;
    const [wanted] = positionals;
    const pools = answer.pools.filter(({ pool }) => wanted === undefined || pool === wanted);
    if (pools.length === 0 && wanted !== undefined) {
      const known = answer.pools.map(({ pool }) => pool).join(', ');
      throw new CommandError(
        `Cannot plan as the name of a pool is required (${known}): current value is ${wanted}`,
      );
    }
    const shown = { ...answer, pools };
    out(values['json'] === true ? `${JSON.stringify(shown, null, 2)}\n` : planText(shown));
    return 0;
  },
};
