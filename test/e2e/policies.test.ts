import assert from 'node:assert/strict';
import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { fetchOnce } from './client.ts';
import { startBalancer } from './harness.ts';
import { startOrigins } from './origins.ts';
import { freePort } from './ports.ts';
import { field } from './response-reader.ts';

/** Servers of this process that answer after so many ms; returns their addresses. */
async function delayed(test: TestContext, delaysMs: readonly number[]): Promise<string[]> {
  return await Promise.all(
    delaysMs.map(async (delayMs, at) => {
      const server = createServer((_request, response) => {
        setTimeout(() => {
          response.setHeader('x-server', String(at));
          response.end('ok');
        }, delayMs);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      test.after(() => server.closeAllConnections());
      test.after(() => server.close());
      return `127.0.0.1:${(server.address() as AddressInfo).port}`;
    }),
  );
}

/** Who answers `count` requests of `clients` clients that ask again at once. */
async function load(port: number, clients: number, count: number): Promise<string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const names: string[] = [];
  let started = 0;
  const one = (): Promise<string> =>
    new Promise((resolve, reject) => {
      get({ port, host: '127.0.0.1', agent }, (answer) => {
        answer.resume();
        answer.on('end', () => resolve(String(answer.headers['x-server'])));
      }).on('error', reject);
    });
  const client = async (): Promise<void> => {
    while (started++ < count) names.push(await one());
  };
  await Promise.all(Array.from({ length: clients }, client));
  agent.destroy();
  return names;
}

describe('policies on real sockets', () => {
  it('least-latency and p2c keep away from a server that is ten times slower, round robin does not', async (test) => {
    const servers = await delayed(test, [20, 20, 20, 20, 200]);
    const shares: Record<string, number> = {};
    for (const policy of ['round-robin', 'p2c', 'least-latency']) {
      const port = await freePort();
      const config = {
        listeners: [`127.0.0.1:${port}`],
        log: { access: 'off' },
        workers: 2,
        // Ejection would do the same for all of them.
        pools: { web: { servers, policy, outlier: false } },
      };
      const balancer = await startBalancer(test, config);
      // Every server is met once before it counts.
      await load(port, 16, 60);
      const names = await load(port, 16, 400);
      shares[policy] = names.filter((name) => name === '4').length / names.length;
      await balancer.stop();
    }
    // 20 %: every fifth. Two choices see that it is more loaded; latency says so before it is.
    assert.ok(Math.abs(shares['round-robin']! - 0.2) < 0.03, JSON.stringify(shares));
    assert.ok(shares['p2c']! < 0.12, JSON.stringify(shares));
    // Some 1 %, were the machine idle: then the 99th percentile is that of a quick server.
    assert.ok(shares['least-latency']! < 0.05, JSON.stringify(shares));
    assert.ok(shares['least-latency']! < shares['p2c']!, JSON.stringify(shares));
  });

  it('hash by header: the same user at the same server, on two balancers with the servers in any order', async (test) => {
    const origins = await startOrigins(test, 4);
    const addresses = origins.map(({ address }) => address);
    const maps: Record<string, string>[] = [];
    for (const servers of [addresses, addresses.toReversed()]) {
      const port = await freePort();
      await startBalancer(test, {
        listeners: [`127.0.0.1:${port}`],
        log: { access: 'off' },
        workers: 2,
        pools: { web: { servers, policy: 'hash', key: 'header:x-user' } },
      });
      const map: Record<string, string> = {};
      for (let user = 0; user < 24; user++) {
        for (let again = 0; again < 2; again++) {
          const answer = await fetchOnce(port, '/', `X-User: user-${user}\r\n`);
          const name = field(answer, 'x-server') ?? 'none';
          assert.equal(map[user] ?? name, name);
          map[user] = name;
        }
      }
      maps.push(map);
    }
    assert.deepEqual(maps[0], maps[1]);
    assert.equal(new Set(Object.values(maps[0]!)).size, 4);
  });

  it('a server that is added gets its share by and by; tiers and subsets keep others out', async (test) => {
    const origins = await startOrigins(test, 3);
    const [a, b, c] = origins.map(({ address }) => address) as [string, string, string];
    const port = await freePort();
    const configOf = (servers: readonly unknown[]) => ({
      listeners: [`127.0.0.1:${port}`],
      log: { access: 'off' },
      workers: 2,
      routes: [
        { match: { path: '/canary/*' }, pool: 'web', subset: { version: 'v2' } },
        { pool: 'web' },
      ],
      pools: { web: { servers, policy: 'random', slowStart: { window: '1h', min: '10%' } } },
    });
    const spare = { address: c, tier: 1, labels: { version: 'v2' } };
    const balancer = await startBalancer(test, configOf([a, spare]));
    const countOf = async (name: string, path = '/'): Promise<number> => {
      let count = 0;
      for (let request = 0; request < 60; request++) {
        if (field(await fetchOnce(port, path), 'x-server') === name) count++;
      }
      return count;
    };
    assert.equal(await countOf('a'), 60);
    assert.equal(await countOf('c', '/canary/x'), 60);
    assert.equal((await balancer.reload(configOf([a, b, spare]))).status, 200);
    // 0.1 of 1.1 is 9 %; more than 30 % of 60 would be one case in ten thousand.
    assert.ok((await countOf('b')) < 18);
    assert.equal(await countOf('c', '/canary/x'), 60);
  });
});
