import { FieldId, Framing, type Head } from './head.ts';
import { copyEditedLines, type HeadEdits } from './head-edits.ts';
import { ascii, Byte } from './tokens.ts';
import { copyBytes, putBytes, putDecimal, putLineEnd } from './write-bytes.ts';

const versionAndHost = ascii(' HTTP/1.1\r\nHost: ');
const contentLength = ascii('Content-Length: ');
const chunkedLine = ascii('Transfer-Encoding: chunked\r\n');
const upgradeLines = ascii('Connection: Upgrade\r\nUpgrade: ');
const closeLine = ascii('Connection: close\r\n');
const maxForwards = ascii('Max-Forwards: ');
const forwardedFor = ascii('X-Forwarded-For: ');
const forwardedHost = ascii('X-Forwarded-Host: ');
const forwarded = ascii('Forwarded: ');
const via10 = ascii('Via: 1.0 ');
const via11 = ascii('Via: 1.1 ');
const listComma = ascii(', ');

/** What is known of a client's link before any request: made once per link. */
export interface RequestForwardingOptions {
  /** Numeric address, IPv6 without brackets; empty for a Unix socket. */
  readonly clientAddress: string;
  /** The peer's own forwarding fields are believed: kept and appended to, not replaced. */
  readonly isTrustedPeer: boolean;
  /** `http` or `https`, as the client spoke to us. */
  readonly scheme: string;
  /** Our name in `Via`. */
  readonly viaName: string;
}

/**
 * How the requests of one client's link are forwarded. Made once per link; the members that are
 * not readonly are
 * set per exchange.
 */
export class RequestForwarding {
  readonly isTrustedPeer: boolean;
  /** Host of a request that came without one (HTTP/1.0): the chosen server's address. */
  defaultHost: Uint8Array = new Uint8Array(0);
  /** The client's upgrade offer is passed on. */
  keepsUpgrade = false;
  /** Ask the server to close its link after the answer. */
  closes = false;
  /** Changes of the lines that the route asks for; null = none. */
  edits: HeadEdits | null = null;

  /** Our client's address as a member of X-Forwarded-For. */
  readonly address: Uint8Array;
  /** `X-Forwarded-Proto: scheme` with its line end. */
  readonly protoLine: Uint8Array;
  /** Our Forwarded element in two parts; the host stands between them. */
  readonly elementBeforeHost: Uint8Array;
  readonly elementAfterHost: Uint8Array;
  /** Our name in Via with its line end. */
  readonly viaName: Uint8Array;

  /** Our lines for the authority that was forwarded last, and that authority. */
  #tail: Uint8Array = new Uint8Array(0);
  #tailAuthority: Uint8Array = new Uint8Array(0);

  constructor(options: RequestForwardingOptions) {
    const { clientAddress, scheme } = options;
    const node = clientAddress.includes(':') ? `"[${clientAddress}]"` : clientAddress || 'unknown';
    this.isTrustedPeer = options.isTrustedPeer;
    this.address = ascii(clientAddress || 'unknown');
    this.protoLine = ascii(`X-Forwarded-Proto: ${scheme}\r\n`);
    this.elementBeforeHost = ascii(`for=${node};host="`);
    this.elementAfterHost = ascii(`";proto=${scheme}\r\n`);
    this.viaName = ascii(`${options.viaName}\r\n`);
  }

  /**
   * All lines of ours and the empty line, for an HTTP/1.1 request of a peer that is not trusted:
   * the same for every request
   * to one authority, so made once while that stays. Cost: a comparison of the authority.
   */
  tailFor(head: Head): Uint8Array {
    const known = this.#tailAuthority;
    const bytes = head.authorityBytes;
    const start = head.authorityStart;
    let isKnown = head.authorityEnd - start === known.length && known.length > 0;
    for (let i = 0; isKnown && i < known.length; i++) isKnown = bytes[start + i] === known[i];
    if (!isKnown) {
      const room = new Uint8Array(requestHeadBytesMax(head, this));
      const via = putBytes(room, putBytes(room, 0, via11), this.viaName);
      const end = putLineEnd(room, putForwarding(room, via, head, this));
      this.#tail = room.slice(0, end);
      this.#tailAuthority = bytes.slice(start, head.authorityEnd);
    }
    return this.#tail;
  }
}

/**
 * Upper bound of what `writeRequestHead` writes. Trusted peers' X-Forwarded-For and Forwarded
 * lines become one line
 * each: never longer than they were.
 */
export function requestHeadBytesMax(head: Head, forwarding: RequestForwarding): number {
  const host = head.authorityEnd - head.authorityStart + forwarding.defaultHost.length;
  const received = head.end - head.start + head.pathEnd - head.pathStart;
  // fixed texts of all lines of ours come to under 320 bytes; host stands in three of them
  const ours = forwarding.address.length + forwarding.protoLine.length + forwarding.viaName.length;
  const element = forwarding.elementBeforeHost.length + forwarding.elementAfterHost.length;
  const edits = forwarding.edits;
  const edited =
    edits === null ? 0 : edits.lines.length + (edits.host?.length ?? 0) + 2 * head.fieldCount;
  return received + 3 * host + ours + element + edited + 384;
}

const UNTRUSTED_DROPS =
  (1 << FieldId.X_FORWARDED_PROTO) |
  (1 << FieldId.X_FORWARDED_HOST) |
  (1 << FieldId.X_FORWARDED_OTHER);

/**
 * Fields that never leave as they came, whoever sent them; a kept Via and a kept Max-Forwards are
 * decided apart.
 */
const ALWAYS_DROPPED =
  (1 << FieldId.CONNECTION) |
  (1 << FieldId.KEEP_ALIVE) |
  (1 << FieldId.PROXY_CONNECTION) |
  (1 << FieldId.TE) |
  (1 << FieldId.TRANSFER_ENCODING) |
  (1 << FieldId.UPGRADE) |
  (1 << FieldId.CONTENT_LENGTH) |
  (1 << FieldId.HOST) |
  (1 << FieldId.FORWARDED) |
  (1 << FieldId.X_FORWARDED_FOR) |
  (1 << FieldId.TRAILER) |
  (1 << FieldId.NAMED_BY_CONNECTION) |
  (1 << FieldId.ALIAS);

/**
 * Writes the request as it goes to a server, to `out[at…)`, and returns the end; the caller has
 * made sure of
 * `requestHeadBytesMax` bytes there, which do not overlap the received head.
 *
 * Host comes first; runs of lines that pass unchanged are copied as they are, in their order; then
 * what is ours:
 * framing, Connection, Max-Forwards, Via, X-Forwarded-*, Forwarded. Cost: one pass over the head's
 * bytes, no
 * allocation.
 */
export function writeRequestHead(
  out: Uint8Array,
  at: number,
  head: Head,
  forwarding: RequestForwarding,
): number {
  let to = copyBytes(out, at, head.bytes, head.methodStart, head.methodEnd);
  out[to++] = Byte.SPACE;
  to = copyBytes(out, to, head.pathBytes, head.pathStart, head.pathEnd);
  to = copyBytes(out, to, head.bytes, head.queryStart, head.queryEnd);
  to = putBytes(out, to, versionAndHost);
  const edits = forwarding.edits;
  const host = edits === null ? null : edits.host;
  to = putLineEnd(
    out,
    host === null ? putHost(out, to, head, forwarding) : putBytes(out, to, host),
  );
  let dropped = ALWAYS_DROPPED;
  if (!forwarding.isTrustedPeer) dropped |= UNTRUSTED_DROPS;
  if (!head.expectsContinue) dropped |= 1 << FieldId.EXPECT;
  if (head.maxForwards >= 0) dropped |= 1 << FieldId.MAX_FORWARDS;
  if (edits === null) to = copyKeptLines(out, to, head, dropped);
  else to = copyEditedLines(out, to, head, dropped, edits);
  to = putFraming(out, to, head);
  if (forwarding.keepsUpgrade) {
    to = putBytes(out, to, upgradeLines);
    to = putLineEnd(out, copyBytes(out, to, head.bytes, head.upgradeStart, head.upgradeEnd));
  } else if (forwarding.closes) to = putBytes(out, to, closeLine);
  if (head.maxForwards > 0) {
    to = putDecimal(out, putBytes(out, to, maxForwards), head.maxForwards - 1);
    to = putLineEnd(out, to);
  }
  to = putBytes(out, to, head.minor === 0 ? via10 : via11);
  to = putBytes(out, to, forwarding.viaName);
  return putLineEnd(out, putForwarding(out, to, head, forwarding));
}

function putHost(out: Uint8Array, at: number, head: Head, forwarding: RequestForwarding): number {
  if (head.authorityStart === head.authorityEnd) return putBytes(out, at, forwarding.defaultHost);
  return copyBytes(out, at, head.authorityBytes, head.authorityStart, head.authorityEnd);
}

/**
 * Copies the lines whose `FieldId` bit is not in `dropped`, adjacent ones in one run. The lines of
 * a head are
 * adjacent, so that a run ends where the next dropped line begins.
 */
export function copyKeptLines(out: Uint8Array, at: number, head: Head, dropped: number): number {
  const { bytes, fields, ids, fieldCount } = head;
  let to = at;
  let runStart = -1;
  for (let index = 0; index < fieldCount; index++) {
    if (((dropped >>> ids[index]!) & 1) === 0) {
      if (runStart < 0) runStart = fields[index * 4]!;
    } else if (runStart >= 0) {
      to = copyBytes(out, to, bytes, runStart, fields[index * 4]!);
      runStart = -1;
    }
  }
  return runStart < 0 ? to : copyBytes(out, to, bytes, runStart, head.end - 2);
}

function putFraming(out: Uint8Array, at: number, head: Head): number {
  if (head.framing === Framing.CHUNKED) return putBytes(out, at, chunkedLine);
  if (head.declaredLength < 0) return at;
  return putLineEnd(out, putDecimal(out, putBytes(out, at, contentLength), head.declaredLength));
}

function putForwarding(
  out: Uint8Array,
  at: number,
  head: Head,
  forwarding: RequestForwarding,
): number {
  const isTrusted = forwarding.isTrustedPeer;
  const kept = isTrusted ? head.seen : 0;
  let to = putBytes(out, at, forwardedFor);
  if (isTrusted) to = putMembers(out, to, head, FieldId.X_FORWARDED_FOR);
  to = putLineEnd(out, putBytes(out, to, forwarding.address));
  if ((kept & (1 << FieldId.X_FORWARDED_PROTO)) === 0) to = putBytes(out, to, forwarding.protoLine);
  if ((kept & (1 << FieldId.X_FORWARDED_HOST)) === 0) {
    to = putLineEnd(out, putHost(out, putBytes(out, to, forwardedHost), head, forwarding));
  }
  to = putBytes(out, to, forwarded);
  if (isTrusted) to = putMembers(out, to, head, FieldId.FORWARDED);
  to = putBytes(out, to, forwarding.elementBeforeHost);
  to = putHost(out, to, head, forwarding);
  return putBytes(out, to, forwarding.elementAfterHost);
}

/**
 * Writes the values of all fields of this id as one list, with a comma behind each: many servers
 * read one line only.
 */
function putMembers(out: Uint8Array, at: number, head: Head, id: number): number {
  if ((head.seen & (1 << id)) === 0) return at;
  let to = at;
  for (let index = 0; index < head.fieldCount; index++) {
    if (head.ids[index] !== id) continue;
    const start = head.fields[index * 4 + 2]!;
    const end = head.fields[index * 4 + 3]!;
    if (start === end) continue;
    to = putBytes(out, copyBytes(out, to, head.bytes, start, end), listComma);
  }
  return to;
}
