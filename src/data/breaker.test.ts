import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeSnapshot } from './fake-plane.ts';
import { brief, FakeRun, get, ok } from './fake-run.ts';

const breaker = { errorsRatio: 0.5, volumeMin: 20, windowMs: 10_000, openMs: 7_000, trials: 2 };

test('an open breaker answers 503 with a reason and when to come again; trials pass', () => {
  const [pool] = fakeSnapshot(1).pools;
  const run = new FakeRun(1, { accessLog: true, pools: [{ ...pool!, breaker }] });
  const { breaker: words } = run.fake.words;
  words[pool!.slot] = -1;
  const refused = run.client(get);
  assert.match(refused.text, /^HTTP\/1\.1 503 /);
  assert.match(refused.text, /\r\nRetry-After: 7\r\n/);
  assert.match(refused.text, /circuit-open: /);
  assert.equal(run.log()[0]?.['reason'], 'circuit-open');
  // One trial is left: it passes, the next request does not.
  words[pool!.slot] = 2;
  const trial = run.client(get);
  run.server(0).receive(ok);
  assert.equal(brief(trial.text), '200 OK|ok');
  assert.match(run.client(get).text, /circuit-open/);
  assert.equal(run.count('pool', 'withoutServer'), 2);
});
