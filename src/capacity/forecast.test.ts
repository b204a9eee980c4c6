import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../base/prng.ts';
import { forecastOf, peakAt, type RatePoint, whenAbove } from './forecast.ts';

const DAY_MS = 86_400_000;
/** A Monday. */
const startMs = Date.UTC(2026, 8, 7);

/** Rates by hour; weekends have 60 %, each day grows by `growth` of the first, with some chance. */
function rates(days: number, growth: number, seed = 1): RatePoint[] {
  const random = createRandom(seed);
  const points: RatePoint[] = [];
  for (let day = 0; day < days; day++) {
    const weekday = day % 7 >= 5 ? 0.6 : 1;
    const peak = 100 * (1 + growth * day) * weekday * (0.97 + 0.06 * random());
    for (let hour = 1; hour <= 24; hour++) {
      const rate = peak * (0.4 + 0.6 * Math.sin((Math.PI * hour) / 24));
      points.push({ atMs: startMs + day * DAY_MS + hour * 3_600_000, spanMs: 3_600_000, rate });
    }
  }
  return points;
}

test('forecastOf() finds growth and the season of the week, and carries both on', () => {
  const forecast = forecastOf(rates(42, 0.01));
  assert.ok(forecast.isKnown);
  assert.equal(forecast.days, 42);
  assert.ok(forecast.isGrowing);
  // Sunday first: weekends have 60 % of the other days.
  const ratio = forecast.weekday[0]! / forecast.weekday[3]!;
  assert.ok(Math.abs(ratio - 0.6) < 0.03, `${ratio}`);
  // 60 days after the start a working day peaks at 100 × (1 + 0.6) = 160, less what the third highest hour is lower.
  const ahead = peakAt(forecast, startMs + 60 * DAY_MS);
  assert.ok('rate' in ahead);
  assert.ok(Math.abs(ahead.rate - 158) < 9, `${ahead.rate}`);
  assert.ok(ahead.low < ahead.rate && ahead.high > ahead.rate);
  const whenMs = whenAbove(forecast, 180);
  const day = ((whenMs ?? 0) - startMs) / DAY_MS;
  assert.ok(day > 72 && day < 92, `${day}`);
});

test('forecastOf() does not take chance for growth', () => {
  let growing = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const forecast = forecastOf(rates(28, 0, seed));
    assert.ok(forecast.isKnown);
    if (forecast.isGrowing) growing++;
  }
  // One in ten by design.
  assert.ok(growing <= 5, `${growing} of 20`);
});

test('forecastOf() refuses less than two weeks, peakAt() more than the past can tell', () => {
  const short = forecastOf(rates(13, 0.01));
  assert.deepEqual(short, {
    isKnown: false,
    why: 'two weeks of whole days are required, there are 13 whole days',
  });
  assert.equal(forecastOf([]).isKnown, false);
  const forecast = forecastOf(rates(14, 0.01));
  assert.ok(forecast.isKnown);
  const far = peakAt(forecast, startMs + 200 * DAY_MS);
  assert.ok('why' in far);
  assert.match(far.why, /more than 14 days of history can tell: at most 56/);
  assert.equal(whenAbove(forecast, 1e6), null);
});
