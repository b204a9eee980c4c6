import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PoolHealthReport, ServerHealthReport } from '../control/report/health-report.ts';
import { healthText } from './health-text.ts';

const nowMs = 2_000_000;

const well: ServerHealthReport = {
  address: '10.0.0.1:80',
  state: 'up',
  takesTraffic: true,
  why: 'its probe http /healthz passes: status 200',
  sinceMs: null,
  next: null,
  traffic: { attempts: 200, failed: 0, medianMs: 5.2 },
  ejections: 0,
  weight: 1,
  weightFactor: 1,
  toldFactor: 1,
  slowStart: null,
  inFlight: 3,
  inFlightMax: null,
  probes: [],
  history: [],
  decisions: [],
};

const sick: ServerHealthReport = {
  ...well,
  address: '10.0.0.2:80',
  state: 'ejected',
  takesTraffic: false,
  why: '30% of its last 20 attempts failed, 0% at its peers (limit 10%); out for 60 s',
  sinceMs: nowMs - 12_000,
  next: 'it is back in 48 s and then has to prove itself',
  traffic: { attempts: 20, failed: 6, medianMs: null },
  ejections: 2,
  weightFactor: 0.75,
  slowStart: { factor: 0.1, wholeAtMs: nowMs + 90_000 },
  inFlight: 4,
  inFlightMax: 4,
  probes: [
    {
      probe: 'http /healthz',
      isUp: true,
      why: 'status 200',
      inARow: 30,
      nextAtMs: nowMs + 400,
      results: [{ atMs: nowMs - 600, isPass: true, reason: 'status 200', durationMs: 2 }],
    },
  ],
  history: [{ atMs: nowMs - 12_000, state: 'ejected', why: '30% failed\u001b[31m' }],
  decisions: [{ atMs: nowMs - 90_000, kind: 'spared', reason: 'spared as 1 of 5 are ejected' }],
};

const report: PoolHealthReport = {
  pool: 'web',
  atMs: nowMs,
  condition: 'degraded',
  why: '1 of 2 servers take traffic',
  next: null,
  load: {
    inFlight: 7,
    inFlightMax: null,
    waiting: 2,
    queueSize: 10,
    says: 'every place is taken, 2 of 10 places in the queue are taken: further requests wait',
  },
  breaker: [{ atMs: nowMs - 5_000, state: 'closed', why: '5 of 5 trials ended well' }],
  servers: [well, sick],
};

test('healthText() says in short who is out, why, since when and what comes next', () => {
  assert.equal(
    healthText(report, false),
    [
      'pool web is degraded: 1 of 2 servers take traffic',
      `  load      ${report.load.says}`,
      '  10.0.0.1:80  up: its probe http /healthz passes: status 200',
      `  10.0.0.2:80  OUT: ejected for 12 s: ${sick.why}`,
      '      it is back in 48 s and then has to prove itself',
      '',
    ].join('\n'),
  );
});

test('healthText() with --why shows traffic, probes, changes and what was spared', () => {
  const text = healthText({ ...report, condition: 'panic', servers: [sick] }, true);
  for (const line of [
    'pool web is in panic: 1 of 2 servers take traffic',
    '  circuit',
    '         5 s ago  closed: 5 of 5 trials ended well',
    '  next      it is back in 48 s and then has to prove itself',
    '  weight    10% of it now: slow start, all of it in 1 min 30 s',
    '  weight    75% of it, as its agent or program says',
    '  load      4 in flight, its limit is 4: it is full',
    '  traffic   20 attempts lately, 6 failed',
    '  ejections 2 lately: the next one lasts longer',
    '  probe     http /healthz: up, 30 passed in a row, next in 0.4 s',
    '         1 s ago  passed: status 200 (2 ms)',
    '        12 s ago  ejected: 30% failed?[31m',
    '    1 min 30 s ago  spared as 1 of 5 are ejected',
  ]) {
    assert.ok(text.split('\n').includes(line), `${line}\n${text}`);
  }
});
