import { describe, it } from 'node:test';
import { drivers } from './drivers.ts';
import { runMixed } from './mixed.ts';

const DURATION_MS = 20_000;

for (const { name: driver, skip } of await drivers()) {
  describe(`mixed load, ${driver}`, { skip }, () => {
    it('adds up while servers and configuration change', async (test) => {
      const report = await runMixed(test, { driver, durationMs: DURATION_MS });
      test.diagnostic(`${report.requests} requests in ${report.rounds} rounds of changes`);
    });
  });
}
