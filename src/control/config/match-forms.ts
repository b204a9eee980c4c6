import { isHostName, parseIp } from './address.ts';
import type { Form } from './forms.ts';
import { nearest } from './suggest.ts';

/** A host to match. Value: lower case, without the trailing dot. */
export const hostPattern: Form = {
  name: 'host pattern',
  says: 'a host such as api.example.com or *.example.com, without a port',
  pattern: '^(\\[[0-9A-Fa-f:.]+\\]|(\\*\\.)?[A-Za-z0-9._-]{1,253})$',
  read(written) {
    const host = written.toLowerCase().replace(/\.$/, '');
    const bare = host.startsWith('*.') ? host.slice(2) : host;
    const isIp = parseIp(host) !== null && !host.includes(':');
    const isIpv6 = /^\[.*\]$/.test(host) && parseIp(host.slice(1, -1))?.length === 16;
    if (isHostName(bare) || isIp || isIpv6) return { value: host };
    const withoutExtras = bare.replace(/^https?:\/\//, '').replace(/[:/].*$/, '');
    if (withoutExtras !== bare && isHostName(withoutExtras)) return { suggestion: withoutExtras };
    const suffix = host.replace(/^\.+/, '');
    return { suggestion: host.startsWith('.') && isHostName(suffix) ? `*.${suffix}` : null };
  },
};

/**
 * A path to match, in canonical form, since it is compared with canonical paths. Value: as written,
 * with the hex digits of escapes in upper case.
 */
export const pathPattern: Form = {
  name: 'path pattern',
  says: 'a path such as /login or /v1/*, in canonical form, with * only as its last segment',
  pattern: '^/[!-~]*$',
  read(written) {
    // A query or fragment is no part of the path; the match would never be true.
    if (!/^\/[!-~]*$/.test(written) || /[?#]/.test(written)) {
      const near = written.replace(/[?#].*$/, '');
      const path = near.startsWith('/') ? near : `/${near}`;
      return { suggestion: /^\/[!-~]+$/.test(path) ? path : null };
    }
    const withoutEnd = written.endsWith('/*') ? written.slice(0, -1) : written;
    if (withoutEnd.includes('*')) {
      const isGlued = /^[^*]*[^*/]\*$/.test(written);
      return { suggestion: isGlued ? `${written.slice(0, -1)}/*` : null };
    }
    const canonical = canonicalPath(written);
    return canonical === null || canonical !== upperEscapes(written)
      ? { suggestion: canonical }
      : { value: canonical };
  },
};

function upperEscapes(path: string): string {
  return path.replace(/%[0-9a-f]{2}/gi, (written) => written.toUpperCase());
}

/** Unreserved escapes decoded, dot segments resolved; null for an escape that is none. Cost: linear. */
export function canonicalPath(path: string): string | null {
  if (/%(?![0-9A-Fa-f]{2})/.test(path)) return null;
  const decoded = upperEscapes(path).replace(/%([0-9A-F]{2})/g, (whole, hex: string) => {
    const char = String.fromCharCode(Number.parseInt(hex, 16));
    return /[A-Za-z0-9._~-]/.test(char) ? char : whole;
  });
  const out: string[] = [];
  const segments = decoded.split('/').slice(1);
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (segment === '..') out.pop();
    if (segment !== '.' && segment !== '..') out.push(segment);
    else if (isLast) out.push('');
  }
  return `/${out.join('/')}`;
}

/** A method token (RFC 9110 §5.6.2). Value: upper case as written; lower case is refused. */
export const method: Form = {
  name: 'method',
  says: 'a method in upper case, such as GET or POST',
  pattern: "^[A-Z0-9!#$%&'*+.^_`|~-]{1,32}$",
  read(written) {
    if (/^[A-Z0-9!#$%&'*+.^_`|~-]{1,32}$/.test(written)) return { value: written };
    // Methods are case-sensitive: `get` would never match a request of any usual client.
    return { suggestion: /^[A-Za-z]{1,32}$/.test(written) ? written.toUpperCase() : null };
  },
};

/** A path that a probe asks for, with its query if any. Value: as written. */
export const probePath: Form = {
  name: 'probe path',
  says: 'a path that starts with a slash, such as /healthz',
  pattern: '^/[!-~]{0,2047}$',
  read(written) {
    if (/^\/[!-~]{0,2047}$/.test(written) && !written.includes('#')) return { value: written };
    return { suggestion: /^[A-Za-z0-9][\w./-]*$/.test(written) ? `/${written}` : null };
  },
};

/** Where access-log lines go. Value: a `LogTarget`. */
export const logTarget: Form = {
  name: 'log target',
  says: 'stdout, stderr, off or the path of a file with a slash in it',
  pattern: '^(stdout|stderr|off|[^/]*/.+)$',
  read(written) {
    if (written === 'stdout' || written === 'stderr' || written === 'off') {
      return { value: { kind: written } };
    }
    // Without the slash a misspelt `stdout` would be a file of that name.
    if (/^[^/]*\/./.test(written) && !/\p{Cc}/u.test(written)) {
      return { value: { kind: 'file', path: written } };
    }
    if (/^(false|no|none|never)$/i.test(written)) return { suggestion: 'off' };
    if (written === '-' || /^st.*out$/i.test(written)) return { suggestion: 'stdout' };
    if (/^[\w.-]+\.\w+$/.test(written)) return { suggestion: `./${written}` };
    return { suggestion: nearest(written, ['stdout', 'stderr', 'off']) };
  },
};
