import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkBooks } from './books.ts';
import { drivers } from './drivers.ts';

// `node test/books.ts` does the same with 200,000 requests.
for (const { name: driver, skip } of await drivers()) {
  test(`the counters are what the access log says line by line, ${driver}`, {
    skip,
  }, async (test) => {
    const { aborted, repeated } = await checkBooks(test, 3_000, driver);
    assert.ok(aborted > 0 && repeated > 0, `${aborted} aborted, ${repeated} repeated`);
  });
}
