import { isIP } from 'node:net';
import type { DialAddress } from '../../model/snapshot.ts';
import { Posix } from './constants.ts';

/** Bytes of the longest socket address (sockaddr_un). */
export const SOCKADDR_BYTES_MAX = 110;

/** Formatted IPv4 addresses kept; cleared when full, so that a scan of the internet costs no memory. */
const FORMATTED_MAX = 4096;
const formatted = new Map<number, string>();

/** A socket address as the kernel wants it, ready to be copied. */
export interface SocketAddress {
  readonly family: number;
  readonly bytes: Uint8Array;
}

/**
 * Encodes an address to dial or to listen on.
 * Errors: throws a RangeError for a host that is not numeric, a bad port or a path over 107 bytes:
 * configuration is checked before it comes here.
 */
export function encodeAddress(address: DialAddress): SocketAddress {
  if (address.kind === 'unix') return encodeUnix(address.path);
  const { host, port } = address;
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new RangeError(`Cannot use a port as it must be 0–65535: current value is ${port}`);
  }
  const version = isIP(host);
  if (version === 4) {
    const bytes = new Uint8Array(16);
    bytes.set([Posix.AF_INET, 0, port >>> 8, port & 255]);
    bytes.set(host.split('.').map(Number), 4);
    return { family: Posix.AF_INET, bytes };
  }
  if (version !== 6) {
    throw new RangeError(`Cannot use a host as it must be a numeric address: ${host}`);
  }
  const bytes = new Uint8Array(28);
  bytes.set([Posix.AF_INET6, 0, port >>> 8, port & 255]);
  bytes.set(parseIpv6(host), 8);
  return { family: Posix.AF_INET6, bytes };
}

function encodeUnix(path: string): SocketAddress {
  const text = new TextEncoder().encode(path);
  if (text.length === 0 || text.length > SOCKADDR_BYTES_MAX - 3) {
    throw new RangeError(`Cannot use a socket path as it must be 1–107 bytes: ${path}`);
  }
  const bytes = new Uint8Array(2 + text.length + 1);
  bytes[0] = Posix.AF_UNIX;
  bytes.set(text, 2);
  return { family: Posix.AF_UNIX, bytes };
}

/** The 16 bytes of a valid IPv6 text; a zone is ignored. */
function parseIpv6(host: string): Uint8Array {
  const plain = (host.split('%')[0] as string).replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_, a, b, c, d) => `${((+a << 8) | +b).toString(16)}:${((+c << 8) | +d).toString(16)}`,
  );
  const [left = '', right] = plain.split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const groups = [...head, ...new Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  const bytes = new Uint8Array(16);
  groups.forEach((group, i) => {
    const value = Number.parseInt(group, 16);
    bytes[i * 2] = value >>> 8;
    bytes[i * 2 + 1] = value & 255;
  });
  return bytes;
}

/** Port of a socket address at `at`; 0 for Unix sockets. */
export function portOf(bytes: Uint8Array, at: number): number {
  const family = bytes[at] as number;
  if (family !== Posix.AF_INET && family !== Posix.AF_INET6) return 0;
  return ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
}

/** Numeric text of a socket address at `at`: mapped IPv4 as IPv4, '' for Unix sockets. */
export function hostOf(bytes: Uint8Array, at: number): string {
  const family = bytes[at] as number;
  if (family === Posix.AF_INET) return formatIpv4(bytes, at + 4);
  if (family !== Posix.AF_INET6) return '';
  return isMapped(bytes, at + 8) ? formatIpv4(bytes, at + 20) : formatIpv6(bytes, at + 8);
}

function isMapped(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < 10; i++) if (bytes[at + i] !== 0) return false;
  return bytes[at + 10] === 255 && bytes[at + 11] === 255;
}

function formatIpv4(bytes: Uint8Array, at: number): string {
  const a = bytes[at] as number;
  const b = bytes[at + 1] as number;
  const c = bytes[at + 2] as number;
  const d = bytes[at + 3] as number;
  const key = (a << 24) | (b << 16) | (c << 8) | d;
  const known = formatted.get(key);
  if (known !== undefined) return known;
  if (formatted.size >= FORMATTED_MAX) formatted.clear();
  const text = `${a}.${b}.${c}.${d}`;
  formatted.set(key, text);
  return text;
}

/** RFC 5952: lower case, the longest run of two or more zero groups shortened, the first of equals. */
function formatIpv6(bytes: Uint8Array, at: number): string {
  const groups: number[] = [];
  for (let i = 0; i < 8; i++) {
    groups.push(((bytes[at + i * 2] as number) << 8) | (bytes[at + i * 2 + 1] as number));
  }
  let bestStart = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > bestLength) [bestStart, bestLength] = [i, end - i];
  }
  const hex = groups.map((group) => group.toString(16));
  if (bestStart < 0) return hex.join(':');
  return `${hex.slice(0, bestStart).join(':')}::${hex.slice(bestStart + bestLength).join(':')}`;
}
