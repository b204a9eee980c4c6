import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Client } from './client.ts';
import { drivers } from './drivers.ts';
import { startBalancer } from './harness.ts';
import { Load } from './load.ts';
import { startOrigins } from './origins.ts';
import { freePort } from './ports.ts';
import { until } from './waiting.ts';

for (const { name: driver, skip } of await drivers()) {
  describe(`reload under load, ${driver}`, { skip }, () => {
    it('adds a server, refuses a broken file and finishes a long answer, all without an error', async (test) => {
      const origins = await startOrigins(test, 3);
      const port = await freePort();
      const config = (count: number): unknown => ({
        listeners: [`127.0.0.1:${port}`],
        pools: { web: { servers: origins.slice(0, count).map(({ address }) => address) } },
        workers: 2,
        log: { access: 'off' },
      });
      const balancer = await startBalancer(test, config(2), { driver });
      const long = await new Client({ port, timeoutMs: 20_000 }).open();
      long.send('GET /stream?ms=6000&parts=12 HTTP/1.1\r\nHost: lb.test\r\n\r\n');
      const load = new Load({ port, links: 20 });
      await until('traffic', 10_000, () => load.count > 200);

      const broken = await balancer.reload('listeners: [":99999"\npools: {');
      assert.ok(broken.status >= 400, `a broken file: ${broken.status} ${broken.body}`);
      const status = await balancer.status();
      assert.equal(status.configuration.lastReload?.ok, false);
      assert.equal(status.configuration.failedReloads, 1);

      const added = await balancer.reload(config(3));
      assert.equal(added.status, 200, added.body);
      await until('the added server is used', 10_000, () => load.served('c') > 20);

      const answer = await long.response();
      assert.equal(answer?.isComplete, true);
      assert.equal(answer.body.toString().split('\n').length, 13);
      const report = await load.stop();
      assert.deepEqual(report.reasons, {});
      assert.equal((await balancer.status()).configuration.lastReload?.ok, true);
      long.destroy();
    });

    it('SIGHUP and a removed server: what runs is finished, nothing new goes there', async (test) => {
      const origins = await startOrigins(test, 2);
      const port = await freePort();
      const config = (count: number): unknown => ({
        listeners: [`127.0.0.1:${port}`],
        pools: {
          web: {
            policy: 'round-robin',
            servers: origins.slice(0, count).map((one) => one.address),
          },
        },
        workers: 1,
        log: { access: 'off' },
      });
      const balancer = await startBalancer(test, config(2), { driver });
      const load = new Load({ port, links: 10 });
      await until('both servers', 10_000, () => load.served('b') > 50);
      balancer.writeConfig(config(1));
      balancer.child.kill('SIGHUP');
      await until('one server', 15_000, async () => {
        return (await balancer.status()).pools[0]!.servers.length === 1;
      });
      // Ten links may each have had one request under way.
      const had = load.served('b');
      const total = load.count;
      await until('more traffic', 10_000, () => load.count > total + 300);
      assert.ok(load.served('b') <= had + 10, `${load.served('b') - had} after the removal`);
      const report = await load.stop();
      assert.deepEqual(report.reasons, {});
    });

    it('a changed listener does not disturb another one', async (test) => {
      const origins = await startOrigins(test, 1);
      const [kept, first, second] = [await freePort(), await freePort(), await freePort()];
      const config = (other: number): unknown => ({
        listeners: [
          { name: 'kept', address: `127.0.0.1:${kept}` },
          { name: 'other', address: `127.0.0.1:${other}` },
        ],
        pools: { web: [origins[0]!.address] },
        workers: 2,
        log: { access: 'off' },
      });
      const balancer = await startBalancer(test, config(first), { driver });
      const load = new Load({ port: kept, links: 10 });
      await until('traffic', 10_000, () => load.count > 100);
      const changed = await balancer.reload(config(second));
      assert.equal(changed.status, 200, changed.body);
      await until('the new address listens', 10_000, async () => {
        const client = new Client({ port: second });
        try {
          await client.open();
          return true;
        } finally {
          client.destroy();
        }
      });
      await until('the old address is closed', 10_000, async () => {
        const client = new Client({ port: first });
        return client.open().then(
          () => {
            client.destroy();
            return false;
          },
          () => true,
        );
      });
      const report = await load.stop();
      assert.deepEqual(report.reasons, {});
    });
  });
}
