import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { Client } from './client.ts';
import { drivers } from './drivers.ts';
import { startCounting } from './failing-servers.ts';
import { startBalancer } from './harness.ts';
import { freePort } from './ports.ts';
import { until } from './waiting.ts';

/** Descriptors that the balancer may have, and clients that would take them all. */
const descriptors = 256;
const links = 300;

for (const { name: driver, skip } of await drivers()) {
  describe(`no free descriptors, ${driver}`, { skip }, () => {
    it('clients take all descriptors: those who are in are served, the others wait', async (test) => {
      const held: ServerResponse[] = [];
      const server = await startCounting(test, (_, response) => held.push(response));
      const port = await freePort();
      const balancer = await startBalancer(
        test,
        {
          listeners: [`127.0.0.1:${port}`],
          pools: { web: { servers: [server.address], timeouts: { firstByte: '5m' } } },
          timeouts: { header: '5m', keepAlive: '5m' },
          workers: 1,
          log: { access: 'off' },
        },
        { driver, descriptors },
      );
      const acceptFailures = async (): Promise<number> =>
        (await balancer.status()).workers[0]?.gauges['acceptFailures'] ?? 0;
      const accepted = async (): Promise<number> =>
        (await balancer.status()).listeners[0]?.accepted ?? 0;
      const clients: Client[] = [];
      for (let i = 0; i < links; i++) {
        const client = await new Client({ port, timeoutMs: 120_000 }).open();
        test.after(() => client.destroy());
        clients.push(client);
      }
      await until('it has no descriptors left', 30_000, async () => (await acceptFailures()) > 0);
      const taken = await accepted();
      assert.ok(taken > 100 && taken < links, `${taken} links accepted`);
      // Eight at a time need eight descriptors for links to the server.
      const ask = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';
      const first = clients.slice(0, 8).map((client) => client.request(ask));
      await until('all eight are with the server', 30_000, () => held.length === 8);
      for (const response of held.splice(0)) response.end('ok');
      const statuses = (await Promise.all(first)).map(({ status }) => status);
      assert.deepEqual(statuses, Array(8).fill(200));
      // Those who wait in the kernel's queue have their turn when others leave.
      const late = clients.slice(-20).map((client) => client.request(ask));
      for (const client of clients.slice(8, 200)) client.destroy();
      await until('the last twenty are with the server', 60_000, () => held.length === 20);
      for (const response of held.splice(0)) response.end('ok');
      const answers = await Promise.all(late);
      assert.deepEqual(
        answers.map(({ status }) => status),
        Array(20).fill(200),
      );
      assert.equal((await balancer.status()).pools[0]!.servers[0]!.errors, 0);
    });
  });
}
