import type { PoolHealthReport } from '../../control/report/health-report.ts';
import { type AdminClient, connectClient, errorMessage } from '../client.ts';
import type { Command } from '../command.ts';
import { CommandError, instanceOptions, jsonOption } from '../command.ts';
import { healthText } from '../health-text.ts';

/** `evenkeel health`. */
export const health: Command = {
  name: 'health',
  summary:
    'Tells how a pool and its servers are: who is out, why, since when, and when it is tried again. Without a name: all pools.',
  usage: '[POOL]',
  options: {
    why: {
      type: 'boolean',
      says: 'also what led to it: traffic, last probes, changes, server by server',
    },
    ...instanceOptions,
    ...jsonOption,
  },
  positionals: [0, 1],
  examples: ['evenkeel health', 'evenkeel health web --why'],
  run: async (invocation) => {
    const { values, positionals, out } = invocation;
    const client = await connectClient(invocation);
    const [name] = positionals;
    const names =
      name === undefined ? (await client.status()).pools.map((pool) => pool.name) : [name];
    const reports: PoolHealthReport[] = [];
    for (const one of names) reports.push(await healthOf(client, one));
    if (values['json'] === true) {
      out(`${JSON.stringify(name === undefined ? reports : reports[0], null, 2)}\n`);
    } else {
      out(reports.map((report) => healthText(report, values['why'] === true)).join('\n'));
    }
    return 0;
  },
};

async function healthOf(client: AdminClient, pool: string): Promise<PoolHealthReport> {
  const answer = await client.ask('GET', `/v1/pools/${encodeURIComponent(pool)}/health`);
  if (answer.status === 404) {
    const { pools } = await client.status();
    const known = pools.map(({ name }) => name).join(', ');
    throw new CommandError(
      `Cannot show the health as the name of a pool is required (${known}): current value is ${pool}`,
    );
  }
  if (answer.status !== 200) throw new CommandError(errorMessage(answer));
  return answer.body as PoolHealthReport;
}
