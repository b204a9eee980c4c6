import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Explanation } from '../../src/control/explain/explanation.ts';
import type { GeoFiles } from '../../src/model/snapshot.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { ConfigSources } from '../../src/process/config-sources.ts';
import { Client } from './client.ts';
import { drivers } from './drivers.ts';
import { type Balancer, runCommand, startBalancer } from './harness.ts';
import { mmdbOf } from './mmdb.ts';
import { freePort } from './ports.ts';
import { field } from './response-reader.ts';
import { type RoutingRow, routingRoutes, routingRows } from './routing-table.ts';
import { until } from './waiting.ts';

const countries = {
  '192.0.2.0/24': { country: { iso_code: 'DE' }, continent: { code: 'EU' } },
  '2001:db8:a::/48': { country: { iso_code: 'AT' } },
  '198.51.100.0/24': { country_code: 'JP' },
  '2001:db8:c::/48': { country: { iso_code: 'IN' }, continent: { code: 'AS' } },
};
const systems = {
  '100.64.0.0/10': { autonomous_system_number: 64500 },
  '198.51.100.0/26': { asn: 'AS64500' },
};

interface World {
  readonly balancer: Balancer;
  readonly port: number;
  readonly directory: string;
}

/** One server that says by its `Host` line's port, and so by its own address, which pool it is. */
async function startPools(
  test: TestContext,
  names: readonly string[],
): Promise<Record<string, string[]>> {
  const pools: Record<string, string[]> = {};
  for (const name of names) {
    const server = createServer((request, response) => {
      request.resume();
      response.setHeader('X-Pool', name).end(name);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    test.after(() => server.closeAllConnections());
    test.after(() => server.close());
    pools[name] = [`127.0.0.1:${(server.address() as AddressInfo).port}`];
  }
  return pools;
}

async function startWorld(test: TestContext, driver: 'portable' | 'uring'): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'evenkeel-routing-'));
  test.after(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(
    join(directory, 'blocked.txt'),
    '# ours\n198.18.0.7\n\n2001:db8:bad::/48 # theirs\n',
  );
  writeFileSync(join(directory, 'country.mmdb'), mmdbOf('country', countries));
  writeFileSync(join(directory, 'asn.mmdb'), mmdbOf('asn', systems));
  const routes = routingRoutes.map((route) =>
    'respond' in route ? route : { ...route, pool: route['name'] },
  );
  const port = await freePort();
  const pools = await startPools(
    test,
    routingRoutes.map(({ name }) => String(name)).filter((name) => name !== 'blocked'),
  );
  const config = JSON.stringify({
    listeners: [{ name: 'web', address: `127.0.0.1:${port}` }],
    trustedPeers: ['127.0.0.1/32'],
    geo: { country: join(directory, 'country.mmdb'), asn: join(directory, 'asn.mmdb') },
    routes,
    pools,
    workers: 1,
    log: { access: 'off' },
  }).replace('file:blocked.txt', `file:${join(directory, 'blocked.txt')}`);
  return { balancer: await startBalancer(test, config, { driver }), port, directory };
}

/** Who serves a row: the name of its pool, or the body of a fixed answer. */
async function served({ port }: World, row: RoutingRow): Promise<string> {
  const localAddress = row.isStranger ? '127.0.0.2' : '127.0.0.1';
  const client = await new Client({ port, localAddress }).open();
  const length = Number(/content-length: *(\d+)/i.exec(row.headers.join('\n'))?.[1] ?? 0);
  const isChunked = row.headers.some((line) => /chunked/.test(line));
  const lines = [
    `${row.method} ${row.target} HTTP/1.${row.minor}`,
    `Host: ${row.host}`,
    ...row.headers,
  ];
  client.send(`${lines.join('\r\n')}\r\n\r\n${isChunked ? '0\r\n\r\n' : 'x'.repeat(length)}`);
  const answer = await client.response(row.method);
  client.destroy();
  if (answer === null) return 'nobody';
  return field(answer, 'x-pool') ?? answer.body.toString();
}

async function explained({ balancer }: World, row: RoutingRow): Promise<Explanation> {
  const answer = await balancer.admin('POST', '/v1/explain', {
    method: row.method,
    url: `http://${row.host}${row.target}`,
    headers: row.headers,
    ip: row.isStranger ? '127.0.0.2' : '127.0.0.1',
    protocol: `http/1.${row.minor}`,
  });
  assert.equal(answer.status, 200, answer.body);
  return JSON.parse(answer.body) as Explanation;
}

for (const { name: driver, skip } of await drivers()) {
  describe(`routing, ${driver}`, { skip }, () => {
    it('sends each of 120 requests where the configuration says, and explain agrees', async (test) => {
      const world = await startWorld(test, driver);
      assert.equal(routingRows.length, 120);
      for (const row of routingRows) {
        const told = `${row.method} ${row.host}${row.target.slice(0, 80)} ${row.headers.join('; ')}`;
        assert.equal(await served(world, row), row.to, told);
        const explanation = await explained(world, row);
        assert.equal(explanation.route, row.to, `explain of ${told}`);
        if (row.to === 'blocked') assert.deepEqual(explanation.pools, []);
        else assert.equal(explanation.pools[0]?.pool, row.to);
        // Every route before it says what it misses.
        const taken = explanation.routes.findIndex(({ verdict }) => verdict === 'taken');
        for (const { route, verdict, misses } of explanation.routes.slice(0, taken)) {
          assert.equal(verdict, 'no', `${route} for ${told}`);
          assert.ok(misses.length > 0 && misses.every(({ found }) => found !== ''), route);
        }
      }
    });

    it('follows a changed list and a changed database without a word', async (test) => {
      const world = await startWorld(test, driver);
      const from = (address: string): RoutingRow => ({
        ...routingRows[0]!,
        headers: [`X-Forwarded-For: ${address}`],
      });
      assert.equal(await served(world, from('192.0.2.1')), 'german');
      assert.equal(await served(world, from('198.18.0.8')), 'all');
      const replace = (name: string, content: string | Buffer): void => {
        const path = join(world.directory, name);
        writeFileSync(`${path}.new`, content);
        renameSync(`${path}.new`, path);
      };
      replace('country.mmdb', mmdbOf('country', { '198.18.0.0/24': { country_code: 'AT' } }));
      await until('the new database', 10_000, async () => {
        return (await served(world, from('198.18.0.8'))) === 'german';
      });
      assert.equal(await served(world, from('192.0.2.1')), 'all');
      replace('blocked.txt', '198.18.0.8\n');
      await until('the new list', 10_000, async () => {
        return (await served(world, from('198.18.0.8'))) === 'blocked';
      });
      assert.equal(await served(world, from('198.18.0.7')), 'german');
      // A broken one changes nothing.
      replace('blocked.txt', 'everybody\n');
      await until('the refusal', 10_000, async () => {
        return (await world.balancer.status()).configuration.lastReload?.ok === false;
      });
      assert.equal(await served(world, from('198.18.0.8')), 'blocked');
    });
  });
}

it('explain tells a person, from the running balancer and from a file', async (test) => {
  const world = await startWorld(test, 'portable');
  const words = ['explain', 'GET', '/admin/x', '--header', 'Host: a.example.com'];
  const running = await runCommand([...words, '--socket', world.balancer.socketPath]);
  assert.equal(running.code, 0, running.stderr);
  assert.match(running.stdout, /admin +no: client requires 10\.0\.0\.0\/8, found 127\.0\.0\.1\n/);
  assert.match(running.stdout, /all +TAKES it\n/);
  assert.match(
    running.stdout,
    /\n {4}127\.0\.0\.1:\d+ +in +about 100% of such requests, weight 1, 0 in flight\n +nothing speaks against it/,
  );
  assert.match(running.stdout, /would pick 127\.0\.0\.1:\d+/);
  const file = await runCommand([
    ...words,
    '--ip',
    '10.2.3.4',
    '-c',
    world.balancer.configFile,
    '--json',
  ]);
  assert.equal((JSON.parse(file.stdout) as Explanation).route, 'admin');
  const wrong = await runCommand(['explain', 'GET', 'nowhere', '-c', world.balancer.configFile]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /Cannot explain as a URL .* is required: current value is nowhere/);
});

it('the default database of countries knows where addresses are', async (test) => {
  const pools = await startPools(test, ['german', 'other']);
  const port = await freePort();
  const balancer = await startBalancer(test, {
    listeners: [`127.0.0.1:${port}`],
    trustedPeers: ['127.0.0.1'],
    routes: [{ match: { country: 'DE' }, pool: 'german' }, { pool: 'other' }],
    pools,
    workers: 1,
    log: { access: 'off' },
  });
  const world = { balancer, port, directory: '' };
  const from = (address: string): RoutingRow => ({
    ...routingRows[0]!,
    headers: [`X-Forwarded-For: ${address}`],
  });
  // Deutsche Telekom's oldest block, and a public resolver of an American company.
  assert.equal(await served(world, from('2003::1')), 'german');
  assert.equal(await served(world, from('8.8.8.8')), 'other');
});

it('ConfigSources keeps the databases in force, however often another one changes', async (test) => {
  const directory = mkdtempSync(join(tmpdir(), 'evenkeel-routing-'));
  test.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'any.mmdb');
  writeFileSync(path, mmdbOf('asn', systems));
  const sources = new ConfigSources({ source: { kind: 'file', path } } as never, systemClock);
  const geoOf = (mark: string): GeoFiles => ({
    country: { path, mark },
    asn: { path, mark: 'same' },
  });
  for (let change = 0; change < 8; change++) {
    const geo = geoOf(String(change));
    assert.deepEqual(await sources.open({ geo, files: [] } as never), []);
    assert.ok(sources.geoBytes(geo)?.country && sources.geoBytes(geo)?.asn, `change ${change}`);
  }
  // Reloads that are refused afterwards never reach the workers.
  for (let refused = 0; refused < 8; refused++) {
    await sources.open({ geo: geoOf(`refused ${refused}`), files: [] } as never);
  }
  assert.ok(sources.geoBytes(geoOf('7'))?.country);
});
