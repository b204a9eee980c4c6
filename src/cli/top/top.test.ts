import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveShape, LiveTick } from '../../model/live.ts';
import { drawTop } from './draw.ts';
import { TopScreen } from './screen.ts';
import { sparkline } from './sparkline.ts';

const server = { weight: 1, isBackup: false, connectionsMax: 0, why: 'no probe', sinceMs: null };
const shape: LiveShape = {
  version: '1.2.3',
  startedAtMs: 0,
  pid: 7,
  driver: 'portable',
  file: null,
  configuration: 1,
  isDraining: false,
  reloadProblems: null,
  connectionsMax: 100,
  hasHistory: false,
  everyMs: 1_000,
  listeners: [{ name: 'web', address: ':80', protocol: 'http' }],
  routes: [],
  pools: [
    {
      name: 'web',
      policy: 'p2c',
      condition: 'degraded',
      why: '1 of 2 servers take traffic',
      servers: [
        { ...server, address: '10.0.0.1:80', state: 'up' },
        { ...server, address: '10.0.0.2:80', state: 'down', why: 'probe:\u001b[2J refused' },
      ],
    },
    {
      name: 'api',
      policy: 'first',
      condition: 'well',
      why: 'all 1 servers take traffic',
      servers: [{ ...server, address: '10.0.0.3:80', state: 'up' }],
    },
  ],
};
const tick = (spanMs: number): LiveTick => ({
  atMs: 60_000,
  spanMs,
  workers: [{ state: 'ready', busy: 0.25, restarts: 0 }],
  latencyUs: [1_000, 2_000, -1],
  listeners: [[4, 9, 300, 30, 0, 28, 0, 1, 1, 0, 5, 6]],
  routes: [],
  pools: [
    {
      totals: [250, 12.5, 3, 1, 25, 1, 0, 1_000, 2_000, 3_000],
      heat: [],
      servers: [
        [2, 200, 10, 4, 20, 0, 1_234, 45_678],
        [0, 50, 2.5, 9, 5, 1, -1, -1],
      ],
    },
    { totals: [50, 5, 0, 0, 5, 0, 0, 1, 1, 1], heat: [], servers: [[1, 50, 5, 0, 5, 0, 10, 10]] },
  ],
});

function screenOf(): TopScreen {
  const screen = new TopScreen();
  screen.on('shape', JSON.stringify(shape));
  screen.on('tick', JSON.stringify(tick(0)));
  screen.on('tick', JSON.stringify(tick(1_000)));
  return screen;
}

const names = (screen: TopScreen): string[] => screen.rows.map(({ name }) => name);

test('drawTop() without a terminal shows every server with its figures, and no escape of ours', () => {
  const text = drawTop(screenOf(), null).join('\n');
  assert.match(text, /^evenkeel 1\.2\.3, up 1 min 0 s; pid 7, driver portable$/m);
  assert.match(
    text,
    /^requests 30\/s +█.* failed 1\.0\/s {2}4xx 1\.0\/s {2}links 4 {2}busiest worker 25 %$/m,
  );
  assert.match(
    text,
    /^pool web: degraded, p2c, 12\.5\/s, 250 requests, 1 retries, 3 queued; 1 of 2/m,
  );
  assert.match(text, /^10\.0\.0\.1:80 +up +1 +2 +10 +200 +4 +1\.23 +46 +█ +no probe$/m);
  assert.match(text, /^10\.0\.0\.2:80 +down +1 +0 +2\.5 +50 +9 +– +– /m);
  assert.ok(!text.includes('\u001b'));
});

test('drawTop() fills a terminal exactly, cuts lines, and lets no server steer it', () => {
  const lines = drawTop(screenOf(), { columns: 60, rows: 24 });
  assert.equal(lines.length, 24);
  for (const line of lines) {
    const plain = line.replace(/\u001b\[\d+m/g, '');
    assert.ok(plain.length <= 60, plain);
    assert.doesNotMatch(plain, /\p{Cc}/u);
  }
  const wide = drawTop(screenOf(), { columns: 200, rows: 24 }).join('\n');
  assert.ok(!wide.includes('\u001b[2J'));
});

test('keys choose, sort, filter, and ask before they change anything', () => {
  const screen = screenOf();
  assert.deepEqual(names(screen), ['web/10.0.0.1:80', 'web/10.0.0.2:80', 'api/10.0.0.3:80']);
  screen.sorting = 'errors';
  assert.deepEqual(names(screen).slice(0, 2), ['web/10.0.0.2:80', 'web/10.0.0.1:80']);
  screen.sorting = 'server';
  assert.equal(screen.onKey('down', ''), null);
  assert.equal(screen.selected?.name, 'web/10.0.0.2:80');
  assert.equal(screen.onKey('d', 'd'), null);
  assert.match(
    drawTop(screen, { columns: 100, rows: 30 }).at(-1) ?? '',
    /drain web\/10\.0\.0\.2:80\? y/,
  );
  assert.equal(screen.onKey('n', 'n'), null);
  screen.onKey('r', 'r');
  assert.deepEqual(screen.onKey('y', 'y'), { op: 'ready', pool: 'web', address: '10.0.0.2:80' });
  for (const key of ['/', 'a', 'p', 'i', 'q']) screen.onKey(key, key);
  screen.onKey('backspace', '\u007f');
  screen.onKey('return', '\r');
  assert.deepEqual(names(screen), ['api/10.0.0.3:80']);
  assert.equal(screen.selected?.name, 'api/10.0.0.3:80');
  assert.equal(screen.onKey('q', 'q'), 'quit');
});

test('sparkline() goes from nought to the greatest value and stands right', () => {
  assert.equal(sparkline([0, 7, 14], 4), ' ▁▅█');
  assert.equal(sparkline([0, 0], 2), '▁▁');
  assert.equal(sparkline([9, 0, 1], 2), '▁█');
});
