import { limits as fixedLimits } from '../../model/limits.ts';
import { ConnectionOption, readConnection } from './connection-options.ts';
import { cutShort, parseFieldLines, refuse, resetHead } from './field-lines.ts';
import {
  FieldId,
  Framing,
  type Head,
  type HeadLimits,
  INCOMPLETE,
  Method,
  REFUSED,
} from './head.ts';
import { judgeTarget } from './request-target.ts';
import { ascii, Byte, parseDecimal, spanIs, targetClass, tokenClass } from './tokens.ts';
import { isChunkedAlone, isChunkedLast, listHas } from './value-lists.ts';

const httpSlash = ascii('HTTP/');
const continue100 = ascii('100-continue');
const h2c = ascii('h2c');

const methodNames: readonly (readonly [text: Uint8Array, method: number])[] = [
  [ascii('GET'), Method.GET],
  [ascii('HEAD'), Method.HEAD],
  [ascii('POST'), Method.POST],
  [ascii('PUT'), Method.PUT],
  [ascii('DELETE'), Method.DELETE],
  [ascii('OPTIONS'), Method.OPTIONS],
  [ascii('PATCH'), Method.PATCH],
  [ascii('TRACE'), Method.TRACE],
  [ascii('CONNECT'), Method.CONNECT],
];

/** Fields that keep a head from being copied in one run; see `FieldId`. */
const MANAGED_BITS =
  ((1 << FieldId.UNMANAGED) - 2) | (1 << FieldId.NAMED_BY_CONNECTION) | (1 << FieldId.ALIAS);

/**
 * Parses one request head from `bytes[start, end)` into `head`.
 *
 * Returns the length consumed (leading empty lines included), `INCOMPLETE` while the bytes so far
 * can still become
 * a valid head, or `REFUSED` with `head.failure` set as soon as they cannot. Strict reading of RFC
 * 9112; where
 * it is stricter than the text demands, docs/decisions/0007 says why.
 * `head` stays valid until the next parse into it and as long as `bytes` is not changed.
 * Cost: one pass, no allocation. An incomplete head is parsed again from its start by the next
 * call: use
 * `HeadScanner` for heads that arrive in many pieces.
 */
export function parseRequestHead(
  head: Head,
  bytes: Uint8Array,
  start: number,
  end: number,
  limits: HeadLimits,
): number {
  resetHead(head, bytes, start);
  head.method = 0;
  head.expectsContinue = false;
  head.maxForwards = -1;
  head.hasIdempotencyKey = false;
  const from = skipEmptyLines(head, start, end);
  if (from < 0 || from >= end) return from < 0 ? from : INCOMPLETE;
  head.start = from;
  const stop = end - from > limits.headBytesMax ? from + limits.headBytesMax : end;
  let at = parseRequestLine(head, from, stop, end);
  if (at <= 0) return at;
  at = parseFieldLines(head, at, stop, end, limits, false);
  if (at <= 0) return at;
  if (judgeRequest(head) === REFUSED) return REFUSED;
  return at - start;
}

/**
 * RFC 9112 §2.2: some clients send an empty line behind a body. Returns where the request line
 * begins or may begin; REFUSED.
 */
function skipEmptyLines(head: Head, start: number, end: number): number {
  const bytes = head.bytes;
  let at = start;
  let lines = 0;
  while (at < end && bytes[at] === Byte.CR) {
    if (at + 1 >= end) return end;
    if (bytes[at + 1] !== Byte.LF || ++lines > fixedLimits.leadingEmptyLines) {
      return refuse(head, 'request-line-invalid');
    }
    at += 2;
  }
  return at;
}

/**
 * Method, target and version with single spaces. Returns the offset behind the line's CRLF,
 * INCOMPLETE or REFUSED.
 */
function parseRequestLine(head: Head, start: number, stop: number, end: number): number {
  const bytes = head.bytes;
  let at = start;
  while (at < stop && tokenClass[bytes[at]!] !== 0) at++;
  if (at - start > fixedLimits.methodBytes) return refuse(head, 'method-unsupported');
  if (at >= stop) return cutShort(head, stop, end);
  if (bytes[at] !== Byte.SPACE || at === start) return refuse(head, 'request-line-invalid');
  head.methodStart = start;
  head.methodEnd = at;
  head.method = identifyMethod(bytes, start, at);
  const targetStart = ++at;
  while (at < stop && targetClass[bytes[at]!] !== 0) at++;
  if (at - targetStart > fixedLimits.targetBytes) return refuse(head, 'target-too-long');
  if (at >= stop) return stop < end ? refuse(head, 'target-too-long') : INCOMPLETE;
  if (bytes[at] !== Byte.SPACE || at === targetStart) return refuse(head, 'target-invalid');
  head.targetStart = targetStart;
  head.targetEnd = at;
  return parseVersion(head, at + 1, stop, end);
}

function identifyMethod(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const first = bytes[start];
  if (length === 3 && first === 0x47 && bytes[start + 1] === 0x45 && bytes[start + 2] === 0x54) {
    return Method.GET;
  }
  for (let i = 1; i < methodNames.length; i++) {
    const text = methodNames[i]![0];
    if (text.length !== length || text[0] !== first) continue;
    let same = 1;
    while (same < length && bytes[start + same] === text[same]) same++;
    if (same === length) return methodNames[i]![1];
  }
  return Method.OTHER;
}

/** `HTTP/` DIGIT `.` DIGIT CRLF, case-sensitive (RFC 9112 §2.3); any major version but 1 is 505. */
function parseVersion(head: Head, start: number, stop: number, end: number): number {
  const bytes = head.bytes;
  for (let i = 0; i < 10; i++) {
    if (start + i >= stop) return cutShort(head, stop, end);
    const c = bytes[start + i]!;
    let isRight: boolean;
    if (i < 5) isRight = c === httpSlash[i];
    else if (i === 6) isRight = c === Byte.DOT;
    else if (i === 8) isRight = c === Byte.CR;
    else if (i === 9) isRight = c === Byte.LF;
    else isRight = c >= Byte.ZERO && c <= Byte.NINE;
    if (!isRight) return refuse(head, 'request-line-invalid');
  }
  if (bytes[start + 5] !== Byte.ZERO + 1) return refuse(head, 'version-unsupported');
  head.minor = bytes[start + 7] === Byte.ZERO ? 0 : 1;
  return start + 10;
}

/** What the fields mean together. Returns 0 or REFUSED. */
function judgeRequest(head: Head): number {
  if (judgeTarget(head) === REFUSED || judgeFraming(head) === REFUSED) return REFUSED;
  const seen = head.seen;
  let options = 0;
  if ((seen & (1 << FieldId.CONNECTION)) !== 0) {
    options = readConnection(head);
    if ((options & ConnectionOption.INVALID) !== 0) return refuse(head, 'header-invalid');
  }
  // RFC 9112 §9.3: a proxy keeps no persistent connection with a 1.0 client
  head.wantsClose = head.minor === 0 || (options & ConnectionOption.CLOSE) !== 0;
  if ((seen & (1 << FieldId.EXPECT)) !== 0 && judgeExpect(head) === REFUSED) return REFUSED;
  if ((seen & (1 << FieldId.UPGRADE)) !== 0) judgeUpgrade(head, options);
  if ((seen & (1 << FieldId.MAX_FORWARDS)) !== 0 && judgeMaxForwards(head) === REFUSED)
    return REFUSED;
  head.hasIdempotencyKey = (seen & (1 << FieldId.IDEMPOTENCY_KEY)) !== 0;
  head.hasManagedField = (head.seen & MANAGED_BITS) !== 0;
  return 0;
}

/**
 * RFC 9112 §6 in its strictest reading: one Content-Length of digits, or `chunked` alone on 1.1,
 * or no body.
 */
function judgeFraming(head: Head): number {
  const lengthBit = 1 << FieldId.CONTENT_LENGTH;
  const codingBit = 1 << FieldId.TRANSFER_ENCODING;
  if ((head.seen & (1 << FieldId.FRAMING_ALIAS)) !== 0) return refuse(head, 'framing-invalid');
  const framed = head.seen & (lengthBit | codingBit);
  if (framed === 0) return 0;
  if (framed === (lengthBit | codingBit) || (head.repeated & framed) !== 0) {
    return refuse(head, 'framing-invalid');
  }
  const at =
    head.last[framed === lengthBit ? FieldId.CONTENT_LENGTH : FieldId.TRANSFER_ENCODING]! * 4;
  const start = head.fields[at + 2]!;
  const end = head.fields[at + 3]!;
  if (framed === codingBit) {
    if (head.minor === 0) return refuse(head, 'framing-invalid');
    if (!isChunkedAlone(head.bytes, start, end)) {
      const isUnknown = isChunkedLast(head.bytes, start, end);
      return refuse(head, isUnknown ? 'coding-unsupported' : 'framing-invalid');
    }
    head.framing = Framing.CHUNKED;
  } else {
    const length = parseDecimal(head.bytes, start, end);
    if (length < 0 || length > Number.MAX_SAFE_INTEGER) return refuse(head, 'framing-invalid');
    head.declaredLength = length;
    if (length > 0) {
      head.framing = Framing.LENGTH;
      head.contentLength = length;
    }
  }
  // RFC 9110 §9.3.8: a client must not send content with TRACE, and a server would echo it
  if (head.method === Method.TRACE && head.framing !== Framing.NONE) {
    return refuse(head, 'framing-invalid');
  }
  return 0;
}

/** RFC 9110 §10.1.1: only `100-continue` is defined; HTTP/1.0 has no expectations. */
function judgeExpect(head: Head): number {
  if (head.minor === 0) return 0;
  const at = head.last[FieldId.EXPECT]! * 4;
  const isContinue = spanIs(head.bytes, head.fields[at + 2]!, head.fields[at + 3]!, continue100);
  if (!isContinue || (head.repeated & (1 << FieldId.EXPECT)) !== 0) {
    return refuse(head, 'expectation-unknown');
  }
  head.expectsContinue = head.framing !== Framing.NONE;
  return 0;
}

/**
 * An upgrade counts on 1.1 with `Connection: upgrade` only; `h2c` would carry requests that nobody
 * judged.
 */
function judgeUpgrade(head: Head, options: number): void {
  const at = head.last[FieldId.UPGRADE]! * 4;
  head.upgradeStart = head.fields[at + 2]!;
  head.upgradeEnd = head.fields[at + 3]!;
  head.hasUpgrade =
    head.minor > 0 &&
    (options & ConnectionOption.UPGRADE) !== 0 &&
    (head.repeated & (1 << FieldId.UPGRADE)) === 0 &&
    head.upgradeEnd > head.upgradeStart &&
    !listHas(head.bytes, head.upgradeStart, head.upgradeEnd, h2c);
}

/** RFC 9110 §7.6.2: acts on TRACE and OPTIONS, may be ignored for any other method. */
function judgeMaxForwards(head: Head): number {
  if (head.method !== Method.TRACE && head.method !== Method.OPTIONS) return 0;
  const at = head.last[FieldId.MAX_FORWARDS]! * 4;
  const value = parseDecimal(head.bytes, head.fields[at + 2]!, head.fields[at + 3]!);
  if (value < 0 || (head.repeated & (1 << FieldId.MAX_FORWARDS)) !== 0) {
    return refuse(head, 'header-invalid');
  }
  head.maxForwards = Math.min(value, 0x7fff_ffff);
  return 0;
}
