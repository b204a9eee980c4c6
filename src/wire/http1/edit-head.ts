import { FieldId, Framing, type Head } from './head.ts';
import { Byte } from './tokens.ts';
import type { RequestForwarding } from './write-request.ts';
import type { ResponseForwarding } from './write-response.ts';

/*
 * The short way for heads that need little: instead of composing a head elsewhere and copying it
 * back, the lines to drop are closed up where the head stands, toward the body behind it:
 *
 *   | HTTP/1.1 200 OK | Server … | Connection: keep-alive | CRLF | body      received
 *                     | HTTP/1.1 200 OK | Server …        | CRLF | body      forwarded
 *
 * Every byte that stays was parsed strictly, and the lines are what `writeRequestHead` and
 * `writeResponseHead` would write, but for their order and the spelling of framing and Host (the
 * fuzzer compares them). Pays: 0.9 of 3.4 µs of JavaScript per exchange (data/exchange.bench.ts).
 */

const HOP_BY_HOP =
  (1 << FieldId.CONNECTION) |
  (1 << FieldId.KEEP_ALIVE) |
  (1 << FieldId.PROXY_CONNECTION) |
  (1 << FieldId.TE) |
  (1 << FieldId.UPGRADE) |
  (1 << FieldId.TRAILER) |
  (1 << FieldId.NAMED_BY_CONNECTION);

const REQUEST_DROPPED =
  HOP_BY_HOP |
  (1 << FieldId.FORWARDED) |
  (1 << FieldId.X_FORWARDED_FOR) |
  (1 << FieldId.X_FORWARDED_PROTO) |
  (1 << FieldId.X_FORWARDED_HOST) |
  (1 << FieldId.X_FORWARDED_OTHER) |
  (1 << FieldId.ALIAS);

const RESPONSE_DROPPED = HOP_BY_HOP | (1 << FieldId.PROXY_AUTHENTICATE);

const CHUNKED = new Uint8Array([0x63, 0x68, 0x75, 0x6e, 0x6b, 0x65, 0x64]);

/**
 * Edits a response head where it stands, up to `head.end`. Returns where the forwarded head
 * begins, or -1 when it has to be written anew. Cost: one look per field, one native move per run
 * of lines that stays.
 */
export function editResponseHead(head: Head, forwarding: ResponseForwarding): number {
  const isPlain =
    head.minor === 1 &&
    head.hasDate &&
    !head.hasLooseName &&
    forwarding.edits === null &&
    !forwarding.closes &&
    head.status >= 200 &&
    head.status !== 204 &&
    head.status !== 205 &&
    head.status !== 426 &&
    head.fieldCount > 0 &&
    head.framing === forwarding.framing &&
    hasCanonicalFraming(head) &&
    // RFC 9112 §4: a SP stands behind the status even without a reason
    head.bytes[head.start + 12] === Byte.SPACE &&
    isVersionOneOne(head, head.start);
  return isPlain ? closeUp(head, RESPONSE_DROPPED) : -1;
}

/**
 * Bytes that the edited request head will have, or -1 when it has to be written anew. With a
 * length, `editRequestHead` may follow, for the same head and forwarding.
 */
export function editedRequestBytes(head: Head, forwarding: RequestForwarding): number {
  const isPlain =
    head.minor === 1 &&
    !forwarding.isTrustedPeer &&
    !forwarding.keepsUpgrade &&
    !forwarding.closes &&
    forwarding.edits === null &&
    head.isTargetVerbatim &&
    head.maxForwards < 0 &&
    (!((head.seen >>> FieldId.EXPECT) & 1) || head.expectsContinue) &&
    head.bytes[head.targetStart] === Byte.SLASH &&
    hasVerbatimHost(head) &&
    hasCanonicalFraming(head) &&
    isVersionOneOne(head, head.fields[0]! - 10);
  if (!isPlain) return -1;
  return head.end - 2 - head.methodStart - droppedBytes(head) + forwarding.tailFor(head).length;
}

/**
 * Moves the lines that stay to `at`, at or before the head's method, and puts our lines behind
 * them.
 * Returns the end. Behind the method, lines would be overwritten before they were moved. The head's
 * spans are void afterwards.
 */
export function editRequestHead(head: Head, forwarding: RequestForwarding, at: number): number {
  const { bytes, fields, ids, fieldCount } = head;
  // before anything moves: it reads the authority where that was received
  const tail = forwarding.tailFor(head);
  let to = at;
  let runStart = head.methodStart;
  for (let index = 0; index < fieldCount; index++) {
    if (((REQUEST_DROPPED >>> ids[index]!) & 1) === 0) {
      if (runStart < 0) runStart = fields[index * 4]!;
      continue;
    }
    if (runStart < 0) continue;
    bytes.copyWithin(to, runStart, fields[index * 4]!);
    to += fields[index * 4]! - runStart;
    runStart = -1;
  }
  if (runStart >= 0) {
    bytes.copyWithin(to, runStart, head.end - 2);
    to += head.end - 2 - runStart;
  }
  bytes.set(tail, to);
  return to + tail.length;
}

function droppedBytes(head: Head): number {
  let dropped = 0;
  if ((head.seen & REQUEST_DROPPED) === 0) return 0;
  for (let index = 0; index < head.fieldCount; index++) {
    if (((REQUEST_DROPPED >>> head.ids[index]!) & 1) !== 0) {
      dropped += lineEndOf(head, index) - head.fields[index * 4]!;
    }
  }
  return dropped;
}

/** From the last line to the first, so that nothing is overwritten before it was moved. */
function closeUp(head: Head, dropped: number): number {
  if ((head.seen & dropped) === 0) return head.start;
  const { bytes, fields, ids } = head;
  let to = head.end;
  let runEnd = head.end;
  for (let index = head.fieldCount - 1; index >= 0; index--) {
    if (((dropped >>> ids[index]!) & 1) === 0) continue;
    const lineStart = fields[index * 4]!;
    const lineEnd = lineEndOf(head, index);
    if (to !== runEnd) bytes.copyWithin(to - (runEnd - lineEnd), lineEnd, runEnd);
    to -= runEnd - lineEnd;
    runEnd = lineStart;
  }
  bytes.copyWithin(to - (runEnd - head.start), head.start, runEnd);
  return to - (runEnd - head.start);
}

function lineEndOf(head: Head, index: number): number {
  return index + 1 < head.fieldCount ? head.fields[index * 4 + 4]! : head.end - 2;
}

/**
 * The framing fields say in canonical form what was parsed: one of them, once, one space behind the colon, without
 * leading zeros, `chunked` in lower case. A server that reads framing less well than the RFC asks is to find ours.
 */
function hasCanonicalFraming(head: Head): boolean {
  const lengthBit = 1 << FieldId.CONTENT_LENGTH;
  const codingBit = 1 << FieldId.TRANSFER_ENCODING;
  const present = head.seen & (lengthBit | codingBit);
  if (present === 0) return true;
  if (present === (lengthBit | codingBit) || (head.repeated & present) !== 0) return false;
  const at =
    head.last[present === lengthBit ? FieldId.CONTENT_LENGTH : FieldId.TRANSFER_ENCODING]! * 4;
  const start = head.fields[at + 2]!;
  const end = head.fields[at + 3]!;
  const length = end - start;
  const isSpacedOnce =
    start === head.fields[at + 1]! + 2 &&
    head.bytes[start - 1] === Byte.SPACE &&
    head.bytes[end] === Byte.CR;
  if (!isSpacedOnce) return false;
  if (present === codingBit)
    return head.framing === Framing.CHUNKED && isChunked(head, start, length);
  if (length === 1) return true;
  if (head.bytes[start] === Byte.ZERO) return false;
  for (let i = start; i < start + length; i++) {
    if ((head.bytes[i]! - Byte.ZERO) >>> 0 > 9) return false;
  }
  return true;
}

function isChunked(head: Head, start: number, length: number): boolean {
  if (length !== CHUNKED.length) return false;
  for (let i = 0; i < length; i++) if (head.bytes[start + i] !== CHUNKED[i]) return false;
  return true;
}

/** The Host line says what was judged, byte for byte. */
function hasVerbatimHost(head: Head): boolean {
  if (((head.seen >>> FieldId.HOST) & 1) === 0 || head.authorityBytes !== head.bytes) return false;
  const at = head.last[FieldId.HOST]! * 4;
  return (
    head.fields[at + 2] === head.authorityStart &&
    head.fields[at + 3] === head.authorityEnd &&
    head.authorityEnd > head.authorityStart
  );
}

/** `HTTP/1.1` stands at `at` (its family is parsed already; only the last digit is looked at). */
function isVersionOneOne(head: Head, at: number): boolean {
  return head.bytes[at + 7] === Byte.ZERO + 1;
}
