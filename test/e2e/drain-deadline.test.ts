import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Client } from './client.ts';
import { drivers } from './drivers.ts';
import { runCommand, startBalancer } from './harness.ts';
import { Load } from './load.ts';
import { startOrigins } from './origins.ts';
import { freePort } from './ports.ts';
import { until } from './waiting.ts';

const stream = (ms: number): string =>
  `GET /stream?ms=${ms}&parts=10 HTTP/1.1\r\nHost: lb.test\r\n\r\n`;

for (const { name: driver, skip } of await drivers()) {
  describe(`a drain with a deadline, ${driver}`, { skip }, () => {
    it('moves new traffic at once, lets run what ends in time, closes the rest', async (test) => {
      const origins = await startOrigins(test, 2);
      const port = await freePort();
      const balancer = await startBalancer(
        test,
        {
          listeners: [`127.0.0.1:${port}`],
          pools: { web: { policy: 'first', servers: origins.map(({ address }) => address) } },
          workers: 1,
          log: { access: 'off' },
        },
        { driver },
      );
      const [short, long] = await Promise.all(
        [500, 20_000].map(async (ms) => {
          const client = await new Client({ port, timeoutMs: 20_000 }).open();
          client.send(stream(ms));
          return client;
        }),
      );
      const first = origins[0]!.address;
      await until('both run', 5_000, async () => {
        return (await balancer.status()).pools[0]!.servers[0]!.inFlight === 2;
      });
      const load = new Load({ port, links: 4 });
      test.after(() => load.stop());
      const words = ['drain', `web/${first}`, '--for', '2s', '--socket', balancer.socketPath];
      const sinceMs = performance.now();
      const drained = await runCommand(words);
      assert.equal(drained.code, 0, drained.stderr);
      assert.match(drained.stdout, /drains; what still runs there in 2s is closed/);
      await until('new traffic moves', 2_000, () => load.served('b') > 20);
      assert.equal((await short!.response())?.isComplete, true);
      const cut = await long!.response();
      assert.equal(cut?.isComplete, false);
      const tookMs = performance.now() - sinceMs;
      // The command itself takes part of the first second; the close is spread over one more.
      assert.ok(tookMs > 1_900 && tookMs < 6_000, `${tookMs}`);
      await until('it is empty', 5_000, async () => {
        const [server] = (await balancer.status()).pools[0]!.servers;
        return server!.inFlight === 0 && server!.state === 'draining';
      });
      assert.deepEqual((await load.stop()).reasons, {});
    });
  });
}
