import type { ReportAnswer } from '../control/history/answer-report.ts';
import { momentText, rateText } from './plan-text.ts';
import { type ReportTable, reportTables, reportTitle } from './report-text.ts';

const style = `:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}
body{max-width:60rem;margin:2rem auto;padding:0 1rem}
h2{margin:2rem 0 .3rem;font-size:1.15rem}p{margin:.1rem 0}
table{border-collapse:collapse;margin:.6rem 0;width:100%}
th,td{text-align:left;padding:.25rem .7rem .25rem 0;border-bottom:1px solid #8884;vertical-align:top}
td{font-variant-numeric:tabular-nums}svg{width:100%;height:9rem;margin:1rem 0}
path{fill:none;stroke:#2b7de9;stroke-width:2;vector-effect:non-scaling-stroke}`;

/** A report as one page that loads nothing. */
export function reportHtml(report: ReportAnswer): string {
  const body = [
    '<h1>Traffic report</h1>',
    `<p>${escaped(reportTitle(report))}</p>`,
    chart(report.hours),
    ...reportTables(report).map(tableHtml),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Traffic report</title><style>${style}</style></head>
<body>
${body.join('\n')}
</body></html>
`;
}

/** Rate of all pools by hour. */
function chart(hours: ReportAnswer['hours']): string {
  const first = hours[0];
  const last = hours.at(-1);
  if (first === undefined || last === undefined || hours.length < 2) return '';
  const most = Math.max(...hours.map(([, rate]) => rate), 1e-9);
  const path = hours.map(([atMs, rate], i) => {
    const x = ((atMs - first[0]) / (last[0] - first[0])) * 1_000;
    return `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${(98 - (rate / most) * 96).toFixed(1)}`;
  });
  const says = `Requests per second by hour from ${momentText(first[0])} to ${momentText(last[0])}, at most ${rateText(most)}`;
  return `<svg viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" aria-label="${escaped(says)}"><path d="${path.join('')}"/></svg>
<p>${escaped(says)}</p>`;
}

function tableHtml({ title, says, head, rows }: ReportTable): string {
  const row = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  const table =
    rows.length === 0
      ? ''
      : `<table><thead>${row(head, 'th scope="col"').replaceAll('</th scope="col">', '</th>')}</thead><tbody>${rows.map((cells) => row(cells, 'td')).join('')}</tbody></table>`;
  return `<h2>${escaped(title)}</h2>${says.map((line) => `<p>${escaped(line)}</p>`).join('')}${table}`;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
