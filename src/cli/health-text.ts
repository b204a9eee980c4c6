import { durationText } from '../base/duration-text.ts';
import type {
  PoolHealthReport,
  ProbeReport,
  ServerHealthReport,
} from '../control/report/health-report.ts';

/** Results of a probe and changes of a server that are shown. */
const resultsShown = 5;
const changesShown = 8;

/** A pool's health for people; with `isWhy` everything that led to it, server by server. */
export function healthText(report: PoolHealthReport, isWhy: boolean): string {
  const { atMs, load } = report;
  const head = `pool ${report.pool} is ${wordOf(report.condition)}: ${report.why}`;
  const blocks = report.servers.map((server) =>
    isWhy ? fullBlock(server, atMs) : shortBlock(server, atMs),
  );
  const circuit = isWhy ? (report.breaker ?? []) : [];
  const lines = [
    head,
    ...(report.next === null ? [] : [`  next      ${report.next}`]),
    ...(load.says === null ? [] : [`  load      ${load.says}`]),
    ...(circuit.length === 0 ? [] : ['  circuit']),
    ...circuit
      .slice(-changesShown)
      .map((change) => `    ${ago(atMs - change.atMs)}  ${change.state}: ${change.why}`),
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

/** `10.0.0.1:80  up for 30 s`, `10.0.0.2:80  OUT: down for 9 s`. */
function titleOf(server: ServerHealthReport, atMs: number): string {
  const { address, state, sinceMs, takesTraffic, history } = server;
  const out = takesTraffic ? '' : state === 'up' ? 'AT REST: ' : 'OUT: ';
  const start = history.length === 0 && state !== 'up' ? ' from the start' : '';
  const since = sinceMs === null ? start : ` for ${durationText(atMs - sinceMs)}`;
  const all = takesTraffic && state !== 'up' ? ' (in traffic all the same)' : '';
  return `${address}  ${out}${state}${since}${all}`;
}

function fullBlock(server: ServerHealthReport, atMs: number): string[] {
  const { traffic, ejections, history, decisions } = server;
  const fast =
    traffic.medianMs === null ? '' : `, half of them answered within ${traffic.medianMs} ms`;
  const spared = decisions.filter(({ kind }) => kind === 'spared').slice(-changesShown);
  return [
    titleOf(server, atMs),
    `  why       ${server.why}`,
    ...(server.next === null ? [] : [`  next      ${server.next}`]),
    ...weightLines(server, atMs),
    `  load      ${loadText(server)}`,
    `  traffic   ${trafficText(traffic)}${fast}`,
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

/** What it gets less than its whole weight, and until when. */
function weightLines(server: ServerHealthReport, atMs: number): string[] {
  const { weightFactor, toldFactor, slowStart } = server;
  const parts = [
    ...(slowStart === null
      ? []
      : [
          `${percent(slowStart.factor)} of it now: slow start, all of it in ${durationText(slowStart.wholeAtMs - atMs)}`,
        ]),
    ...(weightFactor === 1 ? [] : [`${percent(weightFactor)} of it, as its agent or program says`]),
    ...(toldFactor === 1 ? [] : [`${percent(toldFactor)} of it, by the load that it tells`]),
  ];
  return parts.map((part) => `  weight    ${part}`);
}

function loadText({ inFlight, inFlightMax }: ServerHealthReport): string {
  if (inFlightMax === null) return `${inFlight} in flight`;
  const full = inFlight >= inFlightMax ? ': it is full' : '';
  return `${inFlight} in flight, its limit is ${inFlightMax}${full}`;
}

function trafficText({ attempts, failed }: ServerHealthReport['traffic']): string {
  if (attempts === 0) return 'none lately';
  return `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'} lately, ${failed} failed`;
}

function percent(factor: number): string {
  return `${Math.round(factor * 100)}%`;
}

function probeLines(probe: ProbeReport, atMs: number): string[] {
  const { inARow } = probe;
  const count = Math.abs(inARow);
  const row =
    inARow === 0 ? 'not ended yet' : `${count} ${inARow > 0 ? 'passed' : 'failed'} in a row`;
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
  return (ms < 500 ? 'just now' : `${durationText(ms)} ago`).padStart(12);
}
