import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allocateShared, attachWords } from '../model/shared-memory.ts';
import { emptyQueuesOf, SharedQueue } from './shared-queue.ts';

const wordsFor = (workers: number) =>
  attachWords(allocateShared(workers, { counterCount: 1, histogramWords: 1 }));
const queuesOn = (words: ReturnType<typeof wordsFor>, workers: number, pool = 3) =>
  Array.from({ length: workers }, (_, worker) => new SharedQueue(words, { workers, worker }, pool));

test('enter() takes at most the given number over all workers', () => {
  const [a, b] = queuesOn(wordsFor(2), 2);
  assert.deepEqual([a!.enter(2), b!.enter(2), a!.enter(2)], [true, true, false]);
  b!.leave();
  assert.deepEqual([a!.enter(2), a!.enter(2), a!.count], [true, false, 2]);
});

test('turn() is the lowest class, in it the lowest ticket', () => {
  const [a, b, c] = queuesOn(wordsFor(3), 3);
  assert.equal(a!.turn(), -1);
  const tickets = [a!.ticket(), b!.ticket(), c!.ticket()];
  a!.show(1, tickets[2]!);
  b!.show(1, tickets[1]!);
  assert.equal(c!.turn(), 1);
  c!.show(0, tickets[0]! + 100);
  assert.equal(a!.turn(), 2);
  c!.show(0, 0);
  b!.show(1, 0);
  assert.equal(a!.turn(), 0);
});

test('tickets are never 0 and stay in order when they wrap', () => {
  const words = wordsFor(2);
  const [a, b] = queuesOn(words, 2);
  words.queueTicket[3] = 0x7fffffff;
  const last = a!.ticket();
  const next = b!.ticket();
  assert.ok(last < 0 && next > last);
  words.queueTicket[3] = -2;
  const before = a!.ticket();
  const after = b!.ticket();
  assert.deepEqual([before, after], [-1, 1]);
  a!.show(0, after);
  b!.show(0, before);
  assert.equal(a!.turn(), 1);
});

test('ring() moves the doorbell of that worker only', () => {
  const words = wordsFor(2);
  queuesOn(words, 2)[0]!.ring(1);
  assert.deepEqual([words.doorbell[0], words.doorbell[16]], [0, 1]);
});

test('emptyQueuesOf() takes a dead worker out of totals and turns', () => {
  const words = wordsFor(2);
  const [a, b] = queuesOn(words, 2);
  for (const queue of [a!, b!, b!]) {
    queue.enter(10);
    queue.show(0, queue.ticket());
  }
  assert.equal(emptyQueuesOf(words, 1, 2), 2);
  assert.equal(a!.count, 1);
  assert.equal(a!.turn(), 0);
});
