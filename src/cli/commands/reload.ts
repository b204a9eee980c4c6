import type { ConfigImpact } from '../../control/publish/impact.ts';
import type { Command } from '../command.ts';
import { impactText } from '../impact-text.ts';
import { changeCommand } from './act.ts';

/** `evenkeel reload`. */
export const reload: Command = changeCommand({
  name: 'reload',
  summary:
    'Makes the running balancer read its configuration again. A refused one keeps the running one; exit 1.',
  usage: '',
  examples: ['evenkeel reload', 'evenkeel reload -c /etc/evenkeel.yaml', 'evenkeel reload --diff'],
  options: {
    diff: { type: 'boolean', says: 'only show what it would change and which links that touches' },
  },
  act: async (client, { values }) => {
    if (values['diff'] === true) {
      const impact = (await client.change('POST', '/v1/preview', {})) as ConfigImpact;
      return { json: impact, text: impactText(impact).trimEnd() };
    }
    const json = await client.change('POST', '/v1/reload');
    const changes = (json as { changes?: readonly string[] }).changes ?? [];
    const list = changes.length === 0 ? ['nothing changed'] : changes;
    return { json, text: ['reloaded', ...list.map((change) => `  ${change}`)].join('\n') };
  },
});
