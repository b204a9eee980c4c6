import { percent, time } from './report-table.ts';
import type { RunResult } from './run.ts';
import type { Scenario } from './scenario.ts';
import type { CoursePoint } from './tally.ts';

const WIDTH = 960;
const LEFT = 70;
const RIGHT = 20;
const PANEL = 190;
const GAP = 62;
/** Above the first panel, with one line that says what happens. */
const TOP = 114;
const LINE = 17;
/** Letters in a line of text over the whole width. */
const LETTERS = 135;
/** Told apart by people with any sight: Okabe and Ito, "Color universal design" (2008). */
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', '#000000'];
const BARS_MAX = 64;

/** The simulation as a picture: p99 and failures over time, and each server's share, by policy. */
export function simulationSvg(
  scenario: Scenario,
  seed: number,
  results: readonly RunResult[],
): string {
  const says = wrapped(scenario.says);
  const top = TOP + (says.length - 1) * LINE;
  const height = top + 3 * (PANEL + GAP) - GAP / 2;
  const panels = [top, top + PANEL + GAP];
  const body = [
    text(LEFT, 26, scenario.name, 'title'),
    ...says.map((line, at) => text(LEFT, 46 + at * LINE, line)),
    text(
      LEFT,
      top - 50,
      `${scenario.servers.length} servers, seed ${seed}; p99 over the whole run:`,
      'axis',
    ),
    ...legend(results, top - 40),
    ...panels.flatMap((panel) => eventMarks(scenario, panel)),
    ...latencyPanel(scenario, results, panels[0]!),
    ...failurePanel(scenario, results, panels[1]!),
    ...sharePanel(results, top + 2 * (PANEL + GAP)),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    '<style>.title{font-size:15px;font-weight:bold}.axis{fill:#555}.grid{stroke:#ddd}.event{stroke:#999;stroke-dasharray:3 3}.line{fill:none;stroke-width:1.8}</style>',
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    ...body,
    '</svg>',
    '',
  ].join('\n');
}

/** Lines of whole words. */
function wrapped(says: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of says.split(' ')) {
    if (line !== '' && line.length + word.length >= LETTERS) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** A line where something happens or ends; of what comes again and again only the beginning. */
function eventMarks({ events, durationUs }: Scenario, top: number): string[] {
  const times = events.flatMap(({ atUs, forUs, everyUs }) =>
    everyUs < durationUs ? [atUs] : [atUs, atUs + forUs],
  );
  return [...new Set(times)]
    .filter((atUs) => atUs > 0 && atUs < durationUs)
    .map((atUs) => {
      const left = round(x(atUs, durationUs));
      return `<line class="event" x1="${left}" x2="${left}" y1="${top}" y2="${top + PANEL}"/>`;
    });
}

/** What lies within the run: what clients still waited for at its end is no course any more. */
function courseOf({ course }: RunResult, durationUs: number): readonly CoursePoint[] {
  return course.filter(({ atUs }) => atUs < durationUs);
}

function legend(results: readonly RunResult[], top: number): string[] {
  let x = LEFT;
  return results.flatMap(({ policy, p99Us }, index) => {
    const label = `${policy} ${time(p99Us)}`;
    const at = x;
    x += 32 + label.length * 7;
    return [
      `<rect x="${at}" y="${top}" width="12" height="12" fill="${colorOf(index)}"/>`,
      text(at + 17, top + 11, label),
    ];
  });
}

function latencyPanel(
  { durationUs }: Scenario,
  results: readonly RunResult[],
  top: number,
): string[] {
  const all = results
    .flatMap((result) => courseOf(result, durationUs).map(({ p99Us }) => p99Us))
    .filter((us) => us > 0);
  const low = 10 ** Math.floor(Math.log10(all.reduce((a, b) => Math.min(a, b), 1e6)));
  const high = 10 ** Math.ceil(Math.log10(all.reduce((a, b) => Math.max(a, b), low * 10)));
  const y = (us: number): number =>
    top + PANEL * (1 - Math.log(Math.max(us, low) / low) / Math.log(high / low));
  const grid: string[] = [];
  for (let us = low; us <= high * 1.01; us *= 10) grid.push(...rule(y(us), time(us)));
  return [
    text(LEFT, top - 8, 'p99 of each stretch of time'),
    ...grid,
    ...timeAxis(durationUs, top),
    ...results.map((result, index) =>
      line(
        courseOf(result, durationUs)
          .filter(({ p99Us }) => p99Us > 0)
          .map(({ atUs, p99Us }) => [x(atUs, durationUs), y(p99Us)]),
        index,
      ),
    ),
  ];
}

function failurePanel(
  { durationUs }: Scenario,
  results: readonly RunResult[],
  top: number,
): string[] {
  const ratio = ({ requests, failures }: { requests: number; failures: number }): number =>
    requests === 0 ? 0 : failures / requests;
  const all = results.flatMap((result) => courseOf(result, durationUs).map(ratio));
  const high = all.reduce((a, b) => Math.max(a, b), 0.01);
  const y = (value: number): number => top + PANEL * (1 - value / high);
  return [
    text(LEFT, top - 8, 'share of requests that failed'),
    ...[0, high / 2, high].flatMap((value) => rule(y(value), percent(value))),
    ...timeAxis(durationUs, top),
    ...results.map((result, index) =>
      line(
        courseOf(result, durationUs).map((point) => [x(point.atUs, durationUs), y(ratio(point))]),
        index,
      ),
    ),
  ];
}

function sharePanel(results: readonly RunResult[], top: number): string[] {
  const count = Math.min(BARS_MAX, results[0]?.servers.length ?? 0);
  const shown = results.map(({ servers }) => servers.slice(0, count));
  const high = shown.flat().reduce((most, { share }) => Math.max(most, share), 0.001);
  const groupWidth = (WIDTH - LEFT - RIGHT) / Math.max(1, count);
  const barWidth = (groupWidth * 0.8) / Math.max(1, results.length);
  const bars = shown.flatMap((servers, index) =>
    servers.map(({ share, address }, at) => {
      const barHeight = (PANEL * share) / high;
      const left = LEFT + at * groupWidth + groupWidth * 0.1 + index * barWidth;
      const tip = `<title>${escaped(address)}: ${percent(share)}</title>`;
      return `<rect x="${round(left)}" y="${round(top + PANEL - barHeight)}" width="${round(barWidth)}" height="${round(barHeight)}" fill="${colorOf(index)}">${tip}</rect>`;
    }),
  );
  const names = (shown[0] ?? []).map(({ address }, at) =>
    count <= 12 ? text(LEFT + (at + 0.1) * groupWidth, top + PANEL + 16, address, 'axis') : '',
  );
  return [
    text(LEFT, top - 8, `share of each server${count === BARS_MAX ? ` (the first ${count})` : ''}`),
    ...[0, high].flatMap((value) => rule(top + PANEL * (1 - value / high), percent(value))),
    ...bars,
    ...names.filter((name) => name !== ''),
  ];
}

function timeAxis(durationUs: number, top: number): string[] {
  return Array.from({ length: 7 }, (_, step) => {
    const atUs = (durationUs * step) / 6;
    const label = `${Math.round(atUs / 1e6)} s`;
    return text(x(atUs, durationUs) - (step === 6 ? 24 : 0), top + PANEL + 16, label, 'axis');
  });
}

function rule(y: number, label: string): string[] {
  return [
    `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${round(y)}" y2="${round(y)}"/>`,
    text(4, y + 4, label, 'axis'),
  ];
}

function line(points: readonly (readonly [number, number])[], index: number): string {
  const path = points.map(([left, top]) => `${round(left)},${round(top)}`).join(' ');
  return `<polyline class="line" stroke="${colorOf(index)}" points="${path}"/>`;
}

function x(atUs: number, durationUs: number): number {
  return LEFT + ((WIDTH - LEFT - RIGHT) * Math.min(atUs, durationUs)) / durationUs;
}

function text(left: number, top: number, what: string, kind = ''): string {
  const style = kind === '' ? '' : ` class="${kind}"`;
  return `<text x="${round(left)}" y="${round(top)}"${style}>${escaped(what)}</text>`;
}

function escaped(what: string): string {
  return what.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

function colorOf(index: number): string {
  return COLORS[index % COLORS.length]!;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
