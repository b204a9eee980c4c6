import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Alert, AlertBook, type AlertChange, type Finding } from './alert-book.ts';

const alert: Alert = { rule: 'errors', pool: 'web', server: null };
const delays = { raiseMs: 30, clearMs: 60 };

/** One finding every ten ms. */
function changes(book: AlertBook, findings: readonly Finding[], fromMs = 0): AlertChange[] {
  return findings.map((finding, i) => book.judge(alert, finding, fromMs + i * 10, delays));
}

test('judge() raises what stays bad, once, and clears what stays good', () => {
  const book = new AlertBook();
  assert.deepEqual(changes(book, ['bad', 'bad', 'bad', 'bad', 'bad']), [
    null,
    null,
    null,
    'raised',
    null,
  ]);
  assert.deepEqual(book.raised, [alert]);
  const good = new Array<Finding>(7).fill('good');
  assert.deepEqual(changes(book, good, 100).lastIndexOf('cleared'), 6);
  assert.deepEqual(book.raised, []);
});

test('judge() raises nothing that flaps, and clears nothing that lies between', () => {
  const book = new AlertBook();
  const flapping = Array.from({ length: 40 }, (_, i): Finding => (i % 3 === 2 ? 'between' : 'bad'));
  assert.ok(changes(book, flapping).every((change) => change === null));
  changes(book, ['bad', 'bad', 'bad', 'bad'], 1_000);
  const wavering = Array.from(
    { length: 40 },
    (_, i): Finding => (i % 5 === 4 ? 'between' : 'good'),
  );
  assert.ok(changes(book, wavering, 2_000).every((change) => change === null));
  assert.equal(book.raised.length, 1);
});

test('forget() drops alerts of what is gone', () => {
  const book = new AlertBook();
  changes(book, ['bad', 'bad', 'bad', 'bad']);
  assert.deepEqual(book.forget(30), []);
  assert.deepEqual(book.forget(31), [alert]);
  assert.deepEqual(book.raised, []);
});
