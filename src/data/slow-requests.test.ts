import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeRun, get, ok } from './fake-run.ts';

test('the slowest request of a route is told once a second, with the id that its log line has', () => {
  const run = new FakeRun(1, { accessLog: true });
  const client = run.client();
  const ask = (ms: number): void => {
    client.receive(get);
    run.advance(ms);
    run.server(0).receive(ok);
  };
  for (const ms of [40, 30, 90, 20]) ask(ms);
  run.advance(1_000);
  const told = run.fake.messages.flatMap((message) =>
    message.type === 'slow' ? message.requests : [],
  );
  assert.equal(told.length, 1);
  assert.equal(told[0]?.route, 0);
  const slowest = run.log()[2];
  assert.equal(told[0]?.request, slowest?.['id']);
  assert.equal(told[0]?.us, Math.round(Number(slowest?.['totalMs']) * 1000));
});
