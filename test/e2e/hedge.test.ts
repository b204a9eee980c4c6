import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Client } from './client.ts';
import { drivers } from './drivers.ts';
import { startCounting } from './failing-servers.ts';
import { startBalancer } from './harness.ts';
import { freePort } from './ports.ts';
import { until } from './waiting.ts';

const ask = (id: string, method = 'GET'): string =>
  `${method} /${id} HTTP/1.1\r\nHost: h\r\nX-Id: ${id}\r\n${method === 'POST' ? 'Content-Length: 2\r\n\r\nhi' : '\r\n'}`;

for (const { name: driver, skip } of await drivers()) {
  describe(`hedging, ${driver}`, { skip }, () => {
    it('a second server answers for a slow one; the loser is cancelled; never a POST; within the budget', async (test) => {
      const held: ServerResponse[] = [];
      let cancelled = 0;
      const slow = await startCounting(test, (request, response) => {
        if (request.method === 'POST') {
          // Silent for much longer than the delay of a hedge.
          setTimeout(() => response.end('slow'), 500);
          return;
        }
        held.push(response);
        response.once('close', () => {
          if (!response.writableFinished) cancelled++;
        });
      });
      const fast = await startCounting(test, (_, response) => response.end('fast'));
      const port = await freePort();
      const balancer = await startBalancer(
        test,
        {
          listeners: [`127.0.0.1:${port}`],
          pools: {
            web: {
              policy: 'first',
              servers: [slow.address, fast.address],
              outlier: false,
              retry: { hedge: { after: '50ms' } },
            },
          },
          workers: 2,
          log: { access: './access.log' },
        },
        { driver },
      );
      const count = async (name: string): Promise<number> =>
        (await balancer.metrics()).get(`evenkeel_pool_${name}_total{pool="web"}`) ?? 0;
      const open = async (): Promise<Client> => {
        const client = await new Client({ port, timeoutMs: 60_000 }).open();
        test.after(() => client.destroy());
        return client;
      };
      const client = await open();
      const answer = await client.request(ask('one'));
      assert.deepEqual([answer.status, String(answer.body)], [200, 'fast']);
      await until('the loser is cancelled', 10_000, () => cancelled === 1);
      assert.deepEqual([await count('hedges'), await count('hedges_won')], [1, 1]);

      const posted = await client.request(ask('two', 'POST'));
      assert.deepEqual([posted.status, String(posted.body)], [200, 'slow']);
      assert.deepEqual([slow.seen.get('two'), fast.seen.get('two')], [1, undefined]);
      assert.equal(await count('hedges'), 1);

      // Sixty at once on a budget of 10 + a fifth of the requests: the others are denied and go on waiting.
      const beganMs = performance.now();
      const clients = await Promise.all(Array.from({ length: 60 }, open));
      const answers = clients.map((one, at) => one.request(ask(`many-${at}`)));
      await until('each is hedged or denied', 30_000, async () => {
        return (await count('hedges')) - 1 + (await count('retries_denied')) === 60;
      });
      // Each second gives at most one of the reserve back.
      const mostHedges = 10 + 62 / 5 + 1 + (performance.now() - beganMs) / 1000;
      const hedges = await count('hedges');
      test.diagnostic(`${hedges - 1} of 60 were hedged`);
      assert.ok(hedges - 1 >= 10 && hedges <= mostHedges, `${hedges}, at most ${mostHedges}`);
      for (const response of held) response.end('slow');
      const bodies = (await Promise.all(answers)).map(({ body }) => String(body));
      assert.equal(bodies.filter((body) => body === 'fast').length, hedges - 1);
      assert.equal(bodies.filter((body) => body === 'slow').length, 61 - hedges);
      await until('every loser is cancelled', 10_000, () => cancelled === hedges);
      await until('nothing is left in flight', 10_000, async () => {
        return (await balancer.status()).pools[0]!.servers.every(({ inFlight }) => inFlight === 0);
      });

      const line = await until('the log', 10_000, () => {
        const text = readFileSync(join(balancer.directory, 'access.log'), 'utf8');
        return text.split('\n').find((one) => one.includes('"path":"/one"'));
      });
      const { attempts, actions, reason, server } = JSON.parse(line) as Record<string, unknown>;
      assert.deepEqual(
        { attempts, actions, reason, server },
        { attempts: 2, actions: ['hedge', 'hedge-won'], reason: 'ok', server: fast.address },
      );
    });
  });
}
