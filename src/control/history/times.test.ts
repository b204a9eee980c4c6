import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEnd, readGrowth, readLength, readTime } from './times.ts';

const nowMs = Date.UTC(2026, 10, 21, 6);

test('readTime() reads dates, times, what lies back, and ms', () => {
  const rows: [string, number][] = [
    ['now', nowMs],
    ['-90m', nowMs - 5_400_000],
    ['90m', nowMs - 5_400_000],
    ['-7d', nowMs - 604_800_000],
    ['2026-11-20', Date.UTC(2026, 10, 20)],
    ['2027-03', Date.UTC(2027, 2, 1)],
    ['2026-11-20T12:30', Date.UTC(2026, 10, 20, 12, 30)],
    ['2026-11-20T12:30:15+02:00', Date.UTC(2026, 10, 20, 10, 30, 15)],
    ['1795240000000', 1_795_240_000_000],
  ];
  for (const [written, ms] of rows) assert.equal(readTime(written, nowMs), ms, written);
});

test('readTime() refuses what is no time', () => {
  for (const written of ['', 'yesterday', '2026-13-01', '1y', '2026-11-20Z', '12345']) {
    assert.equal(readTime(written, nowMs), null, written);
  }
});

test('readLength() reads lengths and nothing else', () => {
  assert.equal(readLength('10s'), 10_000);
  assert.equal(readLength('1d'), 86_400_000);
  assert.equal(readLength('10'), null);
  assert.equal(readLength('-1h'), null);
});

test('readGrowth() reads factors and percentages', () => {
  assert.deepEqual(['2x', '1.5', '+50%', '-20%'].map(readGrowth), [2, 1.5, 1.5, 0.8]);
  assert.deepEqual(['x', '0x', '200x', 'double'].map(readGrowth), [null, null, null, null]);
});

test('readEnd() is the end of the month or day that is named', () => {
  assert.equal(readEnd('2027-03', nowMs), Date.UTC(2027, 3, 1) - 1);
  assert.equal(readEnd('2027-03-05', nowMs), Date.UTC(2027, 2, 6) - 1);
});
