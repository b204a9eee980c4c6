import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleStatus } from '../control/admin/fake-control.ts';
import type { StatusReport } from '../control/report/status.ts';
import { statusText } from './status-text.ts';

const nowMs = sampleStatus.startedAtMs + 3_725_000;

test('statusText() shows pids, driver and why, listeners, and each server with its health', () => {
  const text = statusText(sampleStatus, nowMs, null);
  assert.match(text, /^evenkeel 0\.1\.0, up 1 h 2 min; pid 11, supervisor 10\n/);
  assert.match(text, /\ndriver portable: asked for\n/);
  assert.match(
    text,
    /\npool web: p2c, 1 of 1 servers up, 12\.5\/s, 100 requests, 1 retries, 2 in flight\n/,
  );
  assert.match(
    text,
    /\n10\.0\.0\.1:3000 {2}up +1 +2 +12\.5 +100 +0 +1\.20 +4\.50 {2}probe: status 200\n/,
  );
  assert.ok(!text.includes('\u001b'), 'no colours without a terminal');
});

test('statusText() fits the terminal, colours states, and lets nothing steer the terminal', () => {
  const [pool] = sampleStatus.pools;
  const [server] = pool?.servers ?? [];
  assert.ok(pool && server);
  const why = 'x\u001b[2Jy';
  const sick: StatusReport = {
    ...sampleStatus,
    pools: [{ ...pool, servers: [{ ...server, state: 'refusing', why }] }],
  };
  const narrow = statusText(sick, nowMs, 60);
  const plain = narrow.replace(/\u001b\[[0-9]+m/g, '');
  for (const line of plain.split('\n')) assert.ok(line.length <= 60, line);
  assert.ok(narrow.includes('\u001b[31mrefusing\u001b[0m'));
  assert.ok(statusText(sick, nowMs, null).includes('x?[2Jy'));
});

test('statusText() tells a refused reload with its problems', () => {
  const lastReload = { ok: false, atMs: nowMs - 5_000, problems: ['a.yaml:1:2: pools: x'] };
  const configuration = { ...sampleStatus.configuration, lastReload };
  const text = statusText({ ...sampleStatus, configuration }, nowMs, null);
  assert.match(text, /the last reload was refused 5 s ago:\n {2}a\.yaml:1:2: pools: x\n/);
});

test('statusText() says how many requests removed servers had', () => {
  const [pool] = sampleStatus.pools;
  assert.ok(pool);
  const removed = [{ address: '10.0.0.9:80', inFlight: 0, requests: 40, errors: 0 }];
  const text = statusText({ ...sampleStatus, pools: [{ ...pool, removed }] }, nowMs, null);
  assert.match(text, /, 100 requests, 40 of them at removed servers, 1 retries, 2 in flight\n/);
});

test('statusText() shows limits beside what they limit', () => {
  const [pool] = sampleStatus.pools;
  const [server] = pool?.servers ?? [];
  assert.ok(pool && server);
  const limited = { ...server, inFlight: 7, maxConnections: 10, pending: 3, maxPending: 5 };
  const full = { ...pool, inFlight: 7, queued: 20, load: 27, maxConnections: 9, queueSize: 50 };
  const pools = [{ ...full, servers: [limited] }];
  const text = statusText({ ...sampleStatus, pools }, nowMs, null);
  assert.match(text, /, 7\/9 in flight, 20\/50 queued\n/);
  assert.match(text, / up +1 +7\/10 \(3\/5 unanswered\) +12\.5 /);
});

test('statusText() tells of lost lines of the access log, and of nothing while none is lost', () => {
  assert.doesNotMatch(statusText(sampleStatus, nowMs, null), /access log/);
  const accessLog = { writtenBytes: 5, queuedBytes: 9, droppedLines: 12, error: 'ENOSPC' };
  const text = statusText({ ...sampleStatus, accessLog }, nowMs, null);
  assert.match(text, /\naccess log: 12 lines dropped, failing now: ENOSPC\n/);
});
