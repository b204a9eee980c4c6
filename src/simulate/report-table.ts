import type { RunResult } from './run.ts';
import type { Scenario } from './scenario.ts';

/** Servers whose shares are named one by one. */
const NAMED_MAX = 12;
/** Reasons that are shown per policy. */
const REASONS_MAX = 6;
/** Happenings that are shown per policy. */
const HAPPENINGS_MAX = 8;

/** What a simulation found, for people: one line per policy, then what each server got and what happened. */
export function simulationText(
  scenario: Scenario,
  seed: number,
  results: readonly RunResult[],
): string {
  const { name, says, servers, clients, durationUs } = scenario;
  const load =
    clients.rate > 0
      ? `${clients.rate} requests/s of ${clients.users} users`
      : `${clients.users} users that wait for their answers`;
  const lines = [
    `${name}: ${says}`,
    `${servers.length} servers, ${load}, ${durationUs / 1e6} s simulated, seed ${seed}`,
    '',
    ...seen(results),
    '',
    ...done(results),
    '',
  ];
  if (servers.length <= NAMED_MAX) lines.push(...shares(results), '');
  lines.push(...reasons(results));
  for (const result of results) lines.push(...happenings(result));
  for (const result of results) lines.push(...violations(result));
  return `${lines.join('\n').trimEnd()}\n`;
}

/** What clients saw: one row per policy. */
function seen(results: readonly RunResult[]): string[] {
  const headings = [
    'clients saw',
    'requests',
    'failed',
    'p50',
    'p90',
    'p99',
    'p99.9',
    'p99 against the first',
  ];
  const rows = results.map((result, at) => [
    result.policy,
    String(result.requests),
    percent(result.failureRatio),
    time(result.p50Us),
    time(result.p90Us),
    time(result.p99Us),
    time(result.p999Us),
    at === 0 ? '' : comparison(result.p99Us, results[0]!),
  ]);
  const isAlone = results.length < 2;
  return aligned([headings, ...rows].map((row) => (isAlone ? row.slice(0, -1) : row)));
}

/** `57 × lower than round-robin`. */
function comparison(p99Us: number, { policy, p99Us: firstUs }: RunResult): string {
  if (p99Us <= 0 || firstUs <= 0) return '';
  const isLower = p99Us <= firstUs;
  const times = isLower ? firstUs / p99Us : p99Us / firstUs;
  if (times < 1.1) return `as ${policy}`;
  const shown = times < 10 ? times.toFixed(1) : times.toFixed(0);
  return `${shown} × ${isLower ? 'lower' : 'higher'} than ${policy}`;
}

/** What servers and balancer did: one row per policy. */
function done(results: readonly RunResult[]): string[] {
  const headings = [
    'servers had',
    'share least–most',
    'mean wait',
    'longest queue',
    'attempts',
    'retries',
    'waits here',
    'changes',
  ];
  const rows = results.map((result) => [
    result.policy,
    `${percent(leastShare(result))}–${percent(mostShare(result))}`,
    time(result.queueMeanUs),
    String(result.queueLongest),
    result.attemptsPerRequest.toFixed(3),
    result.retriesDenied === 0
      ? String(result.retries)
      : `${result.retries} (${result.retriesDenied} denied)`,
    String(result.waits),
    String(result.happenings.length),
  ]);
  return aligned([headings, ...rows]);
}

function shares(results: readonly RunResult[]): string[] {
  const servers = results[0]?.servers ?? [];
  const rows = results.map((result) => [
    result.policy,
    ...result.servers.map(({ share }) => percent(share)),
  ]);
  return aligned([['share of', ...servers.map(({ address }) => address)], ...rows]);
}

/** With what requests ended that had no good end, as the access log would say. */
function reasons(results: readonly RunResult[]): string[] {
  const told = results.filter(({ reasons: all }) => all.length > 0);
  if (told.length === 0) return [];
  const rows = told.map(({ policy, reasons: all }) => {
    const words = all.slice(0, REASONS_MAX).map(({ reason, count }) => `${reason} ${count}`);
    return `  ${policy}: ${words.join(', ')}`;
  });
  return ['ended without a good answer, by reason', ...rows, ''];
}

function happenings({ policy, happenings: all }: RunResult): string[] {
  if (all.length === 0) return [];
  const shown = all
    .slice(0, HAPPENINGS_MAX)
    .map(({ atUs, what }) => `  ${(atUs / 1e6).toFixed(1).padStart(6)} s  ${what}`);
  const rest = all.length - shown.length;
  return [`${policy}:`, ...shown, ...(rest > 0 ? [`          and ${rest} more`] : [])];
}

function violations({ policy, violations: all, violationCount }: RunResult): string[] {
  if (violationCount === 0) return [];
  return [
    `BROKEN with ${policy}: ${violationCount} times something happened that never must:`,
    ...all.map(({ atUs, what }) => `  ${(atUs / 1e6).toFixed(3)} s  ${what}`),
  ];
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)))
      .join('  '),
  );
}

/** The least share among servers that were there from the start. */
function leastShare({ servers }: RunResult): number {
  return servers.reduce((least, { share }) => Math.min(least, share), 1);
}

function mostShare({ servers }: RunResult): number {
  return servers.reduce((most, { share }) => Math.max(most, share), 0);
}

/** `4.2 %`, with two digits where it is small. */
export function percent(ratio: number): string {
  const value = ratio * 100;
  return `${value === 0 || value >= 10 ? value.toFixed(1) : value.toFixed(2)} %`;
}

/** `850 µs`, `12.3 ms`, `1.20 s`. */
export function time(us: number): string {
  if (us < 1000) return `${us.toFixed(0)} µs`;
  if (us < 1_000_000) return `${(us / 1000).toFixed(us < 100_000 ? 1 : 0)} ms`;
  return `${(us / 1e6).toFixed(2)} s`;
}
