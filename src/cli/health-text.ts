import type {
  PoolHealthReport,
  ProbeReport,
  ServerHealthReport,
} from '../control/report/health-report.ts';
import { durationText } from './duration-text.ts';

/** Results of a probe and changes of a server that are shown. */
const resultsShown = 5;
const changesShown = 8;

/** A pool's health for people; with `isWhy` everything that led to it, server by server. */
export function healthText(report: PoolHealthReport, isWhy: boolean): string {
  const head = `pool ${report.pool} is ${wordOf(report.condition)}: ${report.why}`;
  const blocks = report.servers.map((server) =>
    isWhy ? fullBlock(server, report.atMs) : shortBlock(server, report.atMs),
  );
  const circuit = isWhy ? (report.breaker ?? []) : [];
  const changes = circuit
    .slice(-changesShown)
    .map(({ atMs, state, why }) => `    ${ago(report.atMs - atMs)}  circuit ${state}: ${why}`);
  const lines = [
    head,
    ...changes,
    ...blocks.flatMap((block) => (isWhy ? ['', ...block] : block)),
    '',
  ];
  return lines.map((line) => line.replace(/\p{Cc}/gu, '?')).join('\n');
}

function wordOf(condition: PoolHealthReport['condition']): string {
  if (condition === 'open') return 'left alone (circuit open)';
  return condition === 'panic' ? 'in panic' : condition;
}

function shortBlock(server: ServerHealthReport, atMs: number): string[] {
  const line = `  ${titleOf(server, atMs)}: ${server.why}`;
  return server.next === null ? [line] : [line, `      ${server.next}`];
}

function titleOf({ address, state, sinceMs }: ServerHealthReport, atMs: number): string {
  const since = sinceMs === null ? '' : ` for ${durationText(atMs - sinceMs)}`;
  return `${address}  ${state}${since}`;
}

function fullBlock(server: ServerHealthReport, atMs: number): string[] {
  const { traffic, weightFactor, ejections, history, decisions } = server;
  const fast =
    traffic.medianMs === null ? '' : `, half of them answered within ${traffic.medianMs} ms`;
  const spared = decisions.filter(({ kind }) => kind === 'spared').slice(-changesShown);
  return [
    titleOf(server, atMs),
    `  why       ${server.why}`,
    ...(server.next === null ? [] : [`  next      ${server.next}`]),
    ...(weightFactor === 1
      ? []
      : [
          `  weight    ${Math.round(weightFactor * 100)} percent of it, as its agent or program says`,
        ]),
    `  traffic   ${traffic.attempts} attempts lately, ${traffic.failed} failed${fast}`,
    ...(ejections === 0 ? [] : [`  ejections ${ejections} lately: the next one lasts longer`]),
    ...server.probes.flatMap((probe) => probeLines(probe, atMs)),
    ...(history.length === 0 ? [] : ['  changes']),
    ...history
      .slice(-changesShown)
      .map((change) => `    ${ago(atMs - change.atMs)}  ${change.state}: ${change.why}`),
    ...(spared.length === 0 ? [] : ['  spared']),
    ...spared.map((event) => `    ${ago(atMs - event.atMs)}  ${event.reason}`),
  ];
}

function probeLines(probe: ProbeReport, atMs: number): string[] {
  const { inARow } = probe;
  const count = Math.abs(inARow);
  const row =
    inARow === 0 ? 'not yet tried' : `${count} ${inARow > 0 ? 'passed' : 'failed'} in a row`;
  const next = Math.max(0, probe.nextAtMs - atMs);
  return [
    `  probe     ${probe.probe}: ${probe.isUp ? 'up' : 'down'}, ${row}, next in ${(next / 1000).toFixed(1)} s`,
    ...probe.results
      .slice(-resultsShown)
      .map(
        ({ atMs: endedMs, isPass, reason, durationMs }) =>
          `    ${ago(atMs - endedMs)}  ${isPass ? 'passed' : 'FAILED'}: ${reason} (${durationMs} ms)`,
      ),
  ];
}

function ago(ms: number): string {
  return `${durationText(ms)} ago`.padStart(12);
}
