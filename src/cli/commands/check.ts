import { checkConfig, findConfigFile } from '../../control/config/load.ts';
import { formatProblem } from '../../control/config/problem.ts';
import { formatWarning } from '../../control/config/warnings.ts';
import type { Command } from '../command.ts';
import { jsonOption, textOf } from '../command.ts';
import { impactText } from '../impact-text.ts';
import { impactOnRunning } from '../running-impact.ts';
import { noConfiguration } from './run.ts';

/** `evenkeel check`. */
export const check: Command = {
  name: 'check',
  summary:
    'Checks a configuration with the code that loads it; prints every problem, exit 1 when there is one; warns of routes that can never match or overlap.',
  usage: '[-c FILE] [--diff]',
  options: {
    config: {
      type: 'string',
      short: 'c',
      value: 'FILE',
      says: 'default: the one in this directory',
    },
    diff: {
      type: 'boolean',
      says: 'show what it would change in the running balancer and which links that touches',
    },
    socket: { type: 'string', value: 'PATH', says: 'with --diff: admin socket of the balancer' },
    ...jsonOption,
  },
  positionals: [0, 0],
  examples: [
    'evenkeel check -c evenkeel.yaml',
    'evenkeel check --json',
    'evenkeel check -c new.yaml --diff',
  ],
  run: async (invocation) => {
    const { values, out, err } = invocation;
    const path = textOf(values, 'config') ?? (await findConfigFile('.'));
    if (path === null) throw noConfiguration();
    const result = await checkConfig({ kind: 'file', path });
    const isCompared = values['diff'] === true && result.ok;
    const impact = isCompared
      ? await impactOnRunning(invocation, { path, text: result.text })
      : undefined;
    if (values['json'] === true) {
      const problems = result.ok ? [] : result.problems;
      const { ok, warnings } = result;
      out(`${JSON.stringify({ ok, file: path, problems, warnings, impact }, null, 2)}\n`);
    } else if (result.ok) {
      const { listeners, routes, pools } = result.config;
      err(result.warnings.map((warning) => `${formatWarning(path, warning)}\n`).join(''));
      out(
        `${path}: good: ${listeners.length} listeners, ${routes.length} routes, ${pools.length} pools\n`,
      );
      if (impact !== undefined) out(impactText(impact));
    } else {
      err(result.problems.map((problem) => `${formatProblem(problem)}\n`).join(''));
    }
    return result.ok ? 0 : 1;
  },
};
