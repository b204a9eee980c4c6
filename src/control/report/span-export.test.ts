import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../model/limits.ts';
import type { Span } from '../../model/spans.ts';
import type { SpanReceiver } from '../../platform/otlp.ts';
import { ManualClock } from '../probe/manual-clock.ts';
import { SpanExport } from './span-export.ts';

function spans(count: number): Span[] {
  return Array.from({ length: count }, (_, index) => ({ id: String(index) }) as Span);
}

/** An export to a receiver whose answers the test gives. */
async function start(): Promise<{
  readonly clock: ManualClock;
  readonly export: SpanExport;
  readonly sends: { readonly count: number; readonly done: (why: string | null) => void }[];
  readonly said: string[];
}> {
  const clock = new ManualClock();
  const sends: { count: number; done: (why: string | null) => void }[] = [];
  const said: string[] = [];
  const receiver: SpanReceiver = {
    send: ({ length }, done) => sends.push({ count: length, done }),
    close: () => Promise.resolve(),
  };
  const own = new SpanExport({
    clock,
    open: () => Promise.resolve(receiver),
    report: (message) => said.push(message),
  });
  await Promise.resolve();
  return { clock, export: own, sends, said };
}

test('a few spans leave after a second, many at once', async () => {
  const run = await start();
  run.export.add(spans(3), 0);
  assert.equal(run.sends.length, 0);
  run.clock.advance(1_000);
  assert.deepEqual(
    run.sends.map(({ count }) => count),
    [3],
  );
  run.sends[0]?.done(null);
  run.export.add(spans(600), 0);
  assert.deepEqual(
    run.sends.map(({ count }) => count),
    [3, 512, 88],
  );
  assert.deepEqual(run.export.status, { sent: 3, waiting: 0, dropped: 0, error: null });
});

test('a receiver that does not answer makes a bounded number wait, and the rest is counted', async () => {
  const run = await start();
  run.export.add(spans(1_024), 0);
  run.export.add(spans(limits.spansWaiting + 10), 5);
  assert.equal(run.sends.length, 2);
  assert.equal(run.export.status.waiting, limits.spansWaiting);
  assert.equal(run.export.status.dropped, 15);
});

test('a refused batch is dropped and counted, and said once', async () => {
  const run = await start();
  for (const why of ['no', 'still no', null]) {
    run.export.add(spans(512), 0);
    run.sends.at(-1)?.done(why);
  }
  assert.deepEqual(run.export.status, { sent: 512, waiting: 0, dropped: 1_024, error: null });
  assert.deepEqual(run.said, [
    'Cannot send spans as their receiver must take them: no',
    'spans are taken again, 1024 dropped so far',
  ]);
});

test('close() sends what waits, and waits for two seconds at most', async () => {
  const run = await start();
  run.export.add(spans(3), 0);
  let isClosed = false;
  const closed = run.export.close().then(() => {
    isClosed = true;
  });
  assert.equal(run.sends.length, 1);
  await Promise.resolve();
  assert.equal(isClosed, false);
  run.clock.advance(2_000);
  await closed;
  run.export.add(spans(2), 0);
  assert.equal(run.export.status.dropped, 2);
});
