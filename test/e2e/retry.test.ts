import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drivers } from './drivers.ts';
import { startCounting } from './failing-servers.ts';
import { startBalancer } from './harness.ts';
import { Load } from './load.ts';
import { freePort } from './ports.ts';
import { until } from './waiting.ts';

const request = (method: string) => (id: string) => ({
  method,
  text: `${method} / HTTP/1.1\r\nHost: h\r\nX-Id: ${id}\r\n${method === 'POST' ? 'Content-Length: 2\r\n\r\nhi' : '\r\n'}`,
});

for (const { name: driver, skip } of await drivers()) {
  describe(`retries, ${driver}`, { skip }, () => {
    it('a storm stays small: half of all answers fail, upstream ≤ 1.25 × client requests', async (test) => {
      // Every second request: by turns a 503, a reset, a link that closes.
      const servers = await Promise.all(
        Array.from({ length: 3 }, () =>
          startCounting(test, (asked, response, count) => {
            if (count % 2 === 0) response.end('ok');
            else if (count % 3 === 0) response.writeHead(503).end('no');
            else if (count % 3 === 1) asked.socket.resetAndDestroy();
            else asked.socket.destroy();
          }),
        ),
      );
      const port = await freePort();
      const balancer = await startBalancer(
        test,
        {
          listeners: [`127.0.0.1:${port}`],
          pools: {
            web: {
              servers: servers.map(({ address }) => address),
              retry: { on: ['reset', '5xx'], attempts: 5, backoff: '0ms' },
            },
          },
          workers: 2,
          log: { access: 'off' },
        },
        { driver },
      );
      const load = new Load({
        port,
        links: 20,
        accepts: ({ status }) => status === 200 || status >= 502,
        request: request('GET'),
      });
      await until('4,000 requests', 30_000, () => load.count >= 4_000);
      const report = await load.stop();
      const upstream = servers.reduce((sum, one) => sum + one.requests(), 0);
      const ratio = upstream / report.requests;
      test.diagnostic(`upstream over client requests: ${ratio.toFixed(3)}`);
      assert.ok(ratio <= 1.25, `${upstream} upstream for ${report.requests}: ${ratio.toFixed(3)}`);
      // and the budget is used: a fifth of the requests may be repeated, half of those that failed
      assert.ok(ratio >= 1.1, `${ratio}`);
      assert.equal((await balancer.status()).pools[0]!.retries > 400, true);
    });

    it('a POST is seen by one server once, whatever fails; with Idempotency-Key it may be repeated', async (test) => {
      const servers = await Promise.all(
        Array.from({ length: 3 }, () =>
          startCounting(test, (asked, response, count) => {
            if (count % 4 === 0) response.end('ok');
            else if (count % 4 === 1) response.writeHead(503).end();
            else if (count % 4 === 2) asked.socket.destroy();
            else setTimeout(() => response.end('late'), 150);
          }),
        ),
      );
      const port = await freePort();
      await startBalancer(
        test,
        {
          listeners: [`127.0.0.1:${port}`],
          pools: {
            web: {
              servers: servers.map(({ address }) => address),
              retry: { on: ['reset', 'timeout', '5xx'], attempts: 3, perTry: '50ms' },
            },
          },
          workers: 2,
          log: { access: 'off' },
        },
        { driver },
      );
      const accepts = ({ status }: { status: number }) => status === 200 || status >= 502;
      const load = new Load({ port, links: 20, accepts, request: request('POST') });
      await until('400 requests', 30_000, () => load.count >= 400);
      await load.stop();
      const times = (id: string) => servers.reduce((sum, { seen }) => sum + (seen.get(id) ?? 0), 0);
      const ids = new Set(servers.flatMap(({ seen }) => [...seen.keys()]));
      assert.ok(ids.size >= 400);
      assert.deepEqual(
        [...ids].filter((id) => times(id) > 1),
        [],
      );
      const keyed = new Load({
        port,
        links: 20,
        accepts,
        request: (id) => {
          const { method, text } = request('POST')(`key-${id}`);
          return { method, text: text.replace('Host', 'Idempotency-Key: k\r\nHost') };
        },
      });
      await until('200 requests', 30_000, () => keyed.count >= 200);
      await keyed.stop();
      const repeated = new Set(servers.flatMap(({ seen }) => [...seen.keys()]));
      assert.ok([...repeated].some((id) => id.startsWith('key-') && times(id) > 1));
    });
  });
}
