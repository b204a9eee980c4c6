import { Byte, hexValue, unreserved } from './http1/tokens.ts';

/** Longest host name: 253 octets of a DNS name and its trailing dot (RFC 1035 §2.3.4). */
const HOST_BYTES_MAX = 254;
/** A text up to this is remembered. */
const KNOWN_BYTES = 64;

/**
 * Reads `uri-host [ ":" port ]` (RFC 9110 §7.2) and tells where its parts are.
 *
 * Strict: a name has unreserved octets and no empty label (one trailing dot is folded); no
 * percent-escapes,
 * no sub-delims, no userinfo; an IPv6 literal must be one; no IPvFuture, no zone; the port is
 * empty or 0–65535.
 * One object per worker, refilled by every `read`.
 */
export class Authority {
  /** Host without port and without a trailing dot. */
  hostStart = 0;
  hostEnd = 0;
  /** Port digits without leading zeros; an empty span when there is none. */
  portStart = 0;
  portEnd = 0;
  /** The canonical form is `bytes[start, end)` as it stands. */
  isVerbatim = true;

  /** The last valid text, which most requests repeat, and its places from its start. */
  readonly #known: Uint8Array = new Uint8Array(KNOWN_BYTES);
  #knownBytes = 0;
  #knownHostEnd = 0;
  #knownPortStart = 0;
  #isKnownVerbatim = true;

  /** False when it is not valid. Cost: one pass, no allocation; of the text of the last call, a comparison. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#isKnown(bytes, start, end)) {
      this.hostStart = start;
      this.hostEnd = start + this.#knownHostEnd;
      this.portStart = start + this.#knownPortStart;
      this.portEnd = end;
      this.isVerbatim = this.#isKnownVerbatim;
      return true;
    }
    if (!this.#parse(bytes, start, end)) return false;
    if (end - start <= KNOWN_BYTES) this.#remember(bytes, start, end);
    return true;
  }

  #isKnown(bytes: Uint8Array, start: number, end: number): boolean {
    const known = this.#known;
    const length = this.#knownBytes;
    if (length === 0 || end - start !== length) return false;
    for (let i = 0; i < length; i++) if (bytes[start + i] !== known[i]) return false;
    return true;
  }

  #remember(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; at++) this.#known[at - start] = bytes[at]!;
    this.#knownBytes = end - start;
    this.#knownHostEnd = this.hostEnd - start;
    this.#knownPortStart = this.portStart - start;
    this.#isKnownVerbatim = this.isVerbatim;
  }

  #parse(bytes: Uint8Array, start: number, end: number): boolean {
    this.isVerbatim = true;
    this.hostStart = start;
    const hostEnd =
      start < end && bytes[start] === Byte.BRACKET_OPEN
        ? this.#readLiteral(bytes, start, end)
        : this.#readName(bytes, start, end);
    return hostEnd > start && this.#readPort(bytes, hostEnd, end);
  }

  #readName(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    let labelStart = start;
    for (; at < end; at++) {
      const c = bytes[at]!;
      if (c === Byte.COLON) break;
      if (unreserved[c] === 0) return -1;
      if (c === Byte.DOT) {
        if (at === labelStart) return -1;
        labelStart = at + 1;
      } else if (c >= 0x41 && c <= 0x5a) this.isVerbatim = false;
    }
    if (at - start > HOST_BYTES_MAX) return -1;
    this.hostEnd = at;
    if (at > start && labelStart === at) {
      this.hostEnd = at - 1;
      this.isVerbatim = false;
    }
    return at;
  }

  #readLiteral(bytes: Uint8Array, start: number, end: number): number {
    let at = start + 1;
    // the longest IPv6 address with an IPv4 tail has 45 octets
    while (at < end && at - start <= 46 && bytes[at] !== Byte.BRACKET_CLOSE) {
      const c = bytes[at]!;
      if (c >= 0x41 && c <= 0x5a) this.isVerbatim = false;
      at++;
    }
    if (at >= end || bytes[at] !== Byte.BRACKET_CLOSE) return -1;
    if (!isIpv6(bytes, start + 1, at)) return -1;
    this.hostEnd = at + 1;
    return at + 1;
  }

  #readPort(bytes: Uint8Array, at: number, end: number): boolean {
    this.portStart = end;
    this.portEnd = end;
    if (at === end) return true;
    if (bytes[at] !== Byte.COLON || end - at > 6) return false;
    let port = 0;
    for (let i = at + 1; i < end; i++) {
      const digit = bytes[i]! - Byte.ZERO;
      if (digit < 0 || digit > 9) return false;
      port = port * 10 + digit;
    }
    this.portStart = at + 1;
    while (this.portStart < end - 1 && bytes[this.portStart] === Byte.ZERO) this.portStart++;
    if (this.portStart !== at + 1 || at + 1 === end) this.isVerbatim = false;
    return port <= 65_535;
  }

  /** Writes the canonical host, lower case, to `out[at…)` and returns the end. */
  writeHost(bytes: Uint8Array, out: Uint8Array, at: number): number {
    let to = at;
    for (let from = this.hostStart; from < this.hostEnd; from++) {
      const c = bytes[from]!;
      out[to++] = c >= 0x41 && c <= 0x5a ? c | 0x20 : c;
    }
    return to;
  }

  /** Writes `:port` if there is a port, and returns the end. */
  writePort(bytes: Uint8Array, out: Uint8Array, at: number): number {
    if (this.portStart === this.portEnd) return at;
    let to = at;
    out[to++] = Byte.COLON;
    for (let from = this.portStart; from < this.portEnd; from++) out[to++] = bytes[from]!;
    return to;
  }
}

/**
 * An IPv6 address as of RFC 3986 §3.2.2: up to eight groups, `::` once, perhaps an IPv4 tail; no
 * zone.
 */
export function isIpv6(bytes: Uint8Array, start: number, end: number): boolean {
  let groups = 0;
  let hasGap = false;
  let at = start;
  if (bytes[at] === Byte.COLON) {
    if (end - start < 2 || bytes[at + 1] !== Byte.COLON) return false;
    hasGap = true;
    at += 2;
  }
  while (at < end) {
    const groupStart = at;
    while (at < end && hexValue[bytes[at]!] !== 255) at++;
    if (at < end && bytes[at] === Byte.DOT) {
      return isIpv4(bytes, groupStart, end) && (hasGap ? groups + 2 < 8 : groups + 2 === 8);
    }
    if (at === groupStart || at - groupStart > 4 || ++groups > 8) return false;
    if (at === end) break;
    if (bytes[at] !== Byte.COLON) return false;
    at++;
    if (at === end) return false;
    if (bytes[at] === Byte.COLON) {
      if (hasGap) return false;
      hasGap = true;
      at++;
    }
  }
  return hasGap ? groups < 8 : groups === 8;
}

function isIpv4(bytes: Uint8Array, start: number, end: number): boolean {
  let parts = 0;
  let at = start;
  for (;;) {
    const partStart = at;
    let value = 0;
    while (at < end && bytes[at]! >= Byte.ZERO && bytes[at]! <= Byte.NINE && at - partStart < 4) {
      value = value * 10 + (bytes[at]! - Byte.ZERO);
      at++;
    }
    const length = at - partStart;
    if (length === 0 || length > 3 || value > 255) return false;
    if (length > 1 && bytes[partStart] === Byte.ZERO) return false;
    parts++;
    if (at === end) return parts === 4;
    if (bytes[at] !== Byte.DOT || parts === 4) return false;
    at++;
  }
}
