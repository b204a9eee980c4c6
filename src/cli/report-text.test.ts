import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReportAnswer } from '../control/history/answer-report.ts';
import { numberText, planText } from './plan-text.ts';
import { reportHtml } from './report-html.ts';
import { reportText } from './report-text.ts';

const atMs = Date.UTC(2026, 10, 21, 6);
const report: ReportAnswer = {
  fromMs: atMs - 7_200_000,
  toMs: atMs,
  knownMs: 7_200_000,
  pools: [
    {
      name: 'web',
      requests: 72_000,
      meanRate: 10,
      peak: { rate: 25, atMs },
      peakToMean: 2.5,
      busiest: [
        { atMs, rate: 12, errorRatio: 0.02, p99Ms: 80.25, limitedBy: 'nothing: there was room' },
      ],
      errors: 36,
      budgetUsed: 0.5,
      successTarget: 0.999,
      servers: [{ name: '<a>:1', requests: 72_000, share: 1, errorRatio: 0.0005, p99Ms: 80 }],
      imbalance: null,
    },
  ],
  routes: [],
  hours: [
    [atMs - 3_600_000, 8],
    [atMs, 12],
  ],
};

test('reportText() says what was, in lines', () => {
  const text = reportText(report);
  assert.match(
    text,
    /^2026-11-21 04:00 UTC to 2026-11-21 06:00 UTC: history has 2 h 0 min of it$/m,
  );
  assert.match(text, /72000 requests, 10\/s on average, peak 25\/s on .*, 2\.5 times the mean/);
  assert.match(text, /36 errors; 50 % of the error budget \(99\.9 % shall succeed\)/);
  assert.match(text, /to 2026-11-21 06:00 UTC +12\/s +2\.0 % +80\.3 ms +nothing: there was room/);
  assert.match(text, /<a>:1 +100\.0 % +72000 +0\.050 % +80 ms/);
});

test('reportHtml() is one page that loads nothing and escapes names', () => {
  const page = reportHtml(report);
  assert.match(page, /^<!doctype html>/);
  assert.doesNotMatch(page, /<a>|src=|href=|<script/);
  assert.match(page, /&lt;a&gt;:1/);
  assert.match(page, /<svg .*role="img"/);
});

test('planText() says plainly what cannot be said', () => {
  const text = planText({
    nowMs: atMs,
    growth: null,
    untilMs: Date.UTC(2027, 3, 1) - 1,
    pools: [
      {
        pool: 'web',
        serversUp: 2,
        now: { rate: 12, concurrency: 0.6 },
        peak: { rate: 25, atMs },
        server: { isKnown: false, why: 'the load was flat', atLeast: 12.5 },
        usable: null,
        p99: null,
        headroomRatio: null,
        wanted: null,
        whyNot: 'Cannot forecast: two weeks are required',
        forecast: { isKnown: false, why: 'two weeks are required, there are 2.0 hours' },
      },
    ],
  });
  assert.match(text, /^plan for 2027-03-31$/m);
  assert.match(
    text,
    /a server +its limit is not known: the load was flat; it has answered 12\.5\/s/,
  );
  assert.match(text, /forecast +cannot forecast: two weeks are required, there are 2\.0 hours/);
});

test('numberText() has three digits that count', () => {
  assert.deepEqual([0, 1234.5, 99.96, 0.012345].map(numberText), ['0', '1235', '100', '0.0123']);
});
