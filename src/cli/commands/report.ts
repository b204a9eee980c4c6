import type { ReportAnswer } from '../../control/history/answer-report.ts';
import { connectClient } from '../client.ts';
import type { Command } from '../command.ts';
import { instanceOptions, jsonOption, textOf } from '../command.ts';
import { reportHtml } from '../report-html.ts';
import { reportText } from '../report-text.ts';

/** `evenkeel report`. */
export const report: Command = {
  name: 'report',
  summary:
    'Tells what a time was like: busiest hours and what limited them, peak to mean, shares, error budget, imbalance.',
  usage: '',
  options: {
    from: {
      type: 'string',
      value: 'TIME',
      says: 'begin: 2026-11-21, 1d (ago); a week ago by default',
    },
    to: { type: 'string', value: 'TIME', says: 'end; now by default' },
    html: { type: 'boolean', says: 'print a page in HTML that needs nothing else' },
    ...instanceOptions,
    ...jsonOption,
  },
  positionals: [0, 0],
  examples: ['evenkeel report --from 1d', 'evenkeel report --html > report.html'],
  run: async (invocation) => {
    const { values, out } = invocation;
    const query = new URLSearchParams();
    for (const name of ['from', 'to'] as const) {
      const said = textOf(values, name);
      if (said !== undefined) query.set(name, said);
    }
    const client = await connectClient(invocation);
    const answer = (await client.change('GET', `/v1/report?${query}`)) as ReportAnswer;
    if (values['json'] === true) out(`${JSON.stringify(answer, null, 2)}\n`);
    else out(values['html'] === true ? reportHtml(answer) : reportText(answer));
    return 0;
  },
};
