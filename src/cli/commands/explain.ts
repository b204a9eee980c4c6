import type { ExplainRequest, Explanation } from '../../control/explain/explanation.ts';
import { connectClient, errorMessage } from '../client.ts';
import type { Command, Invocation } from '../command.ts';
import { CommandError, instanceOptions, jsonOption, textOf, textsOf } from '../command.ts';
import { explainText } from '../explain-text.ts';

/** `evenkeel explain`. */
export const explain: Command = {
  name: 'explain',
  summary:
    'Tells where a request goes and why: route by route, then how the policy sees each server. Asks the running balancer; with -c the file alone. Changes nothing.',
  usage: 'METHOD URL',
  options: {
    header: { type: 'string', multiple: true, value: "'NAME: VALUE'", says: 'a header field' },
    ip: { type: 'string', value: 'ADDRESS', says: 'where the connection comes from' },
    listener: { type: 'string', value: 'NAME', says: 'default: the one on the port of the URL' },
    protocol: { type: 'string', value: 'VERSION', says: 'http/1.0 or http/1.1 (default)' },
    ...instanceOptions,
    config: { type: 'string', short: 'c', value: 'FILE', says: 'explain by this file instead' },
    ...jsonOption,
  },
  positionals: [2, 2],
  examples: [
    "evenkeel explain GET http://api.example.com/v1/users --header 'X-Version: 2'",
    'evenkeel explain POST /login --ip 192.0.2.7 -c evenkeel.yaml',
  ],
  run: async (invocation) => {
    const { values, out } = invocation;
    const file = textOf(values, 'config');
    const asked = askedOf(invocation);
    const explanation =
      file === undefined
        ? await askBalancer(invocation, asked)
        : await (await import('../explain-file.ts')).explainFile(file, asked);
    out(
      values['json'] === true
        ? `${JSON.stringify(explanation, null, 2)}\n`
        : explainText(explanation, file ?? null),
    );
    return 0;
  },
};

function askedOf({ values, positionals }: Invocation): ExplainRequest {
  const [method = '', url = ''] = positionals;
  const protocol = textOf(values, 'protocol') ?? 'http/1.1';
  if (protocol !== 'http/1.0' && protocol !== 'http/1.1') {
    throw new CommandError(
      `Cannot use --protocol as http/1.0 or http/1.1 is required: current value is ${protocol}`,
    );
  }
  const headers = textsOf(values, 'header');
  const wrong = headers.find((line) => !/^[^\r\n:]+:[^\r\n]*$/.test(line));
  if (wrong !== undefined) {
    throw new CommandError(
      `Cannot use --header as 'Name: value' is required: current value is ${wrong}`,
    );
  }
  const [ip = null, listener = null] = [textOf(values, 'ip'), textOf(values, 'listener')];
  return { method, url, headers, ip, listener, protocol };
}

async function askBalancer(invocation: Invocation, asked: ExplainRequest): Promise<Explanation> {
  const client = await connectClient(invocation);
  const body = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== null));
  const answer = await client.ask('POST', '/v1/explain', body);
  if (answer.status !== 200) throw new CommandError(errorMessage(answer));
  return answer.body as Explanation;
}
