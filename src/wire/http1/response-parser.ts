import { ConnectionOption, readConnection } from './connection-options.ts';
import { cutShort, parseFieldLines, refuse, resetHead } from './field-lines.ts';
import { FieldId, Framing, type Head, type HeadLimits, Method, REFUSED } from './head.ts';
import { ascii, Byte, equalsFolded, parseDecimal } from './tokens.ts';
import { isChunkedAlone } from './value-lists.ts';

const httpOneDot = ascii('HTTP/1.');
const timeoutEquals = ascii('timeout=');

/** Fields that are not passed on as they stand; the rest of a head may be copied in one run. */
const MANAGED_BITS =
  (1 << FieldId.CONNECTION) |
  (1 << FieldId.KEEP_ALIVE) |
  (1 << FieldId.PROXY_CONNECTION) |
  (1 << FieldId.TE) |
  (1 << FieldId.TRANSFER_ENCODING) |
  (1 << FieldId.UPGRADE) |
  (1 << FieldId.CONTENT_LENGTH) |
  (1 << FieldId.PROXY_AUTHENTICATE) |
  (1 << FieldId.TRAILER) |
  (1 << FieldId.NAMED_BY_CONNECTION);

/**
 * Parses one response head from `bytes[start, end)` into `head`; `requestMethod` (one of `Method`)
 * decides about HEAD.
 *
 * Returns the length consumed, `INCOMPLETE`, or `REFUSED` with `head.failure`
 * `upstream-response-invalid` or
 * `upstream-header-too-large`. Statuses 100–599 only. 1xx, 204, 304, HEAD and 205 have
 * `Framing.NONE`; a 204 or 205
 * that announces content all the same wants its link closed, as what follows could be taken for
 * the next answer.
 * Cost: as `parseRequestHead`.
 */
export function parseResponseHead(
  head: Head,
  bytes: Uint8Array,
  start: number,
  end: number,
  limits: HeadLimits,
  requestMethod: number,
): number {
  resetHead(head, bytes, start);
  head.status = 0;
  head.keepAliveHintMs = -1;
  head.hasDate = false;
  head.hasLooseName = false;
  const stop = end - start > limits.headBytesMax ? start + limits.headBytesMax : end;
  let at = parseStatusLine(head, start, stop, end);
  if (at > 0) at = parseFieldLines(head, at, stop, end, limits, true);
  if (at > 0 && judgeResponse(head, requestMethod) === REFUSED) at = REFUSED;
  if (at > 0) return at - start;
  if (at === REFUSED) head.failure = asUpstreamFailure(head);
  return at;
}

function asUpstreamFailure(head: Head): 'upstream-header-too-large' | 'upstream-response-invalid' {
  return head.failure === 'header-too-large' || head.failure === 'too-many-headers'
    ? 'upstream-header-too-large'
    : 'upstream-response-invalid';
}

/**
 * `HTTP/1.` DIGIT SP 3DIGIT [SP reason] CRLF. Returns the offset behind it, INCOMPLETE or REFUSED.
 */
function parseStatusLine(head: Head, start: number, stop: number, end: number): number {
  const bytes = head.bytes;
  const invalid = 'upstream-response-invalid';
  for (let i = 0; i < 12; i++) {
    if (start + i >= stop) return cutShort(head, stop, end);
    const c = bytes[start + i]!;
    let isRight: boolean;
    if (i < 7) isRight = c === httpOneDot[i];
    else if (i === 8) isRight = c === Byte.SPACE;
    else if (i === 9) isRight = c >= Byte.ZERO + 1 && c <= Byte.ZERO + 5;
    else isRight = c >= Byte.ZERO && c <= Byte.NINE;
    if (!isRight) return refuse(head, invalid);
  }
  head.minor = bytes[start + 7] === Byte.ZERO ? 0 : 1;
  head.status = bytes[start + 9]! * 100 + bytes[start + 10]! * 10 + bytes[start + 11]! - 5328;
  let at = start + 12;
  if (at >= stop) return cutShort(head, stop, end);
  if (bytes[at] === Byte.SPACE) at++;
  else if (bytes[at] !== Byte.CR) return refuse(head, invalid);
  head.reasonStart = at;
  let c = 0;
  while (at < stop && ((c = bytes[at]!) >= 0x20 ? c !== 0x7f : c === 0x09)) at++;
  head.reasonEnd = at;
  if (at >= stop) return cutShort(head, stop, end);
  if (c !== Byte.CR) return refuse(head, invalid);
  if (at + 1 >= stop) return cutShort(head, stop, end);
  return bytes[at + 1] === Byte.LF ? at + 2 : refuse(head, invalid);
}

function judgeResponse(head: Head, requestMethod: number): number {
  if (judgeFraming(head, requestMethod) === REFUSED) return REFUSED;
  const seen = head.seen;
  let options = 0;
  if ((seen & (1 << FieldId.CONNECTION)) !== 0) options = readConnection(head);
  if (head.minor === 0 || (options & (ConnectionOption.CLOSE | ConnectionOption.INVALID)) !== 0) {
    head.wantsClose = true;
  }
  if ((seen & (1 << FieldId.UPGRADE)) !== 0) {
    const at = head.last[FieldId.UPGRADE]! * 4;
    head.upgradeStart = head.fields[at + 2]!;
    head.upgradeEnd = head.fields[at + 3]!;
    head.hasUpgrade =
      head.status === 101 &&
      head.minor > 0 &&
      (options & ConnectionOption.UPGRADE) !== 0 &&
      (head.repeated & (1 << FieldId.UPGRADE)) === 0 &&
      head.upgradeEnd > head.upgradeStart;
  }
  if ((seen & (1 << FieldId.KEEP_ALIVE)) !== 0) readKeepAlive(head);
  head.hasDate =
    (seen & (1 << FieldId.DATE)) !== 0 && head.ids[head.last[FieldId.DATE]!] === FieldId.DATE;
  head.hasManagedField = (head.seen & MANAGED_BITS) !== 0;
  return 0;
}

/** RFC 9112 §6.3 for responses; the fields must be valid even where they frame nothing. */
function judgeFraming(head: Head, requestMethod: number): number {
  const lengthBit = 1 << FieldId.CONTENT_LENGTH;
  const codingBit = 1 << FieldId.TRANSFER_ENCODING;
  const framed = head.seen & (lengthBit | codingBit);
  const invalid = 'upstream-response-invalid';
  if (framed === (lengthBit | codingBit) || (head.repeated & framed) !== 0) {
    return refuse(head, invalid);
  }
  if (framed === lengthBit) {
    const at = head.last[FieldId.CONTENT_LENGTH]! * 4;
    const length = parseDecimal(head.bytes, head.fields[at + 2]!, head.fields[at + 3]!);
    if (length < 0 || length > Number.MAX_SAFE_INTEGER) return refuse(head, invalid);
    head.declaredLength = length;
  } else if (framed === codingBit) {
    const at = head.last[FieldId.TRANSFER_ENCODING]! * 4;
    if (
      head.minor === 0 ||
      !isChunkedAlone(head.bytes, head.fields[at + 2]!, head.fields[at + 3]!)
    ) {
      return refuse(head, invalid);
    }
  }
  const status = head.status;
  if (requestMethod === Method.HEAD || status === 304 || status < 200) return 0;
  if (status === 204 || status === 205) {
    const isEmpty = framed === 0 ? status === 204 : head.declaredLength === 0;
    if (!isEmpty) head.wantsClose = true;
  } else if (framed === codingBit) head.framing = Framing.CHUNKED;
  else if (framed === lengthBit) {
    head.framing = Framing.LENGTH;
    head.contentLength = head.declaredLength;
  } else {
    head.framing = Framing.CLOSE;
    head.wantsClose = true;
  }
  return 0;
}

/** `timeout=` of Keep-Alive in seconds: a hint only, so what is not digits is no hint. */
function readKeepAlive(head: Head): void {
  const bytes = head.bytes;
  const at = head.last[FieldId.KEEP_ALIVE]! * 4;
  const end = head.fields[at + 3]!;
  const last = end - timeoutEquals.length;
  for (let i = head.fields[at + 2]!; i < last; i++) {
    if (!equalsFolded(bytes, i, timeoutEquals)) continue;
    let to = i + timeoutEquals.length;
    const from = to;
    while (to < end && to - from < 7 && bytes[to]! >= Byte.ZERO && bytes[to]! <= Byte.NINE) to++;
    const seconds = parseDecimal(bytes, from, to);
    if (seconds >= 0) head.keepAliveHintMs = seconds * 1000;
    return;
  }
}
