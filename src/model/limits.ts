import { invariant } from '../base/invariant.ts';

/**
 * Every fixed limit of the program, each with its reason. Limits that users may set have their
 * defaults here too; the configuration's checker keeps them in these ranges.
 */
export const limits = {
  /**
   * Slots in shared memory: 10,000 servers, and as many others that one reload puts in their place. 10.5 KiB of histograms
   * each and worker, of which only what is written is backed.
   */
  serverSlots: 20_480,
  /** Pools, routes and listeners with counters of their own in shared memory. */
  pools: 512,
  routes: 4096,
  listeners: 128,
  /** Names that left the configuration are shown apart until so many did: what a person can still read through. */
  departedNames: 128,
  /** Series of routes, pools and servers whose past is kept: 15 KiB each in control, and some ms a second for all. */
  historySeries: 1_024,
  /** Worker threads; shared memory has one row each. */
  workers: 64,
  /** Descriptors that a worker's ledger can name: above the usual hard limit of open files (1,048,576 is systemd's). */
  descriptors: 1_048_576,
  /** Bytes of one data buffer without its headroom; 16 KiB was best for large bodies (design §9). */
  bufferBytes: 16_384,
  /** Room before received bytes, so that a rewritten head can be placed right before its body. */
  bufferHeadroomBytes: 1_024,
  /** Buffers that a worker's pool may grow to: 96 MiB; most of a pool is never touched. */
  buffersMax: 6_144,
  /** Bytes waiting in one link before its source is paused, and the level at which it may go on. */
  queueHighBytes: 131_072,
  queueLowBytes: 32_768,
  /** Heads: bytes and fields, as configured by default and at most. */
  headBytes: 32_768,
  headBytesMax: 262_144,
  headFields: 100,
  headFieldsMax: 1_000,
  /** Request target and method: nginx and HAProxy refuse above 8 KiB–16 KiB. */
  targetBytes: 8_192,
  methodBytes: 32,
  /** Rendered header rules of one exchange: as much as a default head; what a client sends may stand in each of them. */
  headerRuleBytes: 32_768,
  /** Trailers: the same field count as heads, fewer bytes. */
  trailerBytes: 8_192,
  /** One chunk-size line with its extension, and all extensions of a message together. */
  chunkLineBytes: 1_024,
  chunkExtensionBytesTotal: 16_384,
  /** 1xx answers that one exchange may carry before it is given up. */
  interimResponses: 32,
  /** Empty lines ignored before a request line (RFC 9112 §2.2). */
  leadingEmptyLines: 4,
  /** Request body bytes kept for a replay. Above, a started exchange cannot be repeated. */
  replayBytes: 65_536,
  /** A discarded answer is read so far, so that its link can be used again; above, the link is closed. */
  discardBytes: 65_536,
  discardMs: 2_000,
  /** `Retry-After` is waited for up to this; a longer one goes to the client, who can wait without holding our memory. */
  retryAfterMsMax: 10_000,
  /** Priority classes of a queue: more than anyone tells apart. */
  queueClasses: 8,
  /** Resolution of short waits (back-off, hedging, queues): a fifth of the shortest default. */
  fineTickMs: 5,
  /**
   * How long a closing link waits for more from a peer that still sends, how long and how much it reads on in all,
   * so that the peer can see our last answer: many clients read it only behind their whole upload.
   */
  lingerMs: 2_000,
  lingerMsMax: 30_000,
  lingerBytes: 268_435_456,
  /** A client that sent FIN and waits is taken for gone after this: its server's place is needed by others. */
  halfCloseGraceMs: 1_000,
  /** In a drain, an idle link is closed after this; a request that comes before is answered. */
  leaveGraceMs: 1_000,
  /**
   * After an upgrade nobody waits for idle links: they are closed spread over this part of the drain, late, since a
   * request that comes before is answered, and one that crosses our FIN is lost.
   */
  replacedCloseFrom: 0.5,
  replacedCloseTo: 0.9,
  /** Timer wheel: resolution in ms. Time-outs are in seconds; 50 ms is 2.5 % of the shortest default. */
  timerTickMs: 50,
  /** A worker whose heartbeat is older than this is stuck: the balancer process is replaced. */
  heartbeatStaleMs: 5_000,
  /** Access log: bytes waiting for the writer before lines are dropped and counted. */
  accessLogQueueBytes: 8_388_608,
  /** Spans that a worker gathers between two ticks, and that wait in control, before they are dropped and counted. */
  spansPerTick: 4_096,
  spansWaiting: 16_384,
} as const;

invariant(limits.queueLowBytes < limits.queueHighBytes, 'low water is below high water');
invariant(limits.headBytes <= limits.headBytesMax, 'the default head limit is allowed');
invariant(limits.headFields <= limits.headFieldsMax, 'the default field limit is allowed');
invariant(limits.targetBytes < limits.headBytes, 'a longest target fits a head');
invariant(limits.replayBytes >= 2 * limits.bufferBytes, 'a replay holds more than one buffer');
