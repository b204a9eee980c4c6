import { Authority } from '../host.ts';
import { isPlainPath, PathCanonicalizer } from '../path.ts';
import { refuse } from './field-lines.ts';
import { FieldId, type Head, Method, REFUSED } from './head.ts';
import { ascii, Byte, equalsFolded, IN_PATH, MAY_FOLD, targetClass } from './tokens.ts';

const slash = ascii('/');
const star = ascii('*');
const schemeHttp = ascii('http://');
const empty = new Uint8Array(0);
const authority = new Authority();
const hostField = new Authority();
const canonicalizer = new PathCanonicalizer();

/**
 * Judges the request target and Host together (RFC 9112 §3.2) and fills host, authority, path,
 * query and
 * `isTargetVerbatim`. Precondition: the request line and all fields are read. Returns 0, or
 * `REFUSED`.
 * Cost: one pass over path and host; writes to `head.scratch` only what differs from the received
 * bytes.
 */
export function judgeTarget(head: Head): number {
  const bytes = head.bytes;
  const start = head.targetStart;
  head.hasEncodedSeparator = false;
  head.isTargetVerbatim = true;
  head.queryStart = head.targetEnd;
  head.queryEnd = head.targetEnd;
  if (head.method === Method.CONNECT) return judgeConnect(head);
  if (bytes[start] === Byte.SLASH) {
    return judgeHost(head, false) === REFUSED ? REFUSED : judgePath(head, start);
  }
  head.isTargetVerbatim = false;
  if (bytes[start] === Byte.STAR) {
    if (head.method !== Method.OPTIONS || head.targetEnd !== start + 1) {
      return refuse(head, 'target-invalid');
    }
    head.isTargetVerbatim = true;
    setPath(head, star);
    return judgeHost(head, false);
  }
  return judgeAbsolute(head);
}

/**
 * CONNECT is not served; a target that is no `host:port` is a fault of the client's first (RFC
 * 9110 §9.3.6).
 */
function judgeConnect(head: Head): number {
  setPath(head, empty);
  if (
    !authority.read(head.bytes, head.targetStart, head.targetEnd) ||
    authority.portStart === authority.portEnd ||
    head.bytes[authority.portStart] === Byte.ZERO
  ) {
    return refuse(head, 'target-invalid');
  }
  return judgeHost(head, false) === REFUSED ? REFUSED : refuse(head, 'method-unsupported');
}

/**
 * `http://authority[path][?query]`: its authority replaces Host, which must be valid all the same.
 */
function judgeAbsolute(head: Head): number {
  const bytes = head.bytes;
  const end = head.targetEnd;
  const start = head.targetStart + schemeHttp.length;
  if (start >= end || !equalsFolded(bytes, head.targetStart, schemeHttp)) {
    return refuse(head, 'target-invalid');
  }
  let pathStart = start;
  while (pathStart < end && bytes[pathStart] !== Byte.SLASH && bytes[pathStart] !== Byte.QUESTION) {
    pathStart++;
  }
  if (!authority.read(bytes, start, pathStart)) return refuse(head, 'target-invalid');
  if (judgeHost(head, true) === REFUSED) return REFUSED;
  setAuthority(head, authority, start, pathStart);
  if (pathStart < end && bytes[pathStart] === Byte.SLASH) return judgePath(head, pathStart);
  head.queryStart = pathStart;
  setPath(head, head.method === Method.OPTIONS && pathStart === end ? star : slash);
  return 0;
}

/** Exactly one valid Host, which an HTTP/1.0 request may lack (RFC 9112 §3.2). */
function judgeHost(head: Head, isReplaced: boolean): number {
  const hostBit = 1 << FieldId.HOST;
  if ((head.repeated & hostBit) !== 0) return refuse(head, 'host-invalid');
  if ((head.seen & hostBit) === 0) {
    if (head.minor > 0) return refuse(head, 'host-invalid');
    if (!isReplaced) setNoAuthority(head);
    return 0;
  }
  const at = head.last[FieldId.HOST]! * 4;
  const start = head.fields[at + 2]!;
  const end = head.fields[at + 3]!;
  if (!hostField.read(head.bytes, start, end)) return refuse(head, 'host-invalid');
  if (!isReplaced) setAuthority(head, hostField, start, end);
  return 0;
}

function setNoAuthority(head: Head): void {
  head.hostBytes = head.bytes;
  head.hostStart = head.targetEnd;
  head.hostEnd = head.targetEnd;
  head.authorityBytes = head.bytes;
  head.authorityStart = head.targetEnd;
  head.authorityEnd = head.targetEnd;
}

function setAuthority(head: Head, from: Authority, start: number, end: number): void {
  if (from.isVerbatim) {
    head.hostBytes = head.bytes;
    head.hostStart = from.hostStart;
    head.hostEnd = from.hostEnd;
    head.authorityBytes = head.bytes;
    head.authorityStart = start;
    head.authorityEnd = end;
    return;
  }
  const at = reserveScratch(head, end - start);
  head.hostBytes = head.scratch;
  head.hostStart = at;
  head.hostEnd = from.writeHost(head.bytes, head.scratch, at);
  head.authorityBytes = head.scratch;
  head.authorityStart = at;
  head.authorityEnd = from.writePort(head.bytes, head.scratch, head.hostEnd);
  head.scratchBytes = head.authorityEnd;
}

function setPath(head: Head, path: Uint8Array): void {
  head.pathBytes = path;
  head.pathStart = 0;
  head.pathEnd = path.length;
}

function judgePath(head: Head, start: number): number {
  const bytes = head.bytes;
  const end = head.targetEnd;
  let pathEnd = start;
  let classes = 0;
  let c = 0;
  while (pathEnd < end && ((c = targetClass[bytes[pathEnd]!]!) & IN_PATH) !== 0) {
    classes |= c;
    pathEnd++;
  }
  if (pathEnd < end && bytes[pathEnd] !== Byte.QUESTION) return refuse(head, 'target-invalid');
  head.queryStart = pathEnd;
  head.pathBytes = bytes;
  head.pathStart = start;
  head.pathEnd = pathEnd;
  if ((classes & MAY_FOLD) === 0 || isPlainPath(bytes, start, pathEnd)) return 0;
  const at = reserveScratch(head, pathEnd - start);
  const to = canonicalizer.write(bytes, start, pathEnd, head.scratch, at);
  if (to < 0) return refuse(head, 'target-invalid');
  head.hasEncodedSeparator = canonicalizer.hasEncodedSeparator;
  if (isSame(bytes, start, pathEnd, head.scratch, at, to)) return 0;
  head.pathBytes = head.scratch;
  head.pathStart = at;
  head.pathEnd = to;
  head.scratchBytes = to;
  head.isTargetVerbatim = false;
  return 0;
}

function isSame(
  one: Uint8Array,
  oneStart: number,
  oneEnd: number,
  other: Uint8Array,
  otherStart: number,
  otherEnd: number,
): boolean {
  if (oneEnd - oneStart !== otherEnd - otherStart) return false;
  for (let i = oneStart, j = otherStart; i < oneEnd; i++, j++)
    if (one[i] !== other[j]) return false;
  return true;
}

/**
 * Room for `size` more bytes in the scratch; returns where they begin. Spans already set are moved
 * along.
 */
function reserveScratch(head: Head, size: number): number {
  const at = head.scratchBytes;
  const old = head.scratch;
  if (at + size <= old.length) return at;
  const grown = new Uint8Array(Math.max(1024, 2 * (at + size)));
  for (let i = 0; i < at; i++) grown[i] = old[i]!;
  head.scratch = grown;
  if (head.hostBytes === old) head.hostBytes = grown;
  if (head.authorityBytes === old) head.authorityBytes = grown;
  return at;
}
