import { fnv1a32, mix32 } from './hash.ts';
import { invariant } from './invariant.ts';

/** `::ffff:0:0/96`, the prefix of IPv4 addresses mapped into IPv6 (RFC 4291 §2.5.5.2). */
const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/**
 * Bytes of a numeric IP address: 4 for IPv4 and for mapped IPv6, 16 for other IPv6, null for
 * anything else. A zone (`%eth0`) is ignored: it names a link of this machine, not the peer.
 */
export function parseAddress(text: string): Uint8Array | null {
  if (text.length > 64) return null;
  if (!text.includes(':')) return parseFour(text);
  const zone = text.indexOf('%');
  const sixteen = parseSixteen(zone < 0 ? text : text.slice(0, zone));
  return sixteen !== null && isMapped(sixteen) ? sixteen.subarray(12) : sixteen;
}

function isMapped(bytes: Uint8Array): boolean {
  return bytes.length === 16 && MAPPED_PREFIX.every((byte, at) => bytes[at] === byte);
}

/** Four decimal octets without leading zeros: `010` is octal to some readers, so it is refused. */
function parseFour(text: string): Uint8Array | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  const bytes = new Uint8Array(4);
  for (const [at, part] of parts.entries()) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return null;
    bytes[at] = Number(part);
  }
  return bytes;
}

/**
 * RFC 4291 §2.2: eight groups, one run of zero groups as `::`, the last two groups possibly as
 * IPv4.
 */
function parseSixteen(text: string): Uint8Array | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1]!, true) : [];
  if (head === null || tail === null) return null;
  const missing = 16 - head.length - tail.length;
  // `::` stands for at least one group; without it nothing may be missing.
  if (halves.length === 2 ? missing < 2 : missing !== 0) return null;
  const bytes = new Uint8Array(16);
  bytes.set(head, 0);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

function parseGroups(text: string, mayEndInFour: boolean): number[] | null {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [at, group] of groups.entries()) {
    if (mayEndInFour && at === groups.length - 1 && group.includes('.')) {
      const four = parseFour(group);
      if (four === null) return null;
      bytes.push(...four);
      continue;
    }
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return null;
    const value = Number.parseInt(group, 16);
    bytes.push(value >>> 8, value & 0xff);
  }
  return bytes.length <= 16 ? bytes : null;
}

/** An address range: the first `bits` bits of `bytes`. */
export interface Cidr {
  readonly bytes: Uint8Array;
  readonly bits: number;
}

/**
 * `10.0.0.0/8`, `2001:db8::/32` or a single address; null when it is neither. Bits behind the
 * prefix are ignored.
 */
export function parseCidr(text: string): Cidr | null {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const bytes = parseAddress(address);
  if (bytes === null || address.includes('%')) return null;
  if (slash < 0) return { bytes, bits: bytes.length * 8 };
  const bitsText = text.slice(slash + 1);
  if (!/^(0|[1-9][0-9]{0,2})$/.test(bitsText)) return null;
  // A mapped prefix counts its bits from the front of the IPv6 form.
  const bits = Number(bitsText) - (bytes.length === 4 && address.includes(':') ? 96 : 0);
  return bits >= 0 && bits <= bytes.length * 8 ? { bytes, bits } : null;
}

/** A set of address ranges. */
export interface CidrSet {
  /**
   * Is this numeric address in one of the ranges? False for what is no address (Unix sockets have
   * '').
   */
  contains(address: string): boolean;
}

/**
 * Compiles ranges that the configuration's checker has accepted. Errors: throws `InvariantError` on
 * a text that `parseCidr` refuses. Cost: `contains` parses the text and compares it with each
 * range; callers keep the answer per link.
 */
export function compileCidrs(texts: readonly string[]): CidrSet {
  const cidrs = texts.map((text) => {
    const cidr = parseCidr(text);
    invariant(cidr !== null, `an accepted configuration has valid ranges, not ${text}`);
    return cidr;
  });
  return {
    contains(address) {
      if (cidrs.length === 0) return false;
      const bytes = parseAddress(address);
      return bytes !== null && cidrs.some((cidr) => isWithin(bytes, cidr));
    },
  };
}

function isWithin(bytes: Uint8Array, cidr: Cidr): boolean {
  if (bytes.length !== cidr.bytes.length) return false;
  const whole = cidr.bits >>> 3;
  for (let at = 0; at < whole; at++) if (bytes[at] !== cidr.bytes[at]) return false;
  const rest = cidr.bits & 7;
  return rest === 0 || ((bytes[whole]! ^ cidr.bytes[whole]!) & (0xff00 >>> rest) & 0xff) === 0;
}

/**
 * What `ip-hash` knows a client by: a hash of the whole IPv4 address or of the /64 of an IPv6 one,
 * because a host changes its lower half at will (RFC 8981). The same on every machine and after
 * every restart.
 *
 * Range: an int32; 0 for what is no IP address (Unix sockets).
 */
export function ipKey(address: string): number {
  const bytes = parseAddress(address);
  return bytes === null ? 0 : mix32(fnv1a32(bytes, 0, Math.min(bytes.length, 8)));
}
