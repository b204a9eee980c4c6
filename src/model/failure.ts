/** Who caused a failure. */
export type FailureOrigin = 'downstream' | 'upstream' | 'internal';

/** May the same request go to another server: never, always (nothing was submitted), or when idempotent. */
export type RetryRule = 'no' | 'always' | 'if-idempotent';

/** A reason word: key of `failures`. */
export type FailureCode =
  | 'request-line-invalid'
  | 'version-unsupported'
  | 'header-invalid'
  | 'header-too-large'
  | 'too-many-headers'
  | 'target-too-long'
  | 'target-invalid'
  | 'separator-encoded'
  | 'host-invalid'
  | 'framing-invalid'
  | 'coding-unsupported'
  | 'chunk-invalid'
  | 'trailer-invalid'
  | 'expectation-unknown'
  | 'method-unsupported'
  | 'header-timeout'
  | 'body-timeout'
  | 'client-aborted'
  | 'client-stalled'
  | 'max-forwards-reached'
  | 'connect-refused'
  | 'connect-failed'
  | 'connect-timeout'
  | 'upstream-closed-before-headers'
  | 'upstream-reset-before-headers'
  | 'upstream-timeout'
  | 'total-timeout'
  | 'upstream-response-invalid'
  | 'upstream-header-too-large'
  | 'upstream-unavailable'
  | 'upstream-body-cut'
  | 'upstream-body-invalid'
  | 'upstream-body-stalled'
  | 'upstream-upgrade-unasked'
  | 'no-route'
  | 'rewrite-invalid'
  | 'no-server-available'
  | 'server-limit-reached'
  | 'pending-limit-reached'
  | 'pool-limit-reached'
  | 'queue-full'
  | 'queue-timeout'
  | 'no-servers'
  | 'circuit-open'
  | 'retries-exhausted'
  | 'buffers-exhausted'
  | 'descriptors-exhausted'
  | 'draining'
  | 'server-drained'
  | 'connection-limit'
  | 'hook-failed'
  | 'hook-timeout'
  | 'internal-error';

/** One row of the table of failures: the word is its key. */
export interface FailureKind {
  readonly origin: FailureOrigin;
  /** Status that the client gets; 0 = no answer is possible or due, the link is closed. */
  readonly status: number;
  readonly retry: RetryRule;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** Counts against the server's health (design §7). */
  readonly countsAgainstServer: boolean;
  readonly says: string;
}

const down = (status: number, says: string): FailureKind => ({
  origin: 'downstream',
  status,
  retry: 'no',
  logLevel: 'info',
  countsAgainstServer: false,
  says,
});
const up = (status: number, retry: RetryRule, says: string, counts = true): FailureKind => ({
  origin: 'upstream',
  status,
  retry,
  logLevel: 'warn',
  countsAgainstServer: counts,
  says,
});
const ours = (status: number, says: string): FailureKind => ({
  origin: 'internal',
  status,
  retry: 'no',
  logLevel: 'warn',
  countsAgainstServer: false,
  says,
});

/**
 * All failures of the data plane in one table. The key is the reason word of the access log, the
 * metric label and the error body; the row is everything that is decided by it.
 */
export const failures: Readonly<Record<FailureCode, FailureKind>> = {
  // what the client sent
  'request-line-invalid': down(400, 'the request line is not valid HTTP/1.1'),
  'version-unsupported': down(505, 'only HTTP/1.0 and HTTP/1.1 are spoken here'),
  'header-invalid': down(400, 'a header line is not valid'),
  'header-too-large': down(431, 'the request head is larger than allowed'),
  'too-many-headers': down(431, 'the request has more header lines than allowed'),
  'target-too-long': down(414, 'the request target is longer than allowed'),
  'target-invalid': down(400, 'the request target is not valid'),
  'separator-encoded': down(400, 'the path has an encoded separator that no route allows'),
  'host-invalid': down(400, 'the Host field is missing, repeated or not valid'),
  'framing-invalid': down(400, 'the length of the request body is ambiguous'),
  'coding-unsupported': down(501, 'only the chunked transfer coding is understood'),
  'chunk-invalid': down(400, 'the chunked request body is not valid'),
  'trailer-invalid': down(400, 'the trailer section is not valid or too large'),
  'expectation-unknown': down(417, 'only Expect: 100-continue is understood'),
  'method-unsupported': down(501, 'this method is not supported here'),
  'header-timeout': down(408, 'the request head did not arrive in time'),
  'body-timeout': down(408, 'the request body made no progress in time'),
  'client-aborted': down(0, 'the client went away before the answer was complete'),
  'client-stalled': down(0, 'the client took nothing of the answer for too long'),
  'max-forwards-reached': down(0, 'answered here because Max-Forwards was 0'),
  // what the server did
  'connect-refused': up(502, 'always', 'the server refused the connection'),
  'connect-failed': up(502, 'always', 'the server could not be reached'),
  'connect-timeout': up(504, 'always', 'the server did not accept the connection in time'),
  'upstream-closed-before-headers': up(
    502,
    'if-idempotent',
    'the server closed the connection before it answered',
  ),
  'upstream-reset-before-headers': up(
    502,
    'if-idempotent',
    'the server reset the connection before it answered',
  ),
  'upstream-timeout': up(504, 'if-idempotent', 'the server did not answer in time'),
  'total-timeout': up(504, 'no', 'no answer came within the time for all tries', false),
  'upstream-response-invalid': up(
    502,
    'no',
    'the server sent something that is not a valid answer',
  ),
  'upstream-header-too-large': up(502, 'no', 'the head of the answer is larger than allowed'),
  'upstream-unavailable': up(502, 'if-idempotent', 'the server itself answered that it failed'),
  'upstream-body-cut': up(502, 'no', 'the server closed the connection inside its answer'),
  'upstream-body-invalid': up(502, 'no', 'the body of the answer is not validly framed'),
  'upstream-body-stalled': up(504, 'no', 'the answer made no progress in time'),
  'upstream-upgrade-unasked': up(
    502,
    'no',
    'the server switched to a protocol that was not asked for',
  ),
  // what we decided
  'no-route': ours(404, 'no route takes this request'),
  'rewrite-invalid': ours(400, 'the path that the route makes of this one is not valid'),
  'no-server-available': ours(503, 'no healthy server is available'),
  'server-limit-reached': ours(503, 'every server is at its connection limit'),
  'pending-limit-reached': ours(503, 'every server has as many unanswered requests as it may'),
  'pool-limit-reached': ours(503, 'the pool is at its connection limit'),
  'queue-full': ours(503, 'every server is at its limit and the queue is full'),
  'queue-timeout': ours(503, 'no server had a place within the time that the queue allows'),
  'circuit-open': ours(503, 'too many requests to this pool failed; it is left alone for a while'),
  'no-servers': ours(503, 'the pool has no servers'),
  'retries-exhausted': ours(502, 'no further attempt was allowed'),
  'buffers-exhausted': ours(503, 'all buffers of this worker are in use'),
  'descriptors-exhausted': ours(503, 'no descriptor is free for a connection to a server'),
  draining: ours(503, 'this balancer is shutting down'),
  'server-drained': ours(503, 'the server is taken out and its time to finish is over'),
  'connection-limit': ours(503, 'the connection limit is reached'),
  'hook-failed': ours(500, 'a hook of the configuration failed'),
  'hook-timeout': ours(503, 'a hook of the configuration took too long'),
  'internal-error': { ...ours(500, 'an error of ours'), logLevel: 'error' },
};

/** The row of a code. Cost: one property read. */
export function failureKind(code: FailureCode): FailureKind {
  return failures[code];
}

/** The server closed the link before it answered. */
export function isClosing(code: FailureCode): boolean {
  return code === 'upstream-closed-before-headers' || code === 'upstream-reset-before-headers';
}
