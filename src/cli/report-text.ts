import { durationText } from '../base/duration-text.ts';
import type { PoolReport, TrafficShare } from '../capacity/traffic-report.ts';
import type { ReportAnswer } from '../control/history/answer-report.ts';
import { momentText, numberText, rateText } from './plan-text.ts';

/** A table with its title: one content for text and HTML. */
export interface ReportTable {
  readonly title: string;
  /** A sentence or several. */
  readonly says: readonly string[];
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Servers and routes that are shown. */
const SHOWN_MAX = 20;

/** A report as tables. */
export function reportTables(report: ReportAnswer): ReportTable[] {
  const tables = report.pools.flatMap(poolTables);
  if (report.routes.length === 0) return tables;
  return [...tables, shareTable('routes', report.routes)];
}

/** What a report is of, as a line. */
export function reportTitle({ fromMs, toMs, knownMs }: ReportAnswer): string {
  const known =
    knownMs === 0 ? 'nothing is known of it' : `history has ${durationText(knownMs)} of it`;
  return `${momentText(fromMs)} to ${momentText(toMs)}: ${known}`;
}

/** A report for a terminal. */
export function reportText(report: ReportAnswer): string {
  const blocks = reportTables(report).map(({ title, says, head, rows }) => {
    const all = rows.length === 0 ? [] : [head, ...rows];
    const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
    const lines = all.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ')}`);
    return [title, ...says.map((line) => `  ${line}`), ...lines.map((line) => line.trimEnd())];
  });
  return `${[[reportTitle(report)], ...blocks].map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function poolTables(pool: PoolReport): ReportTable[] {
  const { name, requests, meanRate, peak, peakToMean, errors, budgetUsed, imbalance } = pool;
  const peakSaid =
    peak === null
      ? 'no traffic'
      : `peak ${rateText(peak.rate)} on ${momentText(peak.atMs)}, ${numberText(peakToMean ?? 0)} times the mean`;
  const target = numberText(pool.successTarget * 100);
  const used =
    budgetUsed === null
      ? ''
      : `; ${(budgetUsed * 100).toFixed(0)} % of the error budget (${target} % shall succeed)`;
  const level =
    imbalance === null
      ? []
      : [`the busiest server had ${numberText(imbalance)} times its even share`];
  return [
    {
      title: `pool ${name}`,
      says: [
        `${requests} requests, ${rateText(meanRate)} on average, ${peakSaid}`,
        `${errors} errors${used}`,
        ...level,
      ],
      head: ['busiest hours', 'rate', 'errors', 'p99', 'limited by'],
      rows: pool.busiest.map((hour) => [
        `to ${momentText(hour.atMs)}`,
        rateText(hour.rate),
        percentText(hour.errorRatio),
        `${numberText(hour.p99Ms)} ms`,
        hour.limitedBy,
      ]),
    },
    ...(pool.servers.length === 0 ? [] : [shareTable(`servers of ${name}`, pool.servers)]),
  ];
}

function shareTable(title: string, shares: readonly TrafficShare[]): ReportTable {
  const more = shares.length - SHOWN_MAX;
  return {
    title,
    says: more > 0 ? [`the ${SHOWN_MAX} with most requests; ${more} more`] : [],
    head: ['name', 'share', 'requests', 'errors', 'p99'],
    rows: shares
      .slice(0, SHOWN_MAX)
      .map(({ name, share, requests, errorRatio, p99Ms }) => [
        name,
        percentText(share),
        String(requests),
        percentText(errorRatio),
        `${numberText(p99Ms)} ms`,
      ]),
  };
}

function percentText(ratio: number): string {
  return `${(ratio * 100).toFixed(ratio > 0 && ratio < 0.001 ? 3 : 1)} %`;
}
