import type { FailureCode } from '../../model/failure.ts';
import { limits } from '../../model/limits.ts';

/** Results of the head parsers besides a positive length. */
export const INCOMPLETE = 0;
/** The head is refused; `Head.failure` says why. */
export const REFUSED = -1;

/** Methods known without a string; 0 is any other token. */
export const Method = {
  OTHER: 0,
  GET: 1,
  HEAD: 2,
  POST: 3,
  PUT: 4,
  DELETE: 5,
  OPTIONS: 6,
  PATCH: 7,
  TRACE: 8,
  CONNECT: 9,
} as const;

/**
 * Fields that the proxy itself understands; 0 is any other. Below `FieldId.UNMANAGED` they are
 * rewritten or dropped when forwarded.
 */
export const FieldId = {
  OTHER: 0,
  CONNECTION: 1,
  KEEP_ALIVE: 2,
  PROXY_CONNECTION: 3,
  TE: 4,
  TRANSFER_ENCODING: 5,
  UPGRADE: 6,
  CONTENT_LENGTH: 7,
  HOST: 8,
  FORWARDED: 9,
  X_FORWARDED_FOR: 10,
  X_FORWARDED_PROTO: 11,
  X_FORWARDED_HOST: 12,
  /**
   * X-Forwarded-Port, -Prefix, -Server, -Ssl, X-Real-IP, True-Client-IP and names that collapse to
   * managed ones (`_`, `.` for `-`).
   */
  X_FORWARDED_OTHER: 13,
  VIA: 14,
  MAX_FORWARDS: 15,
  PROXY_AUTHENTICATE: 16,
  TRAILER: 17,
  UNMANAGED: 18,
  EXPECT: 18,
  DATE: 19,
  IDEMPOTENCY_KEY: 20,
  USER_AGENT: 21,
  /** Not forwarded because a Connection field names it. */
  NAMED_BY_CONNECTION: 22,
  /**
   * Never forwarded: a name that a server may take for a managed one (`X_Forwarded_For`), `Proxy`,
   * `HTTP2-Settings`.
   */
  ALIAS: 23,
  /** `Content_Length`, `Transfer.Encoding` and the like: the request is refused. */
  FRAMING_ALIAS: 24,
} as const;

/** How the end of a body is known. */
export const Framing = {
  NONE: 0,
  LENGTH: 1,
  CHUNKED: 2,
  /** Responses only: until the link closes. */
  CLOSE: 3,
} as const;

/**
 * An index over one parsed head; the bytes stay where they arrived. One object per worker and
 * direction,
 * refilled by every parse, valid until the next one.
 *
 * Shape of `fields`: four words per field: name start, name end, value start, value end (value
 * without
 * surrounding white space), all absolute in `bytes`. The line runs from its name start to the next
 * field's name start (or to `end - 2` for the last one).
 */
export class Head {
  bytes: Uint8Array = new Uint8Array(0);
  /** The same bytes, to read four at a time; made anew only when a parse is given another array. */
  view: DataView = new DataView(this.bytes.buffer);
  /** First byte of the start line (leading empty lines skipped); `end` is behind the empty line. */
  start = 0;
  end = 0;
  failure: FailureCode | null = null;
  /** 0 for HTTP/1.0, 1 for HTTP/1.1 and above. */
  minor = 1;

  /**
   * Bit `1 << FieldId` for every kind of field that occurs, and of those that occur more than once.
   */
  seen = 0;
  repeated = 0;
  /** Index of the last field of each `FieldId`; valid where its bit of `seen` is set. */
  readonly last: Int32Array = new Int32Array(32);
  /** Received `Content-Length`, whatever the framing is; -1 when absent. */
  declaredLength = -1;
  /**
   * Where canonical forms are written that differ from the received bytes; grows, is never shrunk.
   */
  scratch: Uint8Array = new Uint8Array(0);
  /** Bytes of `scratch` in use. */
  scratchBytes = 0;

  // requests
  method = 0;
  methodStart = 0;
  methodEnd = 0;
  /** The request target as received. */
  targetStart = 0;
  targetEnd = 0;
  /**
   * Canonical host without port, lower case, no trailing dot; in `hostBytes` (the head's own bytes
   * or scratch). Empty span when an HTTP/1.0 request has none.
   */
  hostBytes: Uint8Array = this.bytes;
  hostStart = 0;
  hostEnd = 0;
  /** Canonical host with its port as it is forwarded in `Host` (`example.com:8080`). */
  authorityBytes: Uint8Array = this.bytes;
  authorityStart = 0;
  authorityEnd = 0;
  /** Canonical path, in `pathBytes`; `*` for OPTIONS *. */
  pathBytes: Uint8Array = this.bytes;
  pathStart = 0;
  pathEnd = 0;
  /** Query with its `?`, as received, in `bytes`; empty span when there is none. */
  queryStart = 0;
  queryEnd = 0;
  /** The path has an encoded separator (`%2f %5c %00 …`): refused unless the route allows it. */
  hasEncodedSeparator = false;
  /** True when the forwarded target (path and query) equals the received bytes. */
  isTargetVerbatim = true;
  /** `Expect: 100-continue` on a 1.1 request with a body to come. */
  expectsContinue = false;
  /** Max-Forwards value, -1 when absent or not TRACE/OPTIONS. */
  maxForwards = -1;
  hasIdempotencyKey = false;

  // responses
  status = 0;
  reasonStart = 0;
  reasonEnd = 0;
  /** `Keep-Alive: timeout=` of a response in ms, -1 when absent. */
  keepAliveHintMs = -1;
  hasDate = false;
  /** Some name of a response had white space before its colon: lines must be written anew. */
  hasLooseName = false;

  // both
  fieldCount = 0;
  readonly fields: Int32Array = new Int32Array(4 * (limits.headFieldsMax + 1));
  /** `FieldId` per field. */
  readonly ids: Uint8Array = new Uint8Array(limits.headFieldsMax + 1);
  /** One of `Framing`. Request heads: NONE, LENGTH or CHUNKED. */
  framing = 0;
  /** Body bytes for `Framing.LENGTH`, else 0. */
  contentLength = 0;
  /** The peer wants or, by its version, must have the link closed after this message. */
  wantsClose = false;
  /**
   * `Connection: upgrade` with an `Upgrade` field on HTTP/1.1 (request), or a 101 with both
   * (response).
   */
  hasUpgrade = false;
  /** Value span of `Upgrade`. */
  upgradeStart = 0;
  upgradeEnd = 0;
  /**
   * Some field is hop-by-hop, managed or named by Connection: the head cannot be copied in one run.
   */
  hasManagedField = false;
}

/** Limits of one parse, from the snapshot. */
export interface HeadLimits {
  readonly headBytesMax: number;
  readonly headFieldsMax: number;
}
