import { isTimeZone } from '../../match/local-time.ts';
import { patternFault } from '../../match/pattern.ts';
import { canonicalCidr } from './address.ts';
import type { Form } from './forms.ts';
import { text } from './forms.ts';

/** Longest pattern: its compiled form grows with it. */
const patternLettersMax = 1_024;

/** A pattern in RE2's syntax. Value: as written. */
export const pattern: Form = {
  name: 'pattern',
  says: 'a regular expression in RE2 syntax of at most 1024 letters, such as ^/v[0-9]+/',
  pattern: '^[\\s\\S]{1,1024}$',
  read(written) {
    if (written === '' || written.length > patternLettersMax) return { suggestion: null };
    const fault = patternFault(written);
    if (fault === null) return { value: written };
    const requirement = `must be a regular expression in RE2 syntax (${fault})`;
    return { suggestion: null, requirement };
  },
};

/** A value to compare with; whole numbers may stand without quotes. Value: text. */
export const valueText: Form = {
  ...text('value', 'a text of at most 4096 letters', '^[\\s\\S]{0,4096}$'),
  numbers: [-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

/** The name of a header field to look for. Value: as written. */
export const headerName: Form = {
  name: 'header name',
  says: "the name of a header field; the host has its own key 'host'",
  pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$",
  read(written) {
    if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/.test(written)) return { suggestion: null };
    // The target's host may stand in its place, so only the canonical one is judged.
    return /^host$/i.test(written) ? { suggestion: null } : { value: written };
  },
};

/** The name of a query parameter, decoded. Value: as written. */
export const parameterName: Form = text(
  'parameter name',
  'the name of a query parameter, 1 to 256 letters, as it is when decoded',
  '^[\\s\\S]{1,256}$',
);

/** The name of a cookie. Value: as written. */
export const cookieName: Form = text(
  'cookie name',
  'the name of a cookie',
  "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$",
);

/** A media type or a family of them. Value: lower case. */
export const mediaType: Form = {
  name: 'media type',
  says: 'a media type without parameters, such as application/json or text/*',
  pattern: '^[A-Za-z0-9!#$&^_.+-]{1,127}/([A-Za-z0-9!#$&^_.+-]{1,127}|\\*)$',
  read(written) {
    if (/^[a-z0-9!#$&^_.+-]{1,127}\/([a-z0-9!#$&^_.+-]{1,127}|\*)$/i.test(written)) {
      return { value: written.toLowerCase() };
    }
    const bare = written.replace(/\s*;.*$/, '');
    return { suggestion: bare !== written && bare.includes('/') ? bare : null };
  },
};

/** Client addresses. Value: a range, or `file:` with the path of a list of ranges. */
export const clientRange: Form = {
  name: 'client range',
  says: 'a range such as 10.0.0.0/8, an address, or file:PATH of a list of them, one a line',
  pattern: '^(file:.+|[0-9A-Fa-f:.]+(/[0-9]{1,3})?)$',
  read(written) {
    if (/^file:[^\u0000-\u001f]+$/.test(written)) return { value: written };
    const range = canonicalCidr(written);
    if (range !== null) return { value: range };
    return { suggestion: /^[./\w-]+\.\w+$/.test(written) ? `file:${written}` : null };
  },
};

/** A country. Value: upper case. */
export const countryCode: Form = {
  name: 'country',
  says: 'the two letters of a country (ISO 3166-1), such as DE',
  pattern: '^[A-Za-z]{2}$',
  read: (written) =>
    /^[a-z]{2}$/i.test(written) ? { value: written.toUpperCase() } : { suggestion: null },
};

/** Number of an autonomous system. Value: its digits. */
export const autonomousSystem: Form = {
  name: 'AS number',
  says: 'the number of an autonomous system, such as 64496',
  pattern: '^(AS)?[0-9]{1,10}$',
  numbers: [1, 4_294_967_295],
  read(written) {
    const digits = /^(?:AS)?0*([1-9]\d{0,9})$/i.exec(written)?.[1];
    return digits === undefined || Number(digits) > 4_294_967_295
      ? { suggestion: null }
      : { value: digits };
  },
};

const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** A day of the week or a run of days. Value: numbers, 0 for Sunday. */
export const weekdays: Form = {
  name: 'days',
  says: 'a day or a run of days of the week, such as mon or mon-fri',
  pattern: '^(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?$',
  read(written) {
    const [first = '', last = first, more] = written.split('-');
    const from = dayNames.indexOf(first);
    const to = dayNames.indexOf(last);
    if (from < 0 || to < 0 || more !== undefined) {
      const near = written.toLowerCase().replace(/(mon|tue|wed|thu|fri|sat|sun)[a-z]*/g, '$1');
      return { suggestion: near !== written && isDays(near) ? near : null };
    }
    const count = ((to - from + 7) % 7) + 1;
    return { value: Array.from({ length: count }, (_, step) => (from + step) % 7) };
  },
};

function isDays(written: string): boolean {
  const days = written.split('-');
  return days.length <= 2 && days.every((day) => dayNames.includes(day));
}

/** A time of day. Value: minutes since midnight. */
export const timeOfDay: Form = {
  name: 'time of day',
  says: 'a time of day in quotes from "00:00" to "24:00", such as "08:30"',
  pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$',
  read(written) {
    const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$|^24:00$/.exec(written) ?? [];
    if (hours !== undefined) return { value: Number(hours) * 60 + Number(minutes) };
    if (written === '24:00') return { value: 1_440 };
    return { suggestion: /^\d:[0-5]\d$/.test(written) ? `0${written}` : null };
  },
};

/** A zone of local time. Value: as written. */
export const timeZone: Form = {
  name: 'time zone',
  says: 'the IANA name of a time zone, such as Europe/Berlin or UTC',
  pattern: '^[A-Za-z0-9_+/-]{1,64}$',
  read: (written) =>
    /^[A-Za-z0-9_+/-]{1,64}$/.test(written) && isTimeZone(written)
      ? { value: written }
      : { suggestion: null },
};

/** The path of a file. Value: as written. */
export const filePath: Form = text('file', 'the path of a file', '^[^\\u0000-\\u001f]{1,4096}$');
