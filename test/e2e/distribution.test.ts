import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Client, fetchOnce } from './client.ts';
import { drivers } from './drivers.ts';
import { startBalancer } from './harness.ts';
import { type Origin, startOrigins } from './origins.ts';
import { freePort } from './ports.ts';
import { field } from './response-reader.ts';
import { until } from './waiting.ts';

const quiet = { log: { access: 'off' } };

function count(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** The server names of `requests` requests, one new link each so that all workers are met. */
async function sequence(port: number, requests: number): Promise<string[]> {
  const names: string[] = [];
  for (let index = 0; index < requests; index++) {
    names.push(field(await fetchOnce(port, '/'), 'x-server') ?? 'none');
  }
  return names;
}

/** The longest run of one name, the list taken as a ring. */
function longestRun(names: readonly string[]): number {
  let longest = 0;
  let run = 0;
  const ring = [...names, ...names];
  for (const [index, name] of ring.entries()) {
    run = index > 0 && ring[index - 1] === name ? run + 1 : 1;
    longest = Math.max(longest, Math.min(run, names.length));
  }
  return longest;
}

async function mapping(port: number, addresses: readonly string[]): Promise<Map<string, string>> {
  const map = new Map<string, string>();
  for (const address of addresses) {
    const client = await new Client({ port, localAddress: address }).open();
    const answer = await client.request(
      'GET / HTTP/1.1\r\nHost: lb.test\r\nConnection: close\r\n\r\n',
    );
    client.destroy();
    map.set(address, field(answer, 'x-server') ?? 'none');
  }
  return map;
}

const addressesOf = (origins: readonly Origin[]): string[] => origins.map(({ address }) => address);

for (const { name: driver, skip } of await drivers()) {
  for (const workers of [1, 2]) {
    describe(`distribution, ${driver}, ${workers} workers`, { skip }, () => {
      it('weights 5:1:1 give 10:2:2 of 14, never five in a row', async (test) => {
        const origins = await startOrigins(test, 3);
        const port = await freePort();
        await startBalancer(
          test,
          {
            listeners: [`127.0.0.1:${port}`],
            pools: {
              web: {
                policy: 'round-robin',
                servers: origins.map(({ address }, index) => ({
                  address,
                  weight: index === 0 ? 5 : 1,
                })),
              },
            },
            workers,
            ...quiet,
          },
          { driver },
        );
        for (let round = 0; round < 3; round++) {
          const names = await sequence(port, 14);
          assert.deepEqual(count(names), { a: 10, b: 2, c: 2 }, names.join(''));
          // nginx's smooth order is a a b a c a a: across two periods at most four a in a row.
          assert.ok(longestRun(names) < 5, names.join(''));
        }
      });

      it('least-connections holds 30 open requests level within one', async (test) => {
        const origins = await startOrigins(test, 3);
        const port = await freePort();
        const balancer = await startBalancer(
          test,
          {
            listeners: [`127.0.0.1:${port}`],
            pools: { web: { policy: 'least-connections', servers: addressesOf(origins) } },
            workers,
            ...quiet,
          },
          { driver },
        );
        const clients: Client[] = [];
        test.after(() => {
          for (const client of clients) client.destroy();
        });
        await Promise.all(
          Array.from({ length: 30 }, async () => {
            const client = await new Client({ port }).open();
            clients.push(client);
            client.send('GET /slow?ms=30000 HTTP/1.1\r\nHost: lb.test\r\n\r\n');
          }),
        );
        const inFlight = async (): Promise<number[]> =>
          (await balancer.status()).pools[0]!.servers.map((server) => server.inFlight);
        const held = await until('30 in flight', 15_000, async () => {
          const counts = await inFlight();
          return counts.reduce((sum, one) => sum + one, 0) === 30 ? counts : null;
        });
        for (const one of held) assert.ok(Math.abs(one - 10) <= 1, held.join());
        // What the servers say themselves, once all the requests have come to them: a request is in
        // flight from its pick on, before its server has seen it.
        const openAt = async (origin: Origin): Promise<number> =>
          Number((await fetchOnce(origin.port, '/open')).body.toString()) - 1;
        const seen = await until('30 open at the servers', 15_000, async () => {
          const open = await Promise.all(origins.map(openAt));
          return open.reduce((sum, one) => sum + one, 0) === 30 ? open : null;
        });
        for (const one of seen) assert.ok(Math.abs(one - 10) <= 1, seen.join());
        for (const client of clients) client.abort();
        await until('nothing in flight', 15_000, async () =>
          (await inFlight()).every((n) => n === 0),
        );
      });

      it('ip-hash maps 40 addresses alike before and after a restart', async (test) => {
        const origins = await startOrigins(test, 3);
        const port = await freePort();
        const config = {
          listeners: [`127.0.0.1:${port}`],
          pools: { web: { policy: 'ip-hash', servers: addressesOf(origins) } },
          workers,
          ...quiet,
        };
        const addresses = Array.from(
          { length: 40 },
          (_, index) => `127.0.${index % 4}.${index + 2}`,
        );
        const first = await startBalancer(test, config, { driver });
        const before = await mapping(port, addresses);
        assert.deepEqual(await mapping(port, addresses), before, 'stable within one run');
        await first.stop();
        await startBalancer(test, config, { driver });
        assert.deepEqual(await mapping(port, addresses), before, 'stable over a restart');
        assert.equal(new Set(before.values()).size, 3, 'all servers are used');
      });
    });
  }
}
