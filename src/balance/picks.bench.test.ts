import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchPicks, constantTime } from './picks.bench.ts';

for (const name of constantTime) {
  test(`benchPicks() runs: ${name}`, () => {
    for (const isWeighted of [false, true]) {
      const figures = benchPicks(name, { servers: 700, isWeighted, picks: 200 });
      assert.ok(figures.pickNs > 0 && figures.rebuildMs > 0, `${name}`);
    }
  });
}
