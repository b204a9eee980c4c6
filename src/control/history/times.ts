/** How a time is written where history is asked. Ends the sentence `must be …`. */
export const timeSays =
  'a time such as 2026-11-21, 2026-11-21T06:00:00Z, 1h or 7d (ago), now, or ms of the epoch';

const unitMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Reads a time; null when it is none. Without a zone it is UTC. */
export function readTime(written: string, nowMs: number): number | null {
  if (written === 'now') return nowMs;
  const ago = /^-?(\d{1,6})([smhdw])$/.exec(written);
  if (ago !== null) return nowMs - Number(ago[1]) * (unitMs[ago[2] ?? ''] ?? 0);
  if (/^\d{12,14}$/.test(written)) return Number(written);
  const iso = /^(\d{4}-\d{2})(-\d{2})?(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?)?(Z|[+-]\d{2}:\d{2})?$/;
  const match = iso.exec(written);
  if (match === null || (match[3] === undefined && match[6] !== undefined)) return null;
  const [, month, day = '-01', time = 'T00:00', , , zone = 'Z'] = match;
  const ms = Date.parse(`${month}${day}${time}${zone}`);
  return Number.isNaN(ms) ? null : ms;
}

/** Reads a length such as `10s`, `5m`, `1h`, `1d`; null when it is none. */
export function readLength(written: string): number | null {
  const match = /^(\d{1,6})([smhdw])$/.exec(written);
  return match === null ? null : Number(match[1]) * (unitMs[match[2] ?? ''] ?? 0);
}

/** How a growth is written. Ends the sentence `must be …`. */
export const growthSays = 'a factor from 0.1x to 100x such as 2x, or a percentage such as +50%';

/** Reads `2x` or `+50%` as a factor; null when it is none. */
export function readGrowth(written: string): number | null {
  const factor = /^(\d{1,3}(?:\.\d{1,3})?)x?$/.exec(written);
  const percent = /^\s?([+-]?\d{1,4}(?:\.\d{1,3})?)%$/.exec(written);
  if (factor === null && percent === null) return null;
  const value = factor === null ? 1 + Number(percent?.[1]) / 100 : Number(factor[1]);
  return value >= 0.1 && value <= 100 ? value : null;
}

/** Reads a time as the end of what it names: `2027-03` is the last moment of March. */
export function readEnd(written: string, nowMs: number): number | null {
  const startMs = readTime(written, nowMs);
  if (startMs === null || written === 'now') return startMs;
  const start = new Date(startMs);
  if (/^\d{4}-\d{2}$/.test(written)) return start.setUTCMonth(start.getUTCMonth() + 1) - 1;
  return /^\d{4}-\d{2}-\d{2}$/.test(written) ? startMs + 86_400_000 - 1 : startMs;
}
