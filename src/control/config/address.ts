import type { ListenAddress } from './config.ts';

/** A server's address taken apart: an IP, a name that must be resolved, or a Unix socket. */
export type ServerAddress =
  | { readonly kind: 'ip'; readonly host: string; readonly port: number }
  | { readonly kind: 'name'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** The longest path that fits `sockaddr_un` on Linux (108 bytes with its final NUL). */
const unixPathBytesMax = 107;

/**
 * Reads `ip:port`, `[v6]:port`, `name:port` or `unix:/path`; null when it is none of them or the port
 * is not 1–65535. Hosts come out in lower case, IPv6 in its short canonical form.
 */
export function parseServerAddress(text: string): ServerAddress | null {
  const unix = parseUnix(text);
  if (unix !== null) return unix;
  const parts = splitHostPort(text);
  if (parts === null || parts.port === 0 || parts.host === '') return null;
  const ip = parts.isBracketed ? parseIpv6(parts.host) : parseIpv4(parts.host);
  if (ip !== null) return { kind: 'ip', host: formatIp(ip), port: parts.port };
  if (parts.isBracketed || !isHostName(parts.host)) return null;
  return { kind: 'name', host: parts.host.toLowerCase().replace(/\.$/, ''), port: parts.port };
}

/**
 * Reads `:port` (IPv4 and IPv6), `ip:port`, `[v6]:port`, `localhost:port` (127.0.0.1) or `unix:/path`;
 * null when it is none of them. Port 0 is allowed: the system then chooses one.
 */
export function parseListenAddress(text: string): ListenAddress | null {
  const unix = parseUnix(text);
  if (unix !== null) return unix;
  const parts = splitHostPort(text);
  if (parts === null) return null;
  if (parts.host === '' && !parts.isBracketed) return { kind: 'any', port: parts.port };
  if (parts.host.toLowerCase() === 'localhost' && !parts.isBracketed) {
    return { kind: 'ip', host: '127.0.0.1', port: parts.port };
  }
  const ip = parts.isBracketed ? parseIpv6(parts.host) : parseIpv4(parts.host);
  return ip === null ? null : { kind: 'ip', host: formatIp(ip), port: parts.port };
}

/** Do two sockets want the same port on the same addresses? Port 0 never collides. */
export function doCollide(a: ListenAddress, b: ListenAddress): boolean {
  if (a.kind === 'unix' || b.kind === 'unix') {
    return a.kind === 'unix' && b.kind === 'unix' && a.path === b.path;
  }
  if (a.port !== b.port || a.port === 0) return false;
  if (a.kind === 'any' || b.kind === 'any') return true;
  if (a.host.includes(':') !== b.host.includes(':')) return false;
  return a.host === b.host || [a.host, b.host].some((host) => host === '0.0.0.0' || host === '::');
}

/**
 * Reads an IP or CIDR and writes it back with its prefix and host bits cleared: `10.1.2.3/8` →
 * `10.0.0.0/8`, `::1` → `::1/128`. Null when it is neither.
 */
export function canonicalCidr(text: string): string | null {
  const match = /^([^/]{1,64})(?:\/(\d{1,3}))?$/.exec(text);
  if (match === null) return null;
  const ip = parseIp(match[1] ?? '');
  if (ip === null) return null;
  const bits = match[2] === undefined ? ip.length * 8 : Number(match[2]);
  if (bits > ip.length * 8) return null;
  const masked = ip.map(
    (byte, index) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - index * 8))),
  );
  return `${formatIp(masked)}/${bits}`;
}

/** Bytes of an IPv4 (4) or IPv6 (16) address, or null. No zones, no leading zeros in IPv4. */
export function parseIp(text: string): number[] | null {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** Is it a DNS name (RFC 1123 letters, digits, hyphens; underscores as container tools use them)? */
export function isHostName(text: string): boolean {
  if (text.length > 253 || /^[\d.]+$/.test(text)) return false;
  const labels = text.replace(/\.$/, '').split('.');
  return labels.every((label) => /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label));
}

function parseUnix(text: string): { kind: 'unix'; path: string } | null {
  if (!text.startsWith('unix:/')) return null;
  const path = text.slice('unix:'.length);
  const isTooLong = new TextEncoder().encode(path).length > unixPathBytesMax;
  return isTooLong || /\p{Cc}/u.test(path) || path === '/' ? null : { kind: 'unix', path };
}

interface HostPort {
  readonly host: string;
  readonly port: number;
  readonly isBracketed: boolean;
}

function splitHostPort(text: string): HostPort | null {
  const match = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([^[\]:/\s]{0,253})):(\d{1,5})$/.exec(text);
  if (match === null) return null;
  const port = Number(match[3]);
  if (port > 65_535) return null;
  const isBracketed = match[1] !== undefined;
  return { host: match[1] ?? match[2] ?? '', port, isBracketed };
}

function parseIpv4(text: string): number[] | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return null;
  const parts = match.slice(1);
  // A leading zero means octal to some readers and decimal to others.
  if (parts.some((part) => Number(part) > 255 || (part.length > 1 && part.startsWith('0')))) {
    return null;
  }
  return parts.map(Number);
}

function parseIpv6(text: string): number[] | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const front = ipv6Groups(halves[0] ?? '', halves.length === 1);
  const back = halves.length === 2 ? ipv6Groups(halves[1] ?? '', true) : [];
  if (front === null || back === null) return null;
  const missing = 16 - front.length - back.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return null;
  return [...front, ...new Array<number>(missing).fill(0), ...back];
}

function ipv6Groups(text: string, mayEndInIpv4: boolean): number[] | null {
  if (text === '') return [];
  const groups = text.split(':');
  const bytes: number[] = [];
  for (const [index, group] of groups.entries()) {
    if (group.includes('.')) {
      const ipv4 = mayEndInIpv4 && index === groups.length - 1 ? parseIpv4(group) : null;
      if (ipv4 === null) return null;
      bytes.push(...ipv4);
      continue;
    }
    if (!/^[0-9A-Fa-f]{1,4}$/.test(group)) return null;
    const value = Number.parseInt(group, 16);
    bytes.push(value >> 8, value & 255);
  }
  return bytes;
}

/** Text of an address; IPv6 as RFC 5952 §4 asks (lower case, longest run of zeros as `::`). */
function formatIp(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from(
    { length: 8 },
    (_, index) => ((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0),
  );
  let runStart = -1;
  let runLength = 1;
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > runLength) {
      runStart = start;
      runLength = length;
    }
  }
  const words = (part: readonly number[]): string => part.map((g) => g.toString(16)).join(':');
  if (runStart < 0) return words(groups);
  return `${words(groups.slice(0, runStart))}::${words(groups.slice(runStart + runLength))}`;
}
