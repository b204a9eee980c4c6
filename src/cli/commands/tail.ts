import type { TailLine } from '../../model/live.ts';
import { connectClient } from '../client.ts';
import type { Command, OptionValues } from '../command.ts';
import { CommandError, instanceOptions, jsonOption, textOf } from '../command.ts';

/** Filters by the name of their option, which is also that of the query. */
const filters = ['status', 'pool', 'route', 'server', 'slow', 'text'] as const;

/** `evenkeel tail`. */
export const tail: Command = {
  name: 'tail',
  summary:
    'Shows exchanges as they end, with the reason of those that failed; at most 50 a second and worker.',
  usage: '',
  options: {
    ...instanceOptions,
    ...jsonOption,
    failed: { type: 'boolean', says: 'only those that did not end well' },
    status: { type: 'string', value: 'S', says: 'a status, 5xx or 400-499' },
    pool: { type: 'string', value: 'NAME', says: 'only of this pool' },
    route: { type: 'string', value: 'NAME', says: 'only of this route' },
    server: { type: 'string', value: 'ADDRESS', says: 'only of this server' },
    slow: { type: 'string', value: 'TIME', says: 'only those that took at least so long' },
    text: { type: 'string', value: 'TEXT', says: 'must stand in method, host or path' },
    count: { type: 'string', value: 'N', says: 'end after so many' },
  },
  positionals: [0, 0],
  examples: [
    'evenkeel tail',
    'evenkeel tail --failed --pool web',
    'evenkeel tail --slow 200ms --json',
  ],
  run: async (invocation) => {
    const { values, out, err } = invocation;
    const count = countOf(textOf(values, 'count'));
    const path = `/v1/tail?${queryOf(values)}`;
    const client = await connectClient(invocation);
    const stopped = new AbortController();
    const end = (): void => stopped.abort();
    process.once('SIGINT', end);
    let left = count;
    await client.follow(path, stopped.signal, (event, json) => {
      if (left === 0) return;
      if (event === 'skipped') err(`… ${json} more were not sent\n`);
      if (event !== 'line') return;
      out(values['json'] === true ? `${json}\n` : lineText(JSON.parse(json) as TailLine));
      left--;
      if (left === 0) end();
    });
    process.off('SIGINT', end);
    if (!stopped.signal.aborted) throw new CommandError('The balancer ended the stream');
    return 0;
  },
};

function queryOf(values: OptionValues): string {
  const query = new URLSearchParams();
  for (const name of filters) {
    const value = textOf(values, name);
    if (value !== undefined) query.set(name, value);
  }
  if (values['failed'] === true) query.set('failed', 'true');
  return query.toString();
}

function countOf(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new CommandError(
    `Cannot use --count as a number from 1 is required: current value is ${text}`,
  );
}

/** `12:34:56.789 200 GET /path 1.2 ms web/10.0.0.1:3000 ok`. */
function lineText(line: TailLine): string {
  const took = line.totalMs === null ? '–' : `${line.totalMs.toFixed(1)} ms`;
  const where = line.server === null ? '–' : `${line.pool ?? ''}/${line.server}`;
  const what = line.method === null ? line.listener : `${line.method} ${line.host}${line.path}`;
  const attempts = line.attempts > 1 ? `, ${line.attempts} attempts` : '';
  const status = line.status === 0 ? '–' : String(line.status);
  const text = `${line.time.slice(11, 23)} ${status.padStart(3)} ${what} ${took} ${where} ${line.reason}${attempts}`;
  return `${text.replace(/\p{Cc}/gu, '?')}\n`;
}
