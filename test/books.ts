import { test } from 'node:test';
import { checkBooks } from './e2e/books.ts';
import { drivers } from './e2e/drivers.ts';

/** Compares the counters with the access log after 200,000 requests on each driver: `npm run books`. */
const REQUESTS = 200_000;

for (const { name: driver, skip } of await drivers()) {
  test(`${REQUESTS} requests, ${driver}`, { skip }, async (test) => {
    const report = await checkBooks(test, REQUESTS, driver);
    console.log(`${driver}: ${JSON.stringify(report)}`);
  });
}
