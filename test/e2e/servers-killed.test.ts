import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drivers } from './drivers.ts';
import { startBalancer, untilServersAre } from './harness.ts';
import { Load } from './load.ts';
import { startOrigin, startOrigins } from './origins.ts';
import { freePort } from './ports.ts';
import { until } from './waiting.ts';

for (const { name: driver, skip } of await drivers()) {
  describe(`servers killed under load, ${driver}`, { skip }, () => {
    it('loses no request when servers are killed and brought back twice', async (test) => {
      const origins = await startOrigins(test, 3);
      const port = await freePort();
      const balancer = await startBalancer(
        test,
        {
          listeners: [`127.0.0.1:${port}`],
          pools: {
            web: {
              servers: origins.map((origin) => origin.address),
              probe: { type: 'http', path: '/healthz', interval: '500ms', timeout: '400ms' },
            },
          },
          workers: 2,
          log: { access: 'off' },
        },
        { driver },
      );
      await untilServersAre(balancer, 'up', 3);
      const load = new Load({ port, links: 50 });
      await until('traffic', 10_000, () => load.count > 500);
      for (let round = 0; round < 2; round++) {
        for (const index of [0, 1]) {
          const victim = origins[index]!;
          await victim.kill();
          const before = load.count;
          await until('traffic without the server', 15_000, () => load.count > before + 500);
          origins[index] = await startOrigin(test, { name: victim.name, port: victim.port });
          const had = load.served(victim.name);
          await until(
            'the returned server is used',
            20_000,
            () => load.served(victim.name) > had + 20,
          );
        }
      }
      const report = await load.stop();
      assert.deepEqual(report.reasons, {});
      assert.equal(report.failures, 0);
      assert.ok(report.requests > 2000, `${report.requests} requests`);
    });

    it('answers 503 with a reason at once when no server is left', async (test) => {
      const [origin] = await startOrigins(test, 1);
      const port = await freePort();
      const balancer = await startBalancer(
        test,
        {
          listeners: [`127.0.0.1:${port}`],
          pools: {
            web: {
              servers: [origin!.address],
              probe: {
                type: 'http',
                path: '/healthz',
                interval: '500ms',
                timeout: '400ms',
                fall: 2,
              },
            },
          },
          log: { access: 'off' },
        },
        { driver },
      );
      await untilServersAre(balancer, 'up', 1);
      await origin!.kill();
      await until('the server is out', 15_000, async () => {
        return (await balancer.status()).pools[0]!.servers[0]!.state !== 'up';
      });
      const load = new Load({ port, links: 4, accepts: (answer) => answer.status === 503 });
      await until('refusals', 5_000, () => load.count > 40);
      const report = await load.stop();
      assert.equal(report.failures, 0, JSON.stringify(report.reasons));
      assert.deepEqual(Object.keys(report.byStatus), ['503']);
    });
  });
}
