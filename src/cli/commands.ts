import type { Command } from './command.ts';

/**
 * All commands in the order of the help. Each is loaded only when it is meant: starting the balancer
 * must not wait for code of the others.
 */
export const commandLoaders: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./commands/run.ts')).run,
  demo: async () => (await import('./commands/demo.ts')).demo,
  check: async () => (await import('./commands/check.ts')).check,
  status: async () => (await import('./commands/status.ts')).status,
  top: async () => (await import('./commands/top.ts')).top,
  tail: async () => (await import('./commands/tail.ts')).tail,
  health: async () => (await import('./commands/health.ts')).health,
  reload: async () => (await import('./commands/reload.ts')).reload,
  upgrade: async () => (await import('./commands/upgrade.ts')).upgrade,
  reopen: async () => (await import('./commands/reopen.ts')).reopen,
  stop: async () => (await import('./commands/stop.ts')).stop,
  drain: async () => (await import('./commands/drain.ts')).drain,
  ready: async () => (await import('./commands/ready.ts')).ready,
  set: async () => (await import('./commands/set.ts')).set,
  add: async () => (await import('./commands/add.ts')).add,
  remove: async () => (await import('./commands/remove.ts')).remove,
  explain: async () => (await import('./commands/explain.ts')).explain,
  report: async () => (await import('./commands/report.ts')).report,
  plan: async () => (await import('./commands/plan.ts')).plan,
  simulate: async () => (await import('./commands/simulate.ts')).simulate,
  schema: async () => (await import('./commands/schema.ts')).schema,
  version: async () => (await import('./commands/version.ts')).version,
  help: async () => (await import('./commands/help.ts')).help,
};

/** The command of a name, or null. */
export async function loadCommand(name: string): Promise<Command | null> {
  const load = Object.hasOwn(commandLoaders, name) ? commandLoaders[name] : undefined;
  return load === undefined ? null : await load();
}
