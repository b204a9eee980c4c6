import {
  canonicalCidr,
  isHostName,
  parseIp,
  parseListenAddress,
  parseServerAddress,
} from './address.ts';
import { nearest } from './suggest.ts';

/** What reading a text gives: a value, or why not and what to write instead. */
export type FormResult =
  | { readonly value: unknown }
  | { readonly suggestion: string | null; readonly requirement?: string };

/** One way in which a scalar is written. Drives checker, schema and reference alike. */
export interface Form {
  /** Heading of the reference. */
  readonly name: string;
  /** Ends the sentence `must be …`. */
  readonly says: string;
  /** ECMAScript pattern for the JSON Schema: refuses nothing that `read` takes. */
  readonly pattern: string;
  /** The value is a secret and is never shown. */
  readonly isSecret?: boolean;
  /** Whole numbers from … to … are taken besides texts. */
  readonly numbers?: readonly [number, number];
  /** True and false are taken besides texts. */
  readonly hasFlags?: true;
  /** Those in between are taken as well. */
  readonly hasFractions?: true;
  /** Cost: linear in the text; the checker refuses texts above 4,096 letters before. */
  read(written: string): FormResult;
}

const no: FormResult = { suggestion: null };
const maybe = (suggestion: string | null): FormResult => ({ suggestion });

/** Any text of `lengthMin` to `lengthMax` UTF-16 units that the pattern allows. Value: string. */
export function text(name: string, says: string, pattern: string): Form {
  const regex = new RegExp(pattern);
  return {
    name,
    says,
    pattern,
    read: (written) => (regex.test(written) ? { value: written } : no),
  };
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Spellings that people try, with ours. */
const unitNear: Readonly<Record<string, string>> = {
  '': 's',
  msec: 'ms',
  msecs: 'ms',
  millis: 'ms',
  milliseconds: 'ms',
  millisecond: 'ms',
  sec: 's',
  secs: 's',
  second: 's',
  seconds: 's',
  min: 'm',
  mins: 'm',
  minute: 'm',
  minutes: 'm',
  hr: 'h',
  hrs: 'h',
  hour: 'h',
  hours: 'h',
};

/** A duration within a range, `500ms 2s 5m 1h`. Value: ms, whole. */
export function duration(least: string, most: string): Form {
  const range = [readDurationMs(least) ?? 0, readDurationMs(most) ?? 0] as const;
  return {
    name: 'duration',
    says: `a duration such as 500ms, 2s, 5m or 1h, from ${least} to ${most}`,
    pattern: '^[0-9]{1,12}(\\.[0-9]{1,3})?(ms|s|m|h)$',
    read(written) {
      const ms = readDurationMs(written);
      if (ms === null) return maybe(nearDuration(written));
      return ms >= range[0] && ms <= range[1] ? { value: ms } : no;
    },
  };
}

function readDurationMs(written: string): number | null {
  const match = /^(\d{1,12}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(written);
  if (match === null) return null;
  return Math.round(Number(match[1]) * (unitMs[match[2] ?? ''] ?? 0));
}

function nearDuration(written: string): string | null {
  const match = /^\s*(\d{1,9}(?:\.\d{1,3})?)\s*([a-z]{0,12})\s*$/i.exec(written);
  if (match === null) return null;
  const unit = (match[2] ?? '').toLowerCase();
  const ours = unit in unitMs ? unit : Object.hasOwn(unitNear, unit) ? unitNear[unit] : undefined;
  return ours === undefined ? null : `${match[1]}${ours}`;
}

const unitBytes: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** A size within a range, `64KiB 1MiB`. Value: bytes. */
export function size(least: string, most: string): Form {
  const range = [readSizeBytes(least) ?? 0, readSizeBytes(most) ?? 0] as const;
  return {
    name: 'size',
    says: `a size such as 64KiB or 1MiB, from ${least} to ${most}`,
    pattern: '^[0-9]{1,9}(B|KiB|MiB|GiB)$',
    read(written) {
      const bytes = readSizeBytes(written);
      if (bytes === null) return maybe(nearSize(written));
      return bytes >= range[0] && bytes <= range[1] ? { value: bytes } : no;
    },
  };
}

function readSizeBytes(written: string): number | null {
  const match = /^(\d{1,9})(B|KiB|MiB|GiB)$/.exec(written);
  return match === null ? null : Number(match[1]) * (unitBytes[match[2] ?? ''] ?? 0);
}

function nearSize(written: string): string | null {
  const match = /^\s*(\d{1,9})\s*([kmg]?)(i?b)?\s*$/i.exec(written);
  if (match === null) return null;
  const letter = (match[2] ?? '').toUpperCase();
  return `${match[1]}${letter === '' ? 'B' : `${letter}iB`}`;
}

/** A share of a whole, `20%`. Value: ratio 0–1. */
export const percentage: Form = {
  name: 'percentage',
  says: 'a percentage from 0% to 100%, such as 20%',
  pattern: '^[0-9]{1,3}(\\.[0-9]{1,3})?%$',
  read(written) {
    const match = /^(\d{1,3}(?:\.\d{1,3})?)(%?)$/.exec(written);
    if (match === null) return no;
    const percent = Number(match[1]);
    if (match[2] === '')
      return maybe(percent > 0 && percent < 1 ? `${percent * 100}%` : `${percent}%`);
    // Thousandths of a percent: 99.9 / 100 would not be 0.999.
    return percent <= 100 ? { value: Math.round(percent * 1_000) / 100_000 } : no;
  },
};

/** A number with a fraction from `least` to `most`, such as 1.4. Value: number. */
export function decimal(name: string, least: number, most: number): Form {
  return {
    name,
    says: `a number from ${least} to ${most}`,
    pattern: '^[0-9]{1,6}(\\.[0-9]{1,6})?$',
    numbers: [least, most],
    hasFractions: true,
    read(written) {
      const value = /^\d{1,6}(\.\d{1,6})?$/.test(written) ? Number(written) : Number.NaN;
      return value >= least && value <= most ? { value } : no;
    },
  };
}

/** When a cookie is for https alone. Value: `auto`, `always` or `never`. */
export const secure: Form = {
  name: 'secure',
  says: 'one of auto, true, false',
  pattern: '^(auto|true|false)$',
  hasFlags: true,
  read(written) {
    if (written === 'auto') return { value: 'auto' };
    if (written === 'true') return { value: 'always' };
    return written === 'false' ? { value: 'never' } : no;
  },
};

/** A zone, as a label says it. Value: the text as written. */
export const zone: Form = text('zone', 'a text of 1 to 256 letters', '^[\\s\\S]{1,256}$');

/** One status or a range of them. Value: `[first, last]`, inclusive. */
export const statusRange: Form = {
  name: 'status range',
  says: 'a status or a range of statuses from 100 to 599, such as 200 or 200-399',
  pattern: '^[1-5][0-9]{2}(-[1-5][0-9]{2})?$',
  numbers: [100, 599],
  read(written) {
    const match = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(written);
    if (match === null) {
      const near = /^([1-5])xx$/i.exec(written);
      return maybe(near === null ? null : `${near[1]}00-${near[1]}99`);
    }
    const range = [Number(match[1]), Number(match[2] ?? match[1])] as const;
    return range[0] <= range[1] ? { value: range } : maybe(`${range[1]}-${range[0]}`);
  },
};

/** What may be tried again. Value: `'connect'`, `'reset'`, `'timeout'` or a range of statuses `[first, last]`. */
export const retryCondition: Form = {
  name: 'retry condition',
  says: 'connect, reset, timeout, or a status from 400 to 599 such as 503, 500-504 or 5xx',
  pattern: '^(connect|reset|timeout|[45]([0-9]{2}(-[45][0-9]{2})?|xx))$',
  numbers: [400, 599],
  read(written) {
    if (/^(connect|reset|timeout)$/.test(written)) return { value: written };
    const whole = /^([45])xx$/.exec(written);
    if (whole !== null) return { value: [Number(whole[1]) * 100, Number(whole[1]) * 100 + 99] };
    const match = /^([45]\d\d)(?:-([45]\d\d))?$/.exec(written);
    if (match === null) return maybe(nearest(written, ['connect', 'reset', 'timeout']));
    const range = [Number(match[1]), Number(match[2] ?? match[1])] as const;
    return range[0] <= range[1] ? { value: range } : maybe(`${range[1]}-${range[0]}`);
  },
};

/** A name of a listener, route or pool. Value: string. */
export const name: Form = {
  name: 'name',
  says: 'a name of 1 to 63 letters a-z, digits and hyphens',
  pattern: '^[a-z0-9-]{1,63}$',
  read(written) {
    if (/^[a-z0-9-]{1,63}$/.test(written)) return { value: written };
    const near = written
      .toLowerCase()
      .replace(/[\s_.]+/g, '-')
      .replace(/[^a-z0-9-]/g, '');
    return maybe(near === '' || near.length > 63 ? null : near);
  },
};

/** What `hash` reads of a request. Value: `HashKey`. */
export const requestKey: Form = {
  name: 'request key',
  says: 'one of ip, path, header:NAME, cookie:NAME, query:NAME',
  pattern: "^(ip|path|(header|cookie|query):[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128})$",
  read(written) {
    if (written === 'ip' || written === 'path') return { value: { from: written, name: '' } };
    const match = /^(header|cookie|query):([A-Za-z0-9!#$%&'*+.^_`|~-]{1,128})$/.exec(written);
    if (match !== null) return { value: { from: match[1], name: match[2] } };
    return maybe(/^(address|client|source)/i.test(written) ? 'ip' : null);
  },
};

/** Where to listen. Value: the text as written. */
export const listenAddress: Form = {
  name: 'listen address',
  says: 'an address to listen on: ":8080", "0.0.0.0:8080", "[::]:8080" or "unix:/run/x.sock"',
  pattern: '^(unix:/.+|(\\[[0-9A-Fa-f:.]+\\]|[^\\[\\]:/\\s]*):[0-9]{1,5})$',
  read(written) {
    if (parseListenAddress(written) !== null) return { value: written };
    if (isPort(written)) return maybe(`:${written}`);
    if (written.startsWith('/')) return maybe(`unix:${written}`);
    const star = /^\*:(\d{1,5})$/.exec(written);
    if (star !== null) return maybe(`:${star[1]}`);
    return maybe(nearAddress(written, '8080'));
  },
};

/** Where to dial. Value: the text as written. */
export const serverAddress: Form = {
  name: 'server address',
  says: 'an address with a port: "10.0.0.1:3000", "[2001:db8::1]:3000", "app.internal:3000" or "unix:/run/app.sock"',
  pattern: '^(unix:/.+|(\\[[0-9A-Fa-f:.]+\\]|[^\\[\\]:/\\s]+):[0-9]{1,5})$',
  read(written) {
    if (parseServerAddress(written) !== null) return { value: written };
    if (isPort(written)) return maybe(`127.0.0.1:${written}`);
    if (/^:\d{1,5}$/.test(written) && isPort(written.slice(1))) return maybe(`127.0.0.1${written}`);
    if (written.startsWith('/')) return maybe(`unix:${written}`);
    return maybe(nearAddress(written, '80'));
  },
};

function isPort(written: string): boolean {
  return /^[1-9]\d{0,4}$/.test(written) && Number(written) <= 65_535;
}

/** Guesses for a URL, a missing port and an IPv6 address without brackets. */
function nearAddress(written: string, port: string): string | null {
  const url = /^(https?|tcp):\/\/([^/\s]+)\/?$/.exec(written);
  const bare = url === null ? written : (url[2] ?? '');
  const usualPort = url?.[1] === 'https' ? '443' : url?.[1] === 'http' ? '80' : port;
  if (url !== null && parseServerAddress(bare) !== null) return bare;
  const glued = /^([0-9A-Fa-f:]+):(\d{1,5})$/.exec(bare);
  if (glued?.[1]?.includes(':') && parseIp(glued[1]) !== null) return `[${glued[1]}]:${glued[2]}`;
  const v6 = bare.replace(/^\[(.*)\]$/, '$1');
  if (v6.includes(':') && parseIp(v6) !== null) return `[${v6}]:${usualPort}`;
  const isHost = parseIp(bare) !== null || isHostName(bare);
  return isHost ? `${bare}:${usualPort}` : null;
}

/** Where the admin API listens: `ip:port`. Value: the text as written. */
export const adminAddress: Form = {
  name: 'admin address',
  says: 'an IP address with a port, such as "127.0.0.1:9900"',
  pattern: '^(\\[[0-9A-Fa-f:.]+\\]|[^\\[\\]:/\\s]+):[0-9]{1,5}$',
  read(written) {
    const address = parseListenAddress(written);
    if (address?.kind === 'ip') return { value: written };
    // `:9900` would open the admin API to the network by leaving something out.
    if (address?.kind === 'any') return maybe(`127.0.0.1:${address.port}`);
    return maybe(isPort(written) ? `127.0.0.1:${written}` : nearAddress(written, '9900'));
  },
};

/** A trusted network. Value: CIDR with host bits cleared. */
export const cidr: Form = {
  name: 'network',
  says: 'an IP address or a network such as "10.0.0.0/8" or "2001:db8::/32"',
  pattern: '^[0-9A-Fa-f:.]{2,45}(/[0-9]{1,3})?$',
  read(written) {
    const canonical = canonicalCidr(written);
    return canonical === null ? no : { value: canonical };
  },
};
