import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../base/prng.ts';
import { drawServiceUs, type ServiceTime } from './service-time.ts';
import { SimulatedClock, SimulatedThread } from './thread.ts';
import { Timeline } from './timeline.ts';

function runAll(timeline: Timeline): void {
  while (timeline.step(Number.POSITIVE_INFINITY));
}

test('Timeline fires in order of time, and of scheduling within one time', () => {
  const timeline = new Timeline();
  const random = createRandom(7);
  const fired: [number, number][] = [];
  for (let index = 0; index < 1000; index++) {
    timeline.call(Math.floor(random() * 50), () => fired.push([timeline.nowUs, index]));
  }
  runAll(timeline);
  assert.equal(fired.length, 1000);
  const sorted = [...fired].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  assert.deepEqual(fired, sorted);
});

test('a stalled thread takes what fell due meanwhile afterwards, in its order', () => {
  const timeline = new Timeline();
  const thread = new SimulatedThread(timeline);
  const clock = new SimulatedClock(thread);
  const seen: string[] = [];
  for (const ms of [5, 10, 15, 40]) {
    clock.after(ms, () => seen.push(`${ms} at ${clock.nowMs()}`));
  }
  timeline.call(7_000, () => thread.stall(20_000));
  runAll(timeline);
  assert.deepEqual(seen, ['5 at 5', '10 at 27', '15 at 27', '40 at 40']);
});

test('SimulatedClock: a jump of the wall clock leaves timers and nowMs() alone', () => {
  const timeline = new Timeline();
  const clock = new SimulatedClock(new SimulatedThread(timeline));
  const wallBefore = clock.wallMs();
  const timer = clock.every(10, () => {
    if (clock.nowMs() === 30) clock.wallOffsetMs += 3_600_000;
    if (clock.nowMs() >= 100) timer.stop();
  });
  runAll(timeline);
  // Stopped within its tenth call, when the eleventh was scheduled already and does nothing.
  assert.equal(clock.nowMs(), 110);
  assert.equal(clock.wallMs() - wallBefore, 110 + 3_600_000);
});

for (const distribution of ['constant', 'exponential', 'lognormal'] as const) {
  test(`drawServiceUs(): the mean of ${distribution} is the one that was asked for`, () => {
    const time: ServiceTime = { distribution, meanUs: 10_000, spread: 0.8 };
    const random = createRandom(3);
    let sum = 0;
    for (let draw = 0; draw < 200_000; draw++) sum += drawServiceUs(time, random);
    // Standard deviation of the mean: below 0.25 % of it for all three.
    assert.ok(Math.abs(sum / 200_000 / 10_000 - 1) < 0.01, `${sum / 200_000}`);
  });
}
