import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { isDnsmasqThere, startDnsmasq } from './dnsmasq.ts';
import { type Balancer, startBalancer } from './harness.ts';
import { Load } from './load.ts';
import { freePort } from './ports.ts';
import { until } from './waiting.ts';

/** A change must be in force so soon. */
const SEEN_MS = 2_000;

/** A server in this process that says which one it is; `port` 0 = any. */
async function startServer(
  test: TestContext,
  name: string,
  { host = '127.0.0.1', port = 0 } = {},
): Promise<{ name: string; port: number; address: string; server: Server }> {
  const server = createServer((request, response) => {
    response.setHeader('X-Server', name);
    response.setHeader('X-Id', request.headers['x-id'] ?? '');
    response.end(name);
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  test.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const bound = (server.address() as AddressInfo).port;
  return { name, port: bound, address: `${host}:${bound}`, server };
}

/** Mild traffic; a test that fails leaves none behind. */
function startLoad(test: TestContext, port: number): Load {
  const load = new Load({ port, links: 4 });
  test.after(() => load.stop());
  return load;
}

async function addressesOf(balancer: Balancer): Promise<string[]> {
  const { pools } = await balancer.status();
  return pools[0]!.servers.map(({ address }) => address).sort();
}

async function sourceOf(balancer: Balancer) {
  return (await balancer.status()).pools[0]!.discovery[0]!;
}

/** Waits for exactly these servers; gives how long that took, ms. */
async function untilFound(balancer: Balancer, addresses: readonly string[]): Promise<number> {
  const sinceMs = performance.now();
  const wanted = JSON.stringify([...addresses].sort());
  await until(`the servers ${wanted}`, 10_000, async () => {
    return JSON.stringify(await addressesOf(balancer)) === wanted;
  });
  return performance.now() - sinceMs;
}

function config(port: number, discover: unknown, more: Record<string, unknown> = {}): unknown {
  return {
    listeners: [`127.0.0.1:${port}`],
    pools: { web: { discover, ...more } },
    workers: 1,
    log: { access: 'off' },
  };
}

describe('discovery by file and HTTP', () => {
  it('takes over a changed, renamed, faulty and missing file without a failed request', async (test) => {
    const [a, b, c] = [
      await startServer(test, 'a'),
      await startServer(test, 'b'),
      await startServer(test, 'c'),
    ];
    const port = await freePort();
    // It is not there at first: the balancer starts all the same.
    const balancer = await startBalancer(test, config(port, { file: 'servers.yaml' }));
    const file = join(balancer.directory, 'servers.yaml');
    assert.equal((await sourceOf(balancer)).state, 'failing');
    writeFileSync(file, `- ${a.address}\n- ${b.address}\n`);
    assert.ok((await untilFound(balancer, [a.address, b.address])) < SEEN_MS);

    const load = startLoad(test, port);
    await until('both serve', 5_000, () => load.served('a') > 20 && load.served('b') > 20);
    writeFileSync(`${file}.new`, `- ${b.address}\n- { address: "${c.address}", weight: 3 }\n`);
    renameSync(`${file}.new`, file);
    assert.ok((await untilFound(balancer, [b.address, c.address])) < SEEN_MS);
    const had = load.served('a');
    await until('the new one serves', 5_000, () => load.served('c') > 100);
    // Each of four links may have had a request under way.
    assert.ok(load.served('a') <= had + 4);

    writeFileSync(file, '- nonsense\n');
    await until('the fault is told', 5_000, async () => {
      const { state, why } = await sourceOf(balancer);
      return state === 'failing' && /servers\.yaml:1:3: \[0\]: must be an address/.test(why ?? '');
    });
    assert.deepEqual(await addressesOf(balancer), [b.address, c.address].sort());
    const report = await load.stop();
    assert.deepEqual(report.reasons, {});
    const up = [...(await balancer.metrics())].find(([name]) =>
      name.startsWith('evenkeel_discovery_up{pool="web"'),
    );
    assert.equal(up?.[1], 0);
  });

  it('asks a URL, sends validators, holds an empty answer back and survives its end', async (test) => {
    const [a, b] = [await startServer(test, 'a'), await startServer(test, 'b')];
    let list: readonly string[] = [a.address];
    const seen = { asked: 0, unchanged: 0, keys: new Set<string>() };
    const registry = createServer((request, response) => {
      const tag = `"${list.join(',')}"`;
      seen.asked++;
      seen.keys.add(String(request.headers['x-key']));
      if (request.headers['if-none-match'] === tag) {
        seen.unchanged++;
        response.statusCode = 304;
        response.end();
      } else response.setHeader('ETag', tag).end(JSON.stringify({ servers: list }));
    });
    await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
    test.after(() => registry.close());
    const port = await freePort();
    const { port: registryPort } = registry.address() as AddressInfo;
    const http = `http://127.0.0.1:${registryPort}/servers`;
    const balancer = await startBalancer(
      test,
      config(port, { http, headers: { 'x-key': 'hush' }, keepLast: '2s' }),
    );
    assert.deepEqual(await addressesOf(balancer), [a.address]);
    const load = startLoad(test, port);
    await until('traffic', 5_000, () => load.served('a') > 20);
    list = [a.address, b.address];
    assert.ok((await untilFound(balancer, list)) < SEEN_MS);
    list = [b.address];
    assert.ok((await untilFound(balancer, list)) < SEEN_MS);
    await until('unchanged answers', 5_000, () => seen.unchanged > 0);

    list = [];
    await until('it is held back', 5_000, async () => {
      return (await sourceOf(balancer)).state === 'holding';
    });
    assert.deepEqual(await addressesOf(balancer), [b.address]);
    list = [b.address, a.address];
    await untilFound(balancer, list);
    registry.close();
    registry.closeAllConnections();
    await until('its end is told', 5_000, async () => {
      return (await sourceOf(balancer)).state === 'failing';
    });
    assert.equal((await addressesOf(balancer)).length, 2);
    const report = await load.stop();
    assert.deepEqual(report.reasons, {});
    assert.deepEqual([...seen.keys], ['hush']);
    const shown = await balancer.admin('GET', '/v1/config');
    assert.doesNotMatch(shown.body, /hush/);
  });

  it('changes from written to found servers and back without a failed request', async (test) => {
    const [a, b] = [await startServer(test, 'a'), await startServer(test, 'b')];
    const port = await freePort();
    const balancer = await startBalancer(
      test,
      config(port, undefined, { servers: [a.address], discover: undefined }),
    );
    writeFileSync(join(balancer.directory, 'servers.json'), JSON.stringify([b.address]));
    const load = startLoad(test, port);
    await until('traffic', 5_000, () => load.served('a') > 20);
    const found = await balancer.reload(config(port, { file: 'servers.json' }));
    assert.equal(found.status, 200, found.body);
    assert.deepEqual(await addressesOf(balancer), [b.address]);
    await until('traffic', 5_000, () => load.served('b') > 20);
    await balancer.admin('PATCH', `/v1/pools/web/servers/${b.address}`, { weight: 7 });
    const back = await balancer.reload(config(port, undefined, { servers: [a.address] }));
    assert.equal(back.status, 200, back.body);
    assert.deepEqual(await addressesOf(balancer), [a.address]);
    assert.deepEqual((await load.stop()).reasons, {});
  });
});

describe('discovery by DNS', { skip: isDnsmasqThere ? false : 'dnsmasq is not installed' }, () => {
  it('follows A records by their time to live; an end of the name server changes nothing', async (test) => {
    const names = await startDnsmasq(test, { hosts: ['127.0.0.2 app.test', '127.0.0.3 app.test'] });
    const second = await startServer(test, 'two', { host: '127.0.0.2' });
    const at = { port: second.port };
    await startServer(test, 'three', { host: '127.0.0.3', ...at });
    await startServer(test, 'four', { host: '127.0.0.4', ...at });
    const port = await freePort();
    const dns = { dns: 'app.test', port: at.port, resolvers: [names.address] };
    const balancer = await startBalancer(test, config(port, dns));
    const full = (hosts: number[]): string[] => hosts.map((host) => `127.0.0.${host}:${at.port}`);
    assert.deepEqual(await addressesOf(balancer), full([2, 3]));
    const load = startLoad(test, port);
    await until('both serve', 5_000, () => load.served('two') > 20 && load.served('three') > 20);

    names.setHosts(['127.0.0.3 app.test', '127.0.0.4 app.test']);
    // Its answers hold for a second.
    assert.ok((await untilFound(balancer, full([3, 4]))) < 1_000 + SEEN_MS);
    await until('the new one serves', 5_000, () => load.served('four') > 20);

    await names.stop();
    await until('the failure is told', 10_000, async () => {
      return (await sourceOf(balancer)).state === 'failing';
    });
    assert.deepEqual(await addressesOf(balancer), full([3, 4]));
    const had = load.count;
    await until('traffic goes on', 5_000, () => load.count > had + 100);

    await names.start({ hosts: ['127.0.0.4 app.test'] });
    await untilFound(balancer, full([4]));
    assert.equal((await sourceOf(balancer)).state, 'ok');

    // The name is gone: an answer, but one that would take the last server away.
    names.setHosts([]);
    await until('it is held back', 5_000, async () => {
      return (await sourceOf(balancer)).state === 'holding';
    });
    assert.deepEqual(await addressesOf(balancer), full([4]));
    assert.deepEqual((await load.stop()).reasons, {});
  });

  it('obeys weights and priorities of SRV records', async (test) => {
    const servers = await Promise.all(['a', 'b', 'c'].map((name) => startServer(test, name)));
    const [a, b, c] = servers.map(({ port }) => port);
    const hosts = ['127.0.0.1 one.test', '127.0.0.1 two.test'];
    const record = (host: string, to: number, priority: number, weight: number): string =>
      `_http._tcp.app.test,${host},${to},${priority},${weight}`;
    const services = [
      record('one.test', a!, 10, 3),
      record('two.test', b!, 10, 1),
      record('two.test', c!, 20, 100),
    ];
    const names = await startDnsmasq(test, { hosts, services });
    const port = await freePort();
    const dns = { dns: '_http._tcp.app.test', type: 'srv', resolvers: [names.address] };
    const balancer = await startBalancer(
      test,
      config(port, { ...dns, interval: '1s' }, { policy: 'round-robin' }),
    );
    const ask = async (): Promise<string> => {
      const answer = await fetch(`http://127.0.0.1:${port}/`);
      await answer.text();
      return answer.headers.get('x-server') ?? 'none';
    };
    const shares = async (requests: number): Promise<Record<string, number>> => {
      const counts: Record<string, number> = {};
      for (let i = 0; i < requests; i++) {
        const server = await ask();
        counts[server] = (counts[server] ?? 0) + 1;
      }
      return counts;
    };
    // Smooth round robin is exact over whole rounds: 200 requests at 3 to 1.
    assert.deepEqual(await shares(200), { a: 150, b: 50 });

    await names.stop();
    await names.start({ hosts, services: [record('one.test', a!, 10, 1), services[2]!] });
    await untilFound(balancer, [`127.0.0.1:${a}`, `127.0.0.1:${c}`]);
    assert.deepEqual(await shares(20), { a: 20 });
    servers[0]!.server.close();
    servers[0]!.server.closeAllConnections();
    // The one of the next priority takes over, once the first is known to be gone.
    await until('the backup takes over', 5_000, async () => (await ask()) === 'c');
    assert.deepEqual(await shares(20), { c: 20 });
  });
});
