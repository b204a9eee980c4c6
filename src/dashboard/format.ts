/** How figures are written for people: short, and of one width where they change. */

const THIN = '\u202f';

/** 1234567 → `1.23 M`. */
export function count(value: number): string {
  if (value < 10_000) return grouped(Math.round(value));
  const units = ['k', 'M', 'G', 'T'];
  let scaled = value;
  let unit = -1;
  while (scaled >= 1_000 && unit < units.length - 1) {
    scaled /= 1_000;
    unit++;
  }
  return `${scaled.toPrecision(3)}${THIN}${units[unit]}`;
}

/** A rate: one decimal below ten. */
export function rate(value: number): string {
  return value > 0 && value < 10 ? value.toFixed(1) : count(value);
}

/** µs → `850 µs`, `12.4 ms`, `1.20 s`; null and -1 → `–`. */
export function microseconds(us: number | null): string {
  if (us === null || us < 0) return '–';
  if (us < 1_000) return `${Math.round(us)}${THIN}µs`;
  if (us < 1_000_000) return `${(us / 1_000).toPrecision(3)}${THIN}ms`;
  return `${(us / 1_000_000).toPrecision(3)}${THIN}s`;
}

/** A share of 1 in percent; small ones keep a decimal or two. */
export function percent(share: number): string {
  const value = share * 100;
  if (value === 0) return `0${THIN}%`;
  if (value < 0.1) return `<0.1${THIN}%`;
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)}${THIN}%`;
}

/** `12 s`, `3 min`, `2 h`, `5 d`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 90) return `${seconds}${THIN}s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)}${THIN}min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)}${THIN}h`;
  return `${Math.round(seconds / 86_400)}${THIN}d`;
}

/** Bytes per second and the like. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let scaled = value;
  let unit = 0;
  while (scaled >= 1_024 && unit < units.length - 1) {
    scaled /= 1_024;
    unit++;
  }
  return `${unit === 0 || scaled >= 100 ? scaled.toFixed(0) : scaled.toPrecision(3)}${THIN}${units[unit]}`;
}

/** Time of day with seconds. */
export function clock(ms: number): string {
  const date = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Time of day on an axis: without seconds where these are whole minutes apart, with the day at midnight. */
export function axisTime(ms: number, stepMs: number): string {
  const date = new Date(ms);
  if (stepMs < 60_000) return clock(ms);
  const isMidnight = date.getHours() === 0 && date.getMinutes() === 0;
  return isMidnight ? `${date.getDate()}.${date.getMonth() + 1}.` : clock(ms).slice(0, 5);
}

function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, THIN);
}
