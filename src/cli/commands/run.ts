import { findConfigFile } from '../../control/config/load.ts';
import type { RunOptions, RunSource } from '../../process/run-options.ts';
import type { Command, OptionValues } from '../command.ts';
import { CommandError, textOf, textsOf } from '../command.ts';

const drivers = ['auto', 'uring', 'portable'] as const;

/** `evenkeel run`. */
export const run: Command = {
  name: 'run',
  summary:
    'Balances in the foreground. Exit 0 after a drain, 1 on a bad configuration, 2 when it cannot listen.',
  usage: '[-c FILE] | --listen ADDRESS --to SERVER …',
  options: {
    config: {
      type: 'string',
      short: 'c',
      value: 'FILE',
      says: 'default: the one in this directory',
    },
    listen: {
      type: 'string',
      value: 'ADDRESS',
      multiple: true,
      says: 'listen here, without a file',
    },
    to: { type: 'string', value: 'HOST:PORT', multiple: true, says: 'balance to this server' },
    policy: { type: 'string', value: 'NAME', says: 'how servers are chosen; default p2c' },
    probe: { type: 'string', value: 'PATH', says: 'probe the servers with GET PATH' },
    admin: { type: 'string', value: 'ADDRESS', says: 'admin API on this TCP address too' },
    driver: { type: 'string', value: 'NAME', says: 'auto (default), uring or portable' },
    workers: { type: 'string', value: 'N', says: 'worker threads; default: available cores' },
    socket: { type: 'string', value: 'PATH', says: 'path of the admin socket' },
  },
  positionals: [0, 0],
  examples: [
    'evenkeel run -c evenkeel.yaml',
    'evenkeel run --listen :8080 --to 127.0.0.1:3001 --to 127.0.0.1:3002 --probe /healthz',
  ],
  run: async ({ values }) => {
    const options = await runOptions(values);
    const { runSupervisor } = await import('../../process/supervisor.ts');
    return await runSupervisor(options);
  },
};

/** The error for a directory without a configuration. */
export function noConfiguration(): CommandError {
  return new CommandError(
    'Cannot find a configuration as evenkeel.yaml, .json or .config.ts is required here, or -c FILE, or --listen with --to',
  );
}

/** What the options mean. Errors: throws `CommandError` for what cannot be. */
export async function runOptions(values: OptionValues): Promise<RunOptions> {
  const wanted = textOf(values, 'driver') ?? 'auto';
  const driver = drivers.find((name) => name === wanted);
  if (driver === undefined) {
    throw new CommandError(
      `Cannot use --driver as one of ${drivers.join(', ')} is required: current value is ${wanted}`,
    );
  }
  const workersText = textOf(values, 'workers');
  const workers = workersText === undefined ? null : Number(workersText);
  if (workers !== null && !(Number.isInteger(workers) && workers >= 1 && workers <= 64)) {
    throw new CommandError(
      `Cannot use --workers as 1 to 64 is required: current value is ${workersText}`,
    );
  }
  return {
    source: await sourceOf(values),
    driver,
    workers,
    socket: textOf(values, 'socket') ?? null,
  };
}

async function sourceOf(values: OptionValues): Promise<RunSource> {
  const config = textOf(values, 'config');
  const flags = ['listen', 'to', 'policy', 'probe', 'admin'].filter(
    (name) => values[name] !== undefined,
  );
  if (flags.length === 0) {
    const path = config ?? (await findConfigFile('.'));
    if (path === null) throw noConfiguration();
    return { kind: 'file', path };
  }
  if (config !== undefined) {
    throw new CommandError(
      `Cannot use -c and --${flags[0]} together as the file says it all: leave one out`,
    );
  }
  return {
    kind: 'flags',
    flags: {
      listen: textsOf(values, 'listen'),
      to: textsOf(values, 'to'),
      policy: textOf(values, 'policy'),
      probe: textOf(values, 'probe'),
      admin: textOf(values, 'admin'),
    },
  };
}
