import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Client, fetchOnce } from './client.ts';
import { drivers } from './drivers.ts';
import { startBalancer } from './harness.ts';
import { Load } from './load.ts';
import { startOrigins } from './origins.ts';
import { freePort } from './ports.ts';
import { until } from './waiting.ts';

for (const { name: driver, skip } of await drivers()) {
  describe(`crashes, ${driver}`, { skip }, () => {
    it('kill -9 of the balancer refuses no connection and is over within 2 s', async (test) => {
      const origins = await startOrigins(test, 2);
      const port = await freePort();
      const balancer = await startBalancer(
        test,
        {
          listeners: [`127.0.0.1:${port}`],
          pools: { web: origins.map(({ address }) => address) },
          workers: 2,
          log: { access: 'off' },
        },
        { driver },
      );
      const load = new Load({ port, links: 20, requestsPerLink: 5 });
      await until('traffic', 10_000, () => load.count > 200);
      const victim = (await balancer.status()).pids.balancer;
      const killedAt = performance.now();
      process.kill(victim, 'SIGKILL');
      const answer = await fetchOnce(port, '/');
      const backAfterMs = performance.now() - killedAt;
      assert.equal(answer.status, 200);
      // 2 s is the promise on a quiet machine; two test files share two cores here.
      assert.ok(backAfterMs < 4_000, `back after ${backAfterMs.toFixed(0)} ms`);
      const before = load.count;
      await until('traffic again', 10_000, () => load.count > before + 200);
      const report = await load.stop();
      assert.equal(report.refused, 0, JSON.stringify(report.reasons));
      // What was in flight is lost with the process: at most one request per link, and its reconnect.
      assert.ok(report.failures <= 40, JSON.stringify(report.reasons));
      // Traffic is back before the admin socket is.
      await until('the new balancer answers the admin', 5_000, () =>
        balancer.status().then(
          ({ pids }) => pids.balancer !== victim,
          () => false,
        ),
      );
    });

    it('a worker that dies is replaced; its links close, the others live, counts return to zero', async (test) => {
      const origins = await startOrigins(test, 2);
      const port = await freePort();
      const balancer = await startBalancer(
        test,
        {
          listeners: [`127.0.0.1:${port}`],
          pools: { web: origins.map(({ address }) => address) },
          workers: 2,
          log: { access: 'off' },
        },
        { driver, environment: { EVENKEEL_TEST_FAULTS: '1' } },
      );
      // Each with an answer under way, so that in-flight counts are at stake.
      const clients = await Promise.all(
        Array.from({ length: 40 }, async () => {
          const client = await new Client({ port, timeoutMs: 20_000 }).open();
          client.send('GET /slow?ms=4000 HTTP/1.1\r\nHost: lb.test\r\n\r\n');
          return client;
        }),
      );
      test.after(() => {
        for (const client of clients) client.destroy();
      });
      const inFlight = async (): Promise<number> =>
        (await balancer.status()).pools[0]!.servers.reduce((sum, one) => sum + one.inFlight, 0);
      await until('40 in flight', 10_000, async () => (await inFlight()) === 40);
      const fault = await balancer.admin('POST', '/v1/test/workers/0/fail', { kind: 'invariant' });
      assert.ok(fault.status < 300, fault.body);
      const failedAt = performance.now();
      const isOver = (client: Client): boolean => client.isEnded || client.isClosed;
      await until('the worker is replaced', 10_000, async () => {
        const worker = (await balancer.status()).workers[0]!;
        return worker.restarts === 1 && worker.state === 'ready';
      });
      await until('its links are closed', 3_000, () => clients.some(isOver));
      const closedAfterMs = performance.now() - failedAt;
      assert.ok(closedAfterMs < 3_000, `closed after ${closedAfterMs.toFixed(0)} ms`);
      const survivors = clients.filter((client) => !isOver(client));
      assert.ok(survivors.length > 0, 'the other worker had links');
      for (const client of survivors) {
        const answer = await client.response();
        assert.equal(answer?.status, 200, 'links of the other worker live on');
      }
      // No new connection is stranded: with two workers, 40 tries meet both sockets.
      const answers = await Promise.all(Array.from({ length: 40 }, () => fetchOnce(port, '/')));
      assert.ok(answers.every((answer) => answer.status === 200));
      await until('nothing in flight', 10_000, async () => (await inFlight()) === 0);
    });
  });
}
