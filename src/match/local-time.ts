import type { TimeWindow } from '../model/conditions.ts';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** A window of local time, asked by the clock of the world. */
export class LocalWindow {
  readonly #window: TimeWindow;
  readonly #format: Intl.DateTimeFormat;
  #minute = -1;
  #isIn = false;

  /** Errors: throws for a zone that the engine does not know; the checker has refused it before. */
  constructor(window: TimeWindow) {
    this.#window = window;
    this.#format = localFormat(window.zone);
  }

  /** Is it inside at this time (ms since 1970)? Cost: worked out once a minute. */
  has(nowMs: number): boolean {
    const minute = Math.floor(nowMs / MINUTE_MS);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#isIn = this.#isInside(minute * MINUTE_MS);
    }
    return this.#isIn;
  }

  /** The local time, for people: `Sat 03:20`. */
  told(nowMs: number): string {
    return this.#format.format(nowMs);
  }

  #isInside(nowMs: number): boolean {
    const { days, fromMinute, toMinute } = this.#window;
    const [day = '', time = ''] = this.#format.format(nowMs).split(' ');
    const [hours, minutes] = time.split(':').map(Number);
    const minute = hours! * 60 + minutes!;
    const today = weekdays.indexOf(day.replace(',', ''));
    const isDay = (weekday: number): boolean => days.length === 0 || days.includes(weekday);
    const end = toMinute > fromMinute ? toMinute : toMinute + DAY_MINUTES;
    // A window across midnight belongs to the day on which it begins.
    return (
      (minute >= fromMinute && minute < end && isDay(today)) ||
      (minute + DAY_MINUTES < end && isDay((today + 6) % 7))
    );
  }
}

function localFormat(zone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
}

/** Does the engine know this zone? */
export function isTimeZone(zone: string): boolean {
  try {
    localFormat(zone);
    return true;
  } catch {
    // A RangeError: what is no zone.
    return false;
  }
}
