import { basename, resolve } from 'node:path';
import type { ConfigImpact } from '../control/publish/impact.ts';
import { realPath } from '../platform/private-files.ts';
import { type AdminClient, connectClient } from './client.ts';
import { CommandError, type Invocation, textOf } from './command.ts';

/**
 * What a checked file would change in the running balancer: the one of `--socket`, else the one that runs from
 * this file, else the only one. Errors: throws `CommandError`.
 */
export async function impactOnRunning(
  invocation: Invocation,
  file: { readonly path: string; readonly text: string },
): Promise<ConfigImpact> {
  const client = await clientFor(invocation, file.path);
  const running = (await client.status()).configuration.file;
  const isItsOwn = running === realPath(resolve(invocation.cwd, file.path));
  if (!isItsOwn && !/\.(ya?ml|json)$/.test(file.path)) {
    throw new CommandError(
      `Cannot compare ${file.path} as YAML, JSON or the file that the balancer runs from is required: it runs from ${running ?? 'flags'}`,
    );
  }
  const body = isItsOwn ? {} : { name: basename(file.path), text: file.text };
  return (await client.change('POST', '/v1/preview', body)) as ConfigImpact;
}

async function clientFor(invocation: Invocation, path: string): Promise<AdminClient> {
  const { values } = invocation;
  const socket = textOf(values, 'socket');
  if (socket !== undefined) return connectClient({ ...invocation, values: { socket } });
  try {
    return await connectClient({ ...invocation, values: { config: path } });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    // Another file than the one in use: then there must be only one balancer to compare with.
    return connectClient({ ...invocation, values: {} });
  }
}
