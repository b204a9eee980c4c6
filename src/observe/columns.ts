import { type FailureCode, failures } from '../model/failure.ts';

/**
 * What is counted, in one place. A column's number is its place in the table beneath, which says
 * how it is called outside; a test keeps both in step. What can be worked out by readers is not counted:
 *
 *     requests             = S1XX + S2XX + S3XX + S4XX + S5XX + ABORTED
 *     in flight            = STARTED - requests (listeners and routes)
 *     attempts of a server = DIALS + REUSES
 *     a pool's ends        = its own (exchanges that no server had) + those of its servers
 *
 * The ends stand at the same place for every owner: `S1XX + (status / 100 | 0) - 1`; what almost every
 * exchange counts stands in the first eight columns, which share a cache line.
 */
export interface Column {
  /** Name in JSON. */
  readonly key: string;
  /** Metric without the `evenkeel_<owner>_` before and `_total` behind it. */
  readonly metric: string;
  /** Label of a metric with several columns: the class of a status, a reason word. */
  readonly label: readonly [name: 'class' | 'reason', value: string] | null;
  readonly help: string;
}

/** Every reason word in the order of its counters. */
export const reasonCodes: readonly FailureCode[] = Object.keys(failures) as FailureCode[];

const indexByReason = new Map<FailureCode, number>(reasonCodes.map((code, at) => [code, at]));

/** A reason's place behind the column `REASONS` of any owner. Cost: one map look-up, on failures only. */
export function reasonIndexOf(code: FailureCode): number {
  return indexByReason.get(code)!;
}

const column = (key: string, metric: string, help: string): Column => ({
  key,
  metric,
  label: null,
  help,
});
const classes = (help: string): readonly Column[] =>
  [1, 2, 3, 4, 5].map((digit) => ({
    key: `s${digit}xx`,
    metric: 'responses',
    label: ['class', `${digit}xx`],
    help,
  }));
const reasons = (help: string): readonly Column[] =>
  reasonCodes.map((code) => ({ key: code, metric: 'failures', label: ['reason', code], help }));

const withoutServer: Column = column(
  'withoutServer',
  'without_server',
  'Exchanges that ended without any server: refused, answered here, or none could be chosen.',
);
const failed = 'Exchanges ended by a failure, by reason word.';

/** Where the ends of exchanges stand in a row of any owner. */
export const EndColumn = { S1XX: 3, S5XX: 7, ABORTED: 8 } as const;

/** Columns of a listener. */
export const ListenerColumn = {
  STARTED: 0,
  BYTES_IN: 1,
  BYTES_OUT: 2,
  S1XX: 3,
  S2XX: 4,
  S3XX: 5,
  S4XX: 6,
  S5XX: 7,
  ABORTED: 8,
  ACCEPTED: 9,
  CLOSED: 10,
  REFUSED_BY_LIMIT: 11,
  WITHOUT_SERVER: 12,
  REASONS: 13,
} as const;

/** The same with names, by number. */
export const listenerColumns: readonly Column[] = [
  column('started', 'started', 'Exchanges begun.'),
  column('bytesIn', 'received_bytes', 'Bytes received from clients.'),
  column('bytesOut', 'sent_bytes', 'Bytes sent to clients.'),
  ...classes('Final answers given to clients by status class.'),
  column('aborted', 'aborted', 'Exchanges that ended without a complete answer.'),
  column('accepted', 'links_accepted', 'Links accepted.'),
  column('closed', 'links_closed', 'Accepted links that have ended.'),
  column('refusedByLimit', 'links_refused', 'Links refused because of the connection limit.'),
  withoutServer,
  ...reasons(failed),
];

/** Columns of a route. */
export const RouteColumn = {
  STARTED: 0,
  BYTES_IN: 1,
  BYTES_OUT: 2,
  S1XX: 3,
  S2XX: 4,
  S3XX: 5,
  S4XX: 6,
  S5XX: 7,
  ABORTED: 8,
  WITHOUT_SERVER: 9,
  FALLBACKS: 10,
  MIRRORS: 11,
  MIRRORS_DROPPED: 12,
  MIRRORS_FAILED: 13,
  HOOK_FAILURES: 14,
  REASONS: 15,
} as const;

/** The same with names, by number. */
export const routeColumns: readonly Column[] = [
  column('started', 'started', 'Exchanges begun.'),
  column('bytesIn', 'received_bytes', 'Bytes received from clients.'),
  column('bytesOut', 'sent_bytes', 'Bytes sent to clients.'),
  ...classes('Final answers given to clients by status class.'),
  column('aborted', 'aborted', 'Exchanges that ended without a complete answer.'),
  withoutServer,
  column('fallbacks', 'fallbacks', 'Requests that went on to the fallback pool.'),
  column('mirrors', 'mirrors', 'Copies of requests sent to the mirror.'),
  column('mirrorsDropped', 'mirrors_dropped', 'Copies that were due and were not sent.'),
  column('mirrorsFailed', 'mirrors_failed', 'Copies sent that got no whole answer in time.'),
  column('hookFailures', 'hook_failures', 'Hooks that threw or were late.'),
  ...reasons(failed),
];

/** Columns of a pool. Its ends and reasons are those of exchanges that no server had; the rest stands with its servers. */
export const PoolColumn = {
  RETRIES: 0,
  RETRIES_DENIED: 1,
  NO_SERVER: 2,
  S1XX: 3,
  S2XX: 4,
  S3XX: 5,
  S4XX: 6,
  S5XX: 7,
  ABORTED: 8,
  FAILOVERS: 9,
  QUEUED: 10,
  HEDGES: 11,
  HEDGES_WON: 12,
  REASONS: 13,
} as const;

/** The same with names, by number. */
export const poolColumns: readonly Column[] = [
  column('retries', 'retries', 'Attempts repeated at the cost of the retry budget.'),
  column('retriesDenied', 'retries_denied', 'Repeats that attempts or budget did not allow.'),
  column('noServer', 'no_server', 'Picks that found no server to give.'),
  ...classes('Final answers given to clients by status class.'),
  column('aborted', 'aborted', 'Exchanges that ended without a complete answer.'),
  column(
    'failovers',
    'failovers',
    'Attempts moved to another server before anything was submitted.',
  ),
  column('queued', 'queued', 'Waits in the queue for a place on a server.'),
  column('hedges', 'hedges', 'Second tries made beside one that was slow.'),
  column('hedgesWon', 'hedges_won', 'Second tries that answered first.'),
  ...reasons(failed),
];

/** Columns of a server. Its ends are those of exchanges that ended with this server. */
export const ServerColumn = {
  REUSES: 0,
  BYTES_IN: 1,
  BYTES_OUT: 2,
  S1XX: 3,
  S2XX: 4,
  S3XX: 5,
  S4XX: 6,
  S5XX: 7,
  ABORTED: 8,
  DIALS: 9,
  CONNECTS: 10,
  CONNECT_FAILURES: 11,
  RETRIES: 12,
  RESETS: 13,
  TIMEOUTS: 14,
  IDLE_CLOSED_BY_PEER: 15,
  FAULTS: 16,
  REASONS: 17,
} as const;

/** The same with names, by number. */
export const serverColumns: readonly Column[] = [
  column('reuses', 'reuses', 'Attempts on a link that was kept from before.'),
  column('bytesIn', 'received_bytes', 'Bytes received from the server.'),
  column('bytesOut', 'sent_bytes', 'Bytes sent to the server.'),
  ...classes('Final answers of this server by status class.'),
  column('aborted', 'aborted', 'Exchanges with this server that ended without a complete answer.'),
  column('dials', 'dials', 'Attempts on a link of their own.'),
  column('connects', 'connects', 'Links dialled and connected.'),
  column('connectFailures', 'connect_failures', 'Dials that failed.'),
  column('retries', 'retries', 'Attempts here that repeated one made before.'),
  column('resets', 'resets', 'Links that the server reset during an exchange.'),
  column('timeouts', 'timeouts', 'Attempts that ended by a time-out.'),
  column('idleClosedByPeer', 'idle_closed', 'Idle links that the server closed.'),
  column(
    'faults',
    'faults',
    'Attempts that speak against the server: its 5xx, resets, time-outs, failed dials.',
  ),
  ...reasons('Exchanges that ended with this server by a failure, by reason word.'),
];

/** What is timed of every owner: dials, the answer's first byte, the whole exchange. */
export const TimingColumn = { CONNECT: 0, FIRST_BYTE: 1, TOTAL: 2 } as const;

/** Their number. */
export const timingCount = 3;
