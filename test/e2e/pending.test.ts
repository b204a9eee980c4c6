import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { Client } from './client.ts';
import { drivers } from './drivers.ts';
import { startCounting } from './failing-servers.ts';
import { startBalancer } from './harness.ts';
import { freePort } from './ports.ts';
import { until } from './waiting.ts';

for (const { name: driver, skip } of await drivers()) {
  describe(`maxPending, ${driver}`, { skip }, () => {
    it('a server that accepts and never answers holds no more than its limit; what streams does not count', async (test) => {
      const held: ServerResponse[] = [];
      const stalled = await startCounting(test, (_, response) => held.push(response));
      const streaming: ServerResponse[] = [];
      const well = await startCounting(test, (_, response) => {
        response.write('begun ');
        streaming.push(response);
      });
      const port = await freePort();
      const pools = (maxPending: number) => ({
        web: {
          policy: 'round-robin',
          servers: [
            { address: stalled.address, maxPending: 5 },
            { address: well.address, maxPending },
          ],
          timeouts: { firstByte: '5m' },
        },
      });
      const config = { listeners: [`127.0.0.1:${port}`], workers: 2, log: { access: 'off' } };
      const balancer = await startBalancer(test, { ...config, pools: pools(20) }, { driver });
      const open = async (): Promise<Client> => {
        const client = await new Client({ port, timeoutMs: 60_000 }).open();
        test.after(() => client.destroy());
        return client;
      };
      const clients = await Promise.all(Array.from({ length: 60 }, open));
      const answers: Promise<string>[] = [];
      for (const client of clients) {
        answers.push(client.request('GET / HTTP/1.1\r\nHost: h\r\n\r\n').then(textOf));
        // One after the other: each has begun before the next one comes.
        await until('it is with a server', 20_000, () => {
          return held.length + streaming.length === answers.length;
        });
      }
      assert.deepEqual([held.length, streaming.length], [5, 55]);
      const [first, second] = (await balancer.status()).pools[0]!.servers;
      assert.deepEqual([first?.pending, first?.maxPending, first?.inFlight], [5, 5, 5]);
      assert.deepEqual([second?.pending, second?.maxPending, second?.inFlight], [0, 20, 55]);
      assert.equal((await balancer.status()).pools[0]!.load, 60);
      const metrics = await balancer.metrics();
      const name = `evenkeel_server_pending{pool="web",server="${stalled.address}"}`;
      assert.equal(metrics.get(name), 5);

      // Where every server owes as much as it may, the answer says so.
      await balancer.reload({ ...config, pools: { web: { ...pools(0).web, servers: [] } } });
      const servers = [{ address: stalled.address, maxPending: 5 }];
      await balancer.reload({ ...config, pools: { web: { ...pools(0).web, servers } } });
      const refused = await (await open()).request('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
      assert.match(textOf(refused), /^503 pending-limit-reached: every server has as many/);
      for (const response of [...held, ...streaming]) response.end('ended');
      const texts = await Promise.all(answers);
      assert.equal(texts.filter((text) => text === '200 ended').length, 5);
      assert.equal(texts.filter((text) => text === '200 begun ended').length, 55);
    });
  });
}

function textOf({ status, body }: { readonly status: number; readonly body: Buffer }): string {
  return `${status} ${body.toString()}`;
}
