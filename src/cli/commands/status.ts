import { connectClient } from '../client.ts';
import type { Command } from '../command.ts';
import { instanceOptions, jsonOption } from '../command.ts';
import { statusText } from '../status-text.ts';

/** `evenkeel status`. */
export const status: Command = {
  name: 'status',
  summary:
    'Shows listeners, pools and servers: health and why, load, rate, errors, latency; driver and why.',
  usage: '',
  options: { ...instanceOptions, ...jsonOption },
  positionals: [0, 0],
  examples: ['evenkeel status', 'evenkeel status --json -c evenkeel.yaml'],
  run: async (invocation) => {
    const client = await connectClient(invocation);
    const report = await client.status();
    const { out, values, columns } = invocation;
    out(
      values['json'] === true
        ? `${JSON.stringify(report, null, 2)}\n`
        : statusText(report, Date.now(), columns),
    );
    return 0;
  },
};
