import { type FailureCode, failures } from '../model/failure.ts';

/**
 * What is counted, in one place. A column's number is its place in the table beneath, which says
 * how it is called outside; a test keeps both in step. The five status classes stand together:
 * `S1XX + (status / 100 | 0) - 1`.
 */
export interface Column {
  /** Name in JSON. */
  readonly key: string;
  /** Metric without the `evenkeel_<owner>_` before and `_total` behind it. */
  readonly metric: string;
  /** Value of the label `class` for status classes, else null. */
  readonly statusClass: string | null;
  readonly help: string;
}

const column = (key: string, metric: string, help: string): Column => ({
  key,
  metric,
  statusClass: null,
  help,
});
const classes = (help: string): readonly Column[] =>
  [1, 2, 3, 4, 5].map((digit) => ({
    key: `s${digit}xx`,
    metric: 'responses',
    statusClass: `${digit}xx`,
    help,
  }));

const withoutServer: Column = column(
  'withoutServer',
  'without_server',
  'Exchanges that ended without any server: refused, answered here, or none could be chosen.',
);

/**
 * Columns of a listener. What adds up when traffic rests, with owners that left counted on:
 *
 *     every owner    REQUESTS = S1XX + S2XX + S3XX + S4XX + S5XX + ABORTED
 *     a pool         REQUESTS = its servers' REQUESTS + WITHOUT_SERVER
 *     all listeners  REQUESTS = all servers' REQUESTS + all listeners' WITHOUT_SERVER
 */
export const ListenerColumn = {
  ACCEPTED: 0,
  CLOSED: 1,
  REFUSED_BY_LIMIT: 2,
  REQUESTS: 3,
  BYTES_IN: 4,
  BYTES_OUT: 5,
  S1XX: 6,
  S2XX: 7,
  S3XX: 8,
  S4XX: 9,
  S5XX: 10,
  ABORTED: 11,
  WITHOUT_SERVER: 12,
} as const;

/** The same with names, by number. */
export const listenerColumns: readonly Column[] = [
  column('accepted', 'links_accepted', 'Links accepted.'),
  column('closed', 'links_closed', 'Accepted links that have ended.'),
  column('refusedByLimit', 'links_refused', 'Links refused because of the connection limit.'),
  column('requests', 'requests', 'Exchanges ended, whatever their end.'),
  column('bytesIn', 'received_bytes', 'Bytes received from clients.'),
  column('bytesOut', 'sent_bytes', 'Bytes sent to clients.'),
  ...classes('Final answers given to clients by status class.'),
  column('aborted', 'aborted', 'Exchanges that ended without a complete answer.'),
  withoutServer,
];

/** Columns of a route. */
export const RouteColumn = {
  REQUESTS: 0,
  S1XX: 1,
  S2XX: 2,
  S3XX: 3,
  S4XX: 4,
  S5XX: 5,
  ABORTED: 6,
  BYTES_IN: 7,
  BYTES_OUT: 8,
  WITHOUT_SERVER: 9,
  FALLBACKS: 10,
  MIRRORS: 11,
  MIRRORS_DROPPED: 12,
  MIRRORS_FAILED: 13,
  HOOK_FAILURES: 14,
} as const;

/** The same with names, by number. */
export const routeColumns: readonly Column[] = [
  column('requests', 'requests', 'Exchanges ended, whatever their end.'),
  ...classes('Final answers given to clients by status class.'),
  column('aborted', 'aborted', 'Exchanges that ended without a complete answer.'),
  column('bytesIn', 'received_bytes', 'Bytes received from clients.'),
  column('bytesOut', 'sent_bytes', 'Bytes sent to clients.'),
  withoutServer,
  column('fallbacks', 'fallbacks', 'Requests that went on to the fallback pool.'),
  column('mirrors', 'mirrors', 'Copies of requests sent to the mirror.'),
  column('mirrorsDropped', 'mirrors_dropped', 'Copies that were due and were not sent.'),
  column('mirrorsFailed', 'mirrors_failed', 'Copies sent that got no whole answer in time.'),
  column('hookFailures', 'hook_failures', 'Hooks that threw or were late.'),
];

/** Columns of a pool. */
export const PoolColumn = {
  REQUESTS: 0,
  RETRIES: 1,
  RETRIES_DENIED: 2,
  NO_SERVER: 3,
  FAILOVERS: 4,
  S1XX: 5,
  S2XX: 6,
  S3XX: 7,
  S4XX: 8,
  S5XX: 9,
  ABORTED: 10,
  WITHOUT_SERVER: 11,
  QUEUED: 12,
  HEDGES: 13,
  HEDGES_WON: 14,
} as const;

/** The same with names, by number. */
export const poolColumns: readonly Column[] = [
  column('requests', 'requests', 'Exchanges ended, whatever their end.'),
  column('retries', 'retries', 'Attempts repeated at the cost of the retry budget.'),
  column('retriesDenied', 'retries_denied', 'Repeats that attempts or budget did not allow.'),
  column('noServer', 'no_server', 'Picks that found no server to give.'),
  column(
    'failovers',
    'failovers',
    'Attempts moved to another server before anything was submitted.',
  ),
  ...classes('Final answers given to clients by status class.'),
  column('aborted', 'aborted', 'Exchanges that ended without a complete answer.'),
  withoutServer,
  column('queued', 'queued', 'Waits in the queue for a place on a server.'),
  column('hedges', 'hedges', 'Second tries made beside one that was slow.'),
  column('hedgesWon', 'hedges_won', 'Second tries that answered first.'),
];

/**
 * Columns of a server. `REQUESTS` counts the exchanges that ended with this server, `ATTEMPTS` all
 * that were tried here.
 */
export const ServerColumn = {
  REQUESTS: 0,
  ATTEMPTS: 1,
  CONNECTS: 2,
  CONNECT_FAILURES: 3,
  REUSES: 4,
  RETRIES: 5,
  S1XX: 6,
  S2XX: 7,
  S3XX: 8,
  S4XX: 9,
  S5XX: 10,
  ABORTED: 11,
  BYTES_IN: 12,
  BYTES_OUT: 13,
  RESETS: 14,
  TIMEOUTS: 15,
  IDLE_CLOSED_BY_PEER: 16,
  FAULTS: 17,
} as const;

/** The same with names, by number. */
export const serverColumns: readonly Column[] = [
  column('requests', 'requests', 'Exchanges that ended with this server.'),
  column('attempts', 'attempts', 'Attempts made at this server.'),
  column('connects', 'connects', 'Links dialled and connected.'),
  column('connectFailures', 'connect_failures', 'Dials that failed.'),
  column('reuses', 'reuses', 'Attempts on a link that was kept from before.'),
  column('retries', 'retries', 'Attempts here that repeated one made before.'),
  ...classes('Final answers of this server by status class.'),
  column('aborted', 'aborted', 'Exchanges with this server that ended without a complete answer.'),
  column('bytesIn', 'received_bytes', 'Bytes received from the server.'),
  column('bytesOut', 'sent_bytes', 'Bytes sent to the server.'),
  column('resets', 'resets', 'Links that the server reset during an exchange.'),
  column('timeouts', 'timeouts', 'Attempts that ended by a time-out.'),
  column('idleClosedByPeer', 'idle_closed', 'Idle links that the server closed.'),
  column(
    'faults',
    'faults',
    'Attempts that speak against the server: its 5xx, resets, time-outs, failed dials.',
  ),
];

/** Every reason word in the order of its counter. */
export const reasonCodes: readonly FailureCode[] = Object.keys(failures) as FailureCode[];

const indexByReason = new Map<FailureCode, number>(reasonCodes.map((code, at) => [code, at]));

/** A reason's index for `CounterWriter.reason`. Cost: one map look-up, on failures only. */
export function reasonIndexOf(code: FailureCode): number {
  return indexByReason.get(code)!;
}

/** Durations kept per server. */
export const ServerTiming = { CONNECT: 0, FIRST_BYTE: 1, TOTAL: 2 } as const;

/** Their number. */
export const serverTimingCount = 3;
