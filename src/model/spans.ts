/** Which requests are traced. */
export interface TraceRule {
  /** Share of those whose client did not decide, 0 to 1. */
  readonly share: number;
  /** Whose `traceparent` is believed and followed; of others it is replaced. */
  readonly parents: 'all' | 'trusted' | 'none';
}

/** What a span is about. */
export const SpanKind = {
  /** A request, from its head to the last byte of its answer. */
  REQUEST: 0,
  /** A wait in the queue of a pool. */
  QUEUE: 1,
  /** The request at one server. */
  TRY: 2,
  /** The dial of a try that had no link to reuse. */
  DIAL: 3,
} as const;

/**
 * Where the numbers of a span stand in its row of `spanNumbers`. Ids are words of 32 bits, times µs of the epoch.
 */
export const SpanNumber = {
  KIND: 0,
  TRACE: 1,
  ID: 5,
  PARENT: 7,
  START: 9,
  END: 10,
  /** What the client or we got, 0 = nothing. */
  STATUS: 11,
  /** TRY: how many tries were before it. REQUEST: how many there were in all. */
  TRIES: 12,
  /** REQUEST: 1 = the parent is another process's. TRY: 1 = its link was reused. */
  FLAG: 13,
} as const;

/** Numbers of one span. */
export const spanNumbers = 14;

/** Where its words stand in its row of `spanWords`; empty = nothing to say. */
export const SpanWord = {
  /** QUEUE, TRY, REQUEST. */
  POOL: 0,
  /** TRY, DIAL. */
  SERVER: 1,
  /** Why it ended, where that was no success. */
  REASON: 2,
  // REQUEST only.
  METHOD: 3,
  HOST: 4,
  PATH: 5,
  ROUTE: 6,
  LISTENER: 7,
  CLIENT: 8,
  REQUEST_ID: 9,
} as const;

/** Words of one span. */
export const spanWords = 10;

/** Spans on their way from a worker to control: rows of `spanNumbers` numbers and of `spanWords` words. */
export interface SpanBatch {
  readonly numbers: Float64Array;
  readonly words: readonly string[];
  /** Spans that were given up because the batch was full. */
  readonly dropped: number;
}

/** A span as an exporter takes it. */
export interface Span {
  /** Hexadecimal digits. */
  readonly traceId: string;
  readonly id: string;
  /** Null = the root of its trace. */
  readonly parentId: string | null;
  /** The parent is another process's. */
  readonly hasRemoteParent: boolean;
  readonly name: string;
  readonly kind: 'server' | 'client' | 'internal';
  /** µs of the epoch. */
  readonly startUs: number;
  readonly endUs: number;
  readonly isError: boolean;
  /** By the names of OpenTelemetry's semantic conventions, and ours under `evenkeel.`. */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}
