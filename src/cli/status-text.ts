import { durationText } from '../base/duration-text.ts';
import type { PoolStatus, ServerStatus, StatusReport } from '../control/report/status.ts';

/**
 * The state as text for people. `columns`: width of the terminal, where longer lines are cut; null = no
 * terminal, nothing is cut and nothing coloured. `nowMs`: epoch.
 */
export function statusText(report: StatusReport, nowMs: number, columns: number | null): string {
  const lines = [
    ...headLines(report, nowMs),
    '',
    ...table(
      ['LISTENER', 'ADDRESS', 'PROTOCOL', 'LINKS', 'REQUESTS'],
      report.listeners.map((listener) => [
        listener.name,
        listener.address,
        listener.protocol,
        String(listener.links),
        String(listener.requests),
      ]),
    ),
    ...report.pools.flatMap(poolLines),
  ];
  const isColoured = columns !== null;
  return `${lines.map((line) => finish(line, columns, isColoured)).join('\n')}\n`;
}

function headLines(report: StatusReport, nowMs: number): string[] {
  const { version, pids, driver, workers, configuration } = report;
  const supervisor = pids.supervisor === null ? '' : `, supervisor ${pids.supervisor}`;
  const leaving = pids.leaving.length === 0 ? '' : `, leaving ${pids.leaving.join(' ')}`;
  const upFor = durationText(nowMs - report.startedAtMs);
  const restarts = workers.reduce((sum, worker) => sum + worker.restarts, 0);
  const unready = workers.filter((worker) => worker.state !== 'ready');
  const { lastReload } = configuration;
  return [
    `evenkeel ${version}, up ${upFor}${report.isDraining ? ', draining' : ''}; pid ${pids.balancer}${supervisor}${leaving}`,
    `driver ${driver.name}: ${driver.reason}`,
    `workers ${workers.length}${unready.map((worker) => `, ${worker.index} ${worker.state}`).join('')}` +
      `${restarts === 0 ? '' : `, ${restarts} replaced`}`,
    `configuration ${configuration.file ?? 'from flags'}, version ${configuration.version}`,
    ...accessLogLines(report),
    ...(lastReload === null || lastReload.ok
      ? []
      : [
          `the last reload was refused ${durationText(nowMs - lastReload.atMs)} ago:`,
          ...lastReload.problems.map((problem) => `  ${problem}`),
        ]),
  ];
}

/** Said only when something is lost or late. */
function accessLogLines({ accessLog }: StatusReport): string[] {
  if (accessLog === null || (accessLog.droppedLines === 0 && accessLog.error === null)) return [];
  const { droppedLines, error } = accessLog;
  const failing = error === null ? '' : `, failing now: ${error}`;
  return [`access log: ${droppedLines} lines dropped${failing}`];
}

function poolLines(pool: PoolStatus): string[] {
  const up = pool.servers.filter((server) => server.state === 'up').length;
  const retries = pool.retries === 0 ? '' : `, ${pool.retries} retries`;
  const running =
    pool.inFlight === 0 ? '' : `, ${ofMost(pool.inFlight, pool.maxConnections)} in flight`;
  const queued = pool.queued === 0 ? '' : `, ${ofMost(pool.queued, pool.queueSize)} queued`;
  const left = pool.removed.reduce((sum, server) => sum + server.requests, 0);
  const removed = left === 0 ? '' : `, ${left} of them at removed servers`;
  return [
    '',
    `pool ${pool.name}: ${pool.policy}, ${up} of ${pool.servers.length} servers up, ` +
      `${pool.requestsPerSecond}/s, ${pool.requests} requests${removed}${retries}${running}${queued}`,
    ...(['panic', 'open', 'down'].includes(pool.condition)
      ? [`  ${pool.condition === 'open' ? 'circuit open' : pool.condition}: ${pool.why}`]
      : []),
    ...pool.discovery.map((source) => {
      const why = source.why === null ? '' : `: ${source.why}`;
      return `  found by ${source.source}: ${source.servers} servers, ${source.state}${why}`;
    }),
    ...table(
      [
        'SERVER',
        'STATE',
        'WEIGHT',
        'IN FLIGHT',
        'RATE/S',
        'REQUESTS',
        'ERRORS',
        'P50 MS',
        'P99 MS',
        'WHY',
      ],
      pool.servers.map(serverCells),
    ),
  ];
}

function serverCells(server: ServerStatus): string[] {
  return [
    server.isBackup ? `${server.address} (backup)` : server.address,
    server.state,
    String(server.weight),
    loadText(server),
    String(server.requestsPerSecond),
    String(server.requests),
    String(server.errors),
    milliseconds(server.latencyMs.p50),
    milliseconds(server.latencyMs.p99),
    server.why,
  ];
}

/** Its exchanges, with its limits where it has any: `7/10`, and `7/10 (3/5 unanswered)`. */
function loadText({ inFlight, pending, maxConnections, maxPending }: ServerStatus): string {
  const running = ofMost(inFlight, maxConnections);
  return pending === null ? running : `${running} (${ofMost(pending, maxPending)} unanswered)`;
}

function ofMost(count: number, most: number | null): string {
  return most === null ? String(count) : `${count}/${most}`;
}

/** Columns of numbers stand right, others left. */
function table(titles: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const isNumber = titles.map((_title, column) =>
    rows.every((row) => /^[0-9./–]+$/.test(row[column] ?? '')),
  );
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  return [titles, ...rows].map((cells) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return isNumber[column] && rows.length > 0 ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

const colours: Readonly<Record<string, string>> = {
  up: '32',
  draining: '33',
  down: '31',
  ejected: '31',
  refusing: '31',
  unresolved: '31',
};

/** Cuts to the terminal's width, drops what could steer a terminal, colours the state of a server. */
function finish(line: string, columns: number | null, isColoured: boolean): string {
  const plain = line.replace(/\p{Cc}/gu, '?');
  const cut =
    columns !== null && plain.length > columns ? `${plain.slice(0, columns - 1)}…` : plain;
  if (!isColoured) return cut;
  return cut.replace(
    / {2}(up|draining|down|ejected|refusing|unresolved)(?= |$)/,
    (_match, state: string) => `  \u001b[${colours[state] ?? '0'}m${state}\u001b[0m`,
  );
}

function milliseconds(value: number | null): string {
  if (value === null) return '–';
  return value < 10 ? value.toFixed(2) : value.toFixed(0);
}
