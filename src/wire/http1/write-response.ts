import { FieldId, Framing, type Head } from './head.ts';
import { copyEditedLines, type HeadEdits } from './head-edits.ts';
import { ascii, Byte } from './tokens.ts';
import { copyBytes, putBytes, putDecimal, putLineEnd } from './write-bytes.ts';
import { copyKeptLines } from './write-request.ts';

const version = ascii('HTTP/1.1 ');
const contentLength = ascii('Content-Length: ');
const chunkedLine = ascii('Transfer-Encoding: chunked\r\n');
const closeLine = ascii('Connection: close\r\n');
const upgradeLine = ascii('Connection: Upgrade\r\n');
const closeAndUpgradeLine = ascii('Connection: close, Upgrade\r\n');
const upgradeName = ascii('Upgrade: ');

/** How one answer is forwarded. One object per worker, refilled for every answer. */
export class ResponseForwarding {
  /** One of `Framing`: how the client learns the end. CHUNKED never to a 1.0 client. */
  framing: number = Framing.NONE;
  /** Body bytes for `Framing.LENGTH`. */
  contentLength = 0;
  /** The client's link is closed after this answer. */
  closes = false;
  /** `Date: …` with its line end, for answers that came without one. Empty: add none. */
  dateLine: Uint8Array = new Uint8Array(0);
  /** Changes of the lines that the route asks for; null = none. */
  edits: HeadEdits | null = null;
}

/** Upper bound of what `writeResponseHead` writes. */
export function responseHeadBytesMax(head: Head, forwarding: ResponseForwarding): number {
  // our own lines: status line, Content-Length with 16 digits, Connection, colons set right in
  // loose names
  const ours = 160 + 2 * head.fieldCount;
  const edited = forwarding.edits === null ? 0 : forwarding.edits.lines.length;
  return head.end - head.start + forwarding.dateLine.length + edited + ours;
}

const DROPPED =
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
 * Writes an answer as it goes to the client, to `out[at…)`, and returns the end; the caller has
 * made sure of
 * `responseHeadBytesMax` bytes there, which do not overlap the received head.
 *
 * Own status line with the reason as received; lines that pass unchanged are copied in runs, in
 * their order; then
 * Date, framing and Connection of ours. Framing NONE writes the length that HEAD and 304
 * announced, `0` for 205, and
 * nothing for 1xx and 204. `Upgrade` is kept for 101 and 426 (RFC 9110 §7.8, §15.5.22).
 * Cost: one pass over the head's bytes, no allocation.
 */
export function writeResponseHead(
  out: Uint8Array,
  at: number,
  head: Head,
  forwarding: ResponseForwarding,
): number {
  let to = putStatusLine(out, at, head);
  if (forwarding.edits !== null) to = copyEditedLines(out, to, head, DROPPED, forwarding.edits);
  else if (head.hasLooseName) to = copyLooseLines(out, to, head);
  else if (head.hasManagedField) to = copyKeptLines(out, to, head, DROPPED);
  else if (head.fieldCount > 0) to = copyBytes(out, to, head.bytes, head.fields[0]!, head.end - 2);
  if (!head.hasDate && head.status >= 200) to = putBytes(out, to, forwarding.dateLine);
  to = putFraming(out, to, head, forwarding);
  return putLineEnd(out, putConnection(out, to, head, forwarding));
}

/** A SP stands behind the status even without a reason (RFC 9112 §4). */
function putStatusLine(out: Uint8Array, at: number, head: Head): number {
  let to = putDecimal(out, putBytes(out, at, version), head.status);
  out[to++] = Byte.SPACE;
  to = copyBytes(out, to, head.bytes, head.reasonStart, head.reasonEnd);
  return putLineEnd(out, to);
}

/** Field by field, because the white space before a colon must not be passed on (RFC 9112 §5.1). */
function copyLooseLines(out: Uint8Array, at: number, head: Head): number {
  const { bytes, fields, ids } = head;
  let to = at;
  for (let index = 0; index < head.fieldCount; index++) {
    if (((DROPPED >>> ids[index]!) & 1) !== 0) continue;
    to = copyBytes(out, to, bytes, fields[index * 4]!, fields[index * 4 + 1]!);
    out[to++] = Byte.COLON;
    out[to++] = Byte.SPACE;
    to = copyBytes(out, to, bytes, fields[index * 4 + 2]!, fields[index * 4 + 3]!);
    to = putLineEnd(out, to);
  }
  return to;
}

function putFraming(
  out: Uint8Array,
  at: number,
  head: Head,
  forwarding: ResponseForwarding,
): number {
  const status = head.status;
  if (status < 200 || status === 204) return at;
  if (forwarding.framing === Framing.CHUNKED) return putBytes(out, at, chunkedLine);
  let length = -1;
  if (forwarding.framing === Framing.LENGTH) length = forwarding.contentLength;
  else if (status === 205) length = 0;
  else if (forwarding.framing === Framing.NONE) length = head.declaredLength;
  if (length < 0) return at;
  return putLineEnd(out, putDecimal(out, putBytes(out, at, contentLength), length));
}

function putConnection(
  out: Uint8Array,
  at: number,
  head: Head,
  forwarding: ResponseForwarding,
): number {
  const keepsUpgrade =
    head.upgradeEnd > head.upgradeStart && (head.status === 101 || head.status === 426);
  if (!keepsUpgrade) return forwarding.closes ? putBytes(out, at, closeLine) : at;
  let to = putBytes(out, at, forwarding.closes ? closeAndUpgradeLine : upgradeLine);
  to = copyBytes(
    out,
    putBytes(out, to, upgradeName),
    head.bytes,
    head.upgradeStart,
    head.upgradeEnd,
  );
  return putLineEnd(out, to);
}
