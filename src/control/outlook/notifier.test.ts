import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../probe/manual-clock.ts';
import { Notifier } from './notifier.ts';

/** Lets promises settle. */
async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

test('notify() sends in order, tries again a few times, then gives up and says so', async () => {
  const clock = new ManualClock();
  const sent: unknown[] = [];
  const said: string[] = [];
  let isAway = true;
  const notifier = new Notifier({
    send: (_url, body) => {
      sent.push(body);
      return isAway ? Promise.reject(new Error('away')) : Promise.resolve();
    },
    clock,
    warn: (message) => said.push(message),
  });
  notifier.notify('http://hooks.test/secret', 1);
  notifier.notify('http://hooks.test/secret', 2);
  for (const ms of [1_000, 5_000, 25_000]) {
    await settled();
    clock.advance(ms);
  }
  isAway = false;
  await settled();
  // Four tries of the first, of which the last one meets a receiver that is back.
  assert.deepEqual(sent.slice(0, 4), [1, 1, 1, 1]);
  await settled();
  assert.deepEqual(sent.at(-1), 2);
  assert.ok(said.every((message) => !message.includes('secret')));
});
