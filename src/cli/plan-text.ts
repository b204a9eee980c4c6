import type { ForecastSaid, PoolPlan } from '../capacity/plan-pool.ts';
import type { PlanAnswer } from '../control/history/answer-plan.ts';

/** A plan for people, pool by pool: what is known, how sure it is, and what cannot be said. */
export function planText(answer: PlanAnswer): string {
  const asked = [
    ...(answer.untilMs === null ? [] : [`for ${dayText(answer.untilMs)}`]),
    ...(answer.growth === null ? [] : [`at ${numberText(answer.growth)} times the load`]),
  ];
  const title = `plan ${asked.length === 0 ? 'for the load of now' : asked.join(', ')}`;
  return `${[title, ...answer.pools.map(poolText)].join('\n\n')}\n`;
}

function poolText(plan: PoolPlan): string {
  const { pool, serversUp, now, peak } = plan;
  const rows: [string, string][] = [
    ['now', `${rateText(now.rate)}, ${numberText(now.concurrency)} at a time (Little's law)`],
    [
      'peak',
      peak === null ? 'no traffic yet' : `${rateText(peak.rate)} on ${momentText(peak.atMs)}`,
    ],
    ...serverRows(plan),
    ['needed', neededText(plan)],
    ...forecastRows(plan.forecast),
  ];
  const lines = rows.map(([name, text]) => `  ${name.padEnd(9)} ${text}`);
  return [`pool ${pool}, ${serversUp} servers in traffic`, ...lines].join('\n');
}

function serverRows({ server, usable, p99, headroomRatio }: PoolPlan): [string, string][] {
  if (!server.isKnown) {
    const least = server.atLeast > 0 ? `; it has answered ${rateText(server.atLeast)}` : '';
    return [['a server', `its limit is not known: ${server.why}${least}`]];
  }
  const { saturation, low, high, curve } = server;
  const rows: [string, string][] = [
    [
      'a server',
      `is busy all the time at ${rateText(saturation)} (${rateText(low)} to ${rateText(high)} in nine of ten cases): ` +
        `${numberText(curve.places)} at a time, ${numberText(curve.serviceMs)} ms each`,
    ],
  ];
  if (p99 !== null) {
    rows.push(['p99', `crosses ${numberText(p99.targetMs)} ms at ${rateText(p99.rate)} a server`]);
  }
  if (usable !== null) {
    const by = { load: 'its load', p99: 'p99', maxConnections: 'maxConnections' }[usable.limitedBy];
    rows.push(['shall get', `${rateText(usable.rate)} at most, limited by ${by}`]);
  }
  if (headroomRatio !== null) rows.push(['free now', `${(headroomRatio * 100).toFixed(0)} %`]);
  return rows;
}

function neededText({ wanted, whyNot }: PoolPlan): string {
  if (wanted === null) return whyNot ?? 'cannot be said';
  const { rate, servers, withOneLost, low, high } = wanted;
  const bounds = low === high ? '' : `, ${low} to ${high} in nine of ten cases`;
  return `${withOneLost} servers for ${rateText(rate)}: ${servers} carry it, one may be lost${bounds}`;
}

function forecastRows(forecast: ForecastSaid): [string, string][] {
  if (!forecast.isKnown) return [['forecast', `cannot forecast: ${forecast.why}`]];
  const { days, growthPerMonth, isGrowing, at, fullAtMs } = forecast;
  const growth = isGrowing
    ? `${growthPerMonth > 0 ? '+' : ''}${(growthPerMonth * 100).toFixed(1)} % a month`
    : 'no growth that can be told from chance';
  const rows: [string, string][] = [['forecast', `${growth}, from ${days} days`]];
  if (at !== null) {
    const bounds = `${rateText(at.low)} to ${rateText(at.high)}`;
    rows.push([
      '',
      `peak of ${rateText(at.rate)} by ${dayText(at.atMs)} (${bounds} in nine of ten)`,
    ]);
  }
  if (fullAtMs !== null)
    rows.push(['', `too little, one server lost, from ${dayText(fullAtMs)} on`]);
  return rows;
}

/** `12.3/s`. */
export function rateText(rate: number): string {
  return `${numberText(rate)}/s`;
}

/** Three digits that count. */
export function numberText(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return String(Number(value.toFixed(Math.min(digits, 6))));
}

/** `2026-11-21 06:00 UTC`. */
export function momentText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function dayText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
