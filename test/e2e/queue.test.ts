import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { Client } from './client.ts';
import { drivers } from './drivers.ts';
import { type CountingServer, startCounting } from './failing-servers.ts';
import { startBalancer } from './harness.ts';
import { freePort } from './ports.ts';
import { until } from './waiting.ts';

/** Holds requests until they are let go, in order; tells what it was asked for and how many it had at once. */
async function startHolding(test: Parameters<typeof startCounting>[0]) {
  const held: (() => void)[] = [];
  const order: string[] = [];
  const most = { atOnce: 0 };
  const server: CountingServer = await startCounting(test, (request, response) => {
    order.push(String(request.headers['x-id']));
    held.push(() => response.end('ok'));
    most.atOnce = Math.max(most.atOnce, held.length);
  });
  return { server, held, order, most };
}

const ask = (id: string, priority: string): string =>
  `GET / HTTP/1.1\r\nHost: h\r\nX-Id: ${id}\r\nX-Priority: ${priority}\r\n\r\n`;

for (const { name: driver, skip } of await drivers()) {
  describe(`queue, ${driver}`, { skip }, () => {
    it('limit 10 per server, 200 clients: none refused, high class first, order kept in a class', async (test) => {
      const servers = [await startHolding(test), await startHolding(test)];
      const port = await freePort();
      const balancer = await startBalancer(
        test,
        {
          listeners: [`127.0.0.1:${port}`],
          pools: {
            web: {
              servers: servers.map(({ server }) => ({
                address: server.address,
                maxConnections: 10,
              })),
              // Longer than a busy machine takes for all of it.
              timeouts: { firstByte: '5m' },
              queue: {
                size: 200,
                timeout: '5m',
                classes: { values: { high: 0, normal: 1, low: 2 } },
              },
            },
          },
          workers: 2,
          log: { access: 'off' },
        },
        { driver },
      );
      const open = async (id: string, priority: string): Promise<Client> => {
        const client = await new Client({ port, timeoutMs: 300_000 }).open();
        test.after(() => client.destroy());
        client.send(ask(id, priority));
        return client;
      };
      const waiting = async (): Promise<number> => (await balancer.status()).pools[0]!.queued;
      const clients: Client[] = [];
      for (let i = 0; i < 20; i++) clients.push(await open(`first-${i}`, 'low'));
      await until('all places are taken', 10_000, () =>
        servers.every(({ held }) => held.length === 10),
      );
      // One after the other, so that the order of arrival is known, whatever worker has the link.
      const sent = { low: [] as string[], normal: [] as string[], high: [] as string[] };
      for (let i = 0; i < 180; i++) {
        const priority = (['low', 'normal', 'high'] as const)[i % 3]!;
        clients.push(await open(`${priority}-${i}`, priority));
        sent[priority].push(`${priority}-${i}`);
        await until('it waits', 20_000, async () => (await waiting()) === i + 1);
      }
      for (const { order } of servers) order.length = 0;
      const order: string[] = [];
      // One place at a time.
      for (let i = 0; i < 180; i++) {
        const { held } = servers[i % 2]!;
        held.shift()!();
        await until('the next one has the place', 20_000, () => held.length === 10);
        order.push(servers[i % 2]!.order.at(-1)!);
      }
      for (const { held } of servers) for (const letGo of held) letGo();
      const answers = await Promise.all(clients.map((client) => client.response()));
      assert.deepEqual(new Set(answers.map((answer) => answer?.status)), new Set([200]));
      assert.deepEqual(order, [...sent.high, ...sent.normal, ...sent.low]);
      assert.deepEqual(
        servers.map(({ most }) => most.atOnce),
        [10, 10],
      );
      const metrics = await balancer.metrics();
      assert.equal(metrics.get('evenkeel_pool_queued_total{pool="web"}'), 180);
      assert.equal(metrics.get('evenkeel_pool_waiting{pool="web"}'), 0);
    });

    it('200 clients at full speed are all served; the deadline is kept; waiting costs nothing', async (test) => {
      let isSlow = false;
      const slow: ServerResponse[] = [];
      const server = await startCounting(test, (_, response) => {
        if (isSlow) slow.push(response);
        else setImmediate(() => response.end('ok'));
      });
      const port = await freePort();
      const balancer = await startBalancer(
        test,
        {
          listeners: [`127.0.0.1:${port}`],
          pools: {
            web: {
              servers: [{ address: server.address, maxConnections: 10 }],
              queue: { size: 200, timeout: '2s' },
            },
          },
          workers: 2,
          log: { access: 'off' },
        },
        { driver },
      );
      const clients = await Promise.all(
        Array.from({ length: 200 }, () => new Client({ port, timeoutMs: 30_000 }).open()),
      );
      for (const client of clients) test.after(() => client.destroy());
      const rounds = await Promise.all(
        clients.map(async (client, link) => {
          const statuses: number[] = [];
          for (let i = 0; i < 10; i++) {
            statuses.push((await client.request(ask(`${link}-${i}`, 'x')))?.status ?? 0);
          }
          return statuses;
        }),
      );
      assert.deepEqual(new Set(rounds.flat()), new Set([200]));
      assert.equal((await balancer.status()).pools[0]!.queued, 0);
      isSlow = true;
      const { balancer: pid } = (await balancer.status()).pids;
      const began = performance.now();
      const late = clients.map(async (client, link) => {
        const answer = await client.request(ask(`late-${link}`, 'x'));
        return { answer, ms: performance.now() - began };
      });
      const before = cpuMs(pid);
      // Ten have a place and no answer; the others wait until their deadline.
      await Promise.any(late);
      const spent = cpuMs(pid) - before;
      await until('the queue is empty', 5_000, async () => {
        return (await balancer.status()).pools[0]!.queued === 0;
      });
      for (const response of slow) response.end('ok');
      const ended = await Promise.all(late);
      const refused = ended.filter(({ answer }) => answer?.status === 503);
      assert.equal(refused.length, 190);
      for (const { answer, ms } of refused) {
        assert.match(String(answer?.body), /^queue-timeout/);
        assert.ok(ms >= 1_900 && ms <= 2_400, `${ms} ms`);
      }
      const latest = Math.max(...refused.map(({ ms }) => ms));
      test.diagnostic(`deadline of 2 s: the last one after ${latest.toFixed(0)} ms`);
      test.diagnostic(`CPU of the balancer while 190 waited for 2 s: ${spent} ms`);
    });
  });
}

/** CPU time of a process so far, in steps of 10 ms. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
