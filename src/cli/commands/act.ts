import type { AdminClient } from '../client.ts';
import { connectClient, findServer, type ServerName } from '../client.ts';
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

/**
 * Makes the same change of one or more servers, all or none. `operation`: the change without pool and
 * address. Gives the names of the servers as `pool/address`, with commas between them.
 */
export async function changeServers(
  client: AdminClient,
  names: readonly string[],
  operation: Readonly<Record<string, unknown>>,
): Promise<{ readonly json: unknown; readonly servers: string }> {
  const servers: ServerName[] = [];
  for (const name of names) servers.push(await findServer(client, name));
  const changes = servers.map((server) => ({ ...operation, ...server }));
  const json = await client.change('POST', '/v1/transactions', { changes });
  return { json, servers: servers.map(({ pool, address }) => `${pool}/${address}`).join(', ') };
}

/** A verb for one or more. */
export function verb(names: readonly string[], one: string, more: string): string {
  return names.length === 1 ? one : more;
}

/** So many servers one command may name. */
export const serversMax = 1_000;
