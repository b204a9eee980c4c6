import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drivers } from './drivers.ts';
import { drillFlapping, drillGray, drillPanic } from './health-drill.ts';
import { wellDelayMs } from './sick-server.ts';

// Three minutes with the default settings are in test/health-drills.ts; here time runs faster: looks
// each quarter of a second, an ejection of three seconds, and a share of errors to match.
const pool = { outlier: { interval: '250ms', ejectFor: '3s' } };

for (const { name: driver, skip } of await drivers()) {
  describe(`gray failure, ${driver}`, { skip, concurrency: false }, () => {
    it('ejects the one of five that answers 30 % with 500, again and again', async (test) => {
      const report = await drillGray(test, { failing: 0.3 }, { driver, durationMs: 10_000, pool });
      const seen = JSON.stringify(report);
      assert.ok(report.ejectedAfterMs < 5_000, seen);
      assert.match(report.why, /^the sick one: .* attempts failed/, seen);
      assert.equal(report.outMost, 1, seen);
      // Without an ejection 6 % would fail and the sick one would have 20 %.
      assert.ok(report.load.failures < report.load.requests * 0.02, seen);
      assert.deepEqual(Object.keys(report.load.byStatus).sort(), ['200', '500'], seen);
      assert.ok(report.sickShare < 0.08, seen);
    });
  });
}

describe('a pool in trouble', () => {
  it('ejects the one of five that is ten times slower', async (test) => {
    const options = { driver: 'portable', durationMs: 6_000, pool } as const;
    const report = await drillGray(test, { delayMs: 10 * wellDelayMs }, options);
    const seen = JSON.stringify(report);
    assert.ok(report.ejectedAfterMs < 6_000, seen);
    assert.match(report.why, /^the sick one: half of its answers take over/, seen);
    assert.equal(report.load.failures, 0, seen);
    assert.equal(report.outMost, 1, seen);
  });

  it('goes on in panic when all five turn bad, and says so', async (test) => {
    const options = { driver: 'portable', durationMs: 0, pool } as const;
    const { panic, served } = await drillPanic(test, { failing: 0.4 }, options);
    assert.match(panic.why, /servers fail 20% or more.*traffic goes on/);
    assert.ok(
      served.every((count) => count > 10),
      `${served}`,
    );
    assert.ok(panic.servers.every((server) => server.state === 'up'));
  });

  it('keeps a flapping server out: no failed GET, few changes', async (test) => {
    const options = { driver: 'portable', durationMs: 10_000, phaseMs: 1_000 } as const;
    const { load, changes } = await drillFlapping(test, options);
    assert.equal(load.failures, 0, JSON.stringify(load));
    assert.ok(changes.length <= 6, changes.join('\n'));
    assert.ok(changes.length >= 1, 'it was noticed');
  });
});
