import type { AdminClient } from '../client.ts';
import { connectClient, findServer, serverPath } from '../client.ts';
import type { Command, Invocation } from '../command.ts';
import { instanceOptions, jsonOption } from '../command.ts';

/** What differs between the commands that ask for one change. */
export interface Change {
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
  readonly examples: readonly string[];
  readonly options?: Command['options'];
  readonly positionals?: readonly [number, number];
  /** Asks for the change; gives what `--json` prints and the line for people. */
  act(
    client: AdminClient,
    invocation: Invocation,
  ): Promise<{ readonly json: unknown; readonly text: string }>;
}

/** A command that asks the running balancer for one change and says what came of it. */
export function changeCommand(change: Change): Command {
  const { name, summary, usage, examples, options, positionals, act } = change;
  return {
    name,
    summary,
    usage,
    examples,
    options: { ...options, ...instanceOptions, ...jsonOption },
    positionals: positionals ?? [0, 0],
    run: async (invocation) => {
      const client = await connectClient(invocation);
      const { json, text } = await act(client, invocation);
      invocation.out(
        invocation.values['json'] === true ? `${JSON.stringify(json, null, 2)}\n` : `${text}\n`,
      );
      return 0;
    },
  };
}

/** Changes one server named by the first argument. */
export async function patchServer(
  client: AdminClient,
  name: string,
  body: unknown,
): Promise<{ readonly json: unknown; readonly server: string }> {
  const server = await findServer(client, name);
  const json = await client.change('PATCH', serverPath(server), body);
  return { json, server: `${server.pool}/${server.address}` };
}
