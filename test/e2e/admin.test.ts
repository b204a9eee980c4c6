import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fetchOnce } from './client.ts';
import { adminCall, type Balancer, findFile, startBalancer } from './harness.ts';
import { startOrigins } from './origins.ts';
import { freePort } from './ports.ts';
import { field } from './response-reader.ts';
import { until } from './waiting.ts';

describe('the admin API', () => {
  it('guards changes with a token, and Host and Origin always', async (test) => {
    const origins = await startOrigins(test, 2);
    const [port, adminPort] = [await freePort(), await freePort()];
    const balancer: Balancer = await startBalancer(test, {
      listeners: [`127.0.0.1:${port}`],
      pools: { web: origins.map(({ address }) => address) },
      admin: { address: `127.0.0.1:${adminPort}` },
      workers: 1,
      log: { access: 'off' },
    });
    assert.equal(statSync(balancer.socketPath).mode & 0o777, 0o600);
    const over = (headers: Record<string, string>, method = 'GET', path = '/v1/status') =>
      adminCall({ host: '127.0.0.1', port: adminPort, headers }, method, path);
    assert.equal((await over({})).status, 200, 'reads are open on loopback');
    assert.equal((await over({}, 'GET', '/healthz')).status, 200);
    assert.equal((await over({ host: 'evil.test' })).status >= 400, true, 'Host is checked');
    assert.equal((await over({ origin: 'https://evil.test' })).status, 403, 'Origin is checked');
    assert.equal((await over({}, 'POST', '/v1/reload')).status, 401, 'a change without a token');
    const wrong = await over({ authorization: 'Bearer nonsense' }, 'POST', '/v1/reload');
    assert.ok([401, 403].includes(wrong.status));
    const tokenFile = findFile(balancer.directory, '.token');
    assert.ok(tokenFile !== null, 'a token file beside the socket');
    assert.equal(statSync(tokenFile).mode & 0o777, 0o600);
    const token = readFileSync(tokenFile, 'utf8').trim();
    const right = await over({ authorization: `Bearer ${token}` }, 'POST', '/v1/reload');
    assert.equal(right.status, 200, right.body);
    const unknown = await over({ authorization: `Bearer ${token}` }, 'DELETE', '/v1/reload');
    assert.equal(unknown.status, 405);
    assert.equal((await over({}, 'GET', '/nowhere')).status, 404);
  });

  it('drains, re-admits, weighs, adds and removes a server at run time', async (test) => {
    const origins = await startOrigins(test, 3);
    const port = await freePort();
    const [first, second, third] = origins.map(({ address }) => address) as [
      string,
      string,
      string,
    ];
    const balancer = await startBalancer(test, {
      listeners: [`127.0.0.1:${port}`],
      pools: { web: { policy: 'round-robin', servers: [first, second] } },
      workers: 2,
      log: { access: 'off' },
    });
    const names = async (): Promise<Set<string>> => {
      const seen = new Set<string>();
      for (let index = 0; index < 12; index++) {
        seen.add(field(await fetchOnce(port, '/'), 'x-server') ?? 'none');
      }
      return seen;
    };
    const becomes = (wanted: string): Promise<boolean> =>
      until(
        `servers ${wanted}`,
        10_000,
        async () => [...(await names())].sort().join('') === wanted,
      );
    const server = `/v1/pools/web/servers/${encodeURIComponent(first)}`;
    await becomes('ab');
    assert.ok((await balancer.admin('PATCH', server, { draining: true })).status < 300);
    await becomes('b');
    assert.ok((await balancer.admin('PATCH', server, { draining: false })).status < 300);
    await becomes('ab');
    assert.ok((await balancer.admin('PATCH', server, { weight: 0 })).status < 300);
    await becomes('b');
    assert.ok(
      (await balancer.admin('POST', '/v1/pools/web/servers', { address: third })).status < 300,
    );
    await becomes('bc');
    assert.ok(
      (await balancer.admin('DELETE', `/v1/pools/web/servers/${encodeURIComponent(second)}`))
        .status < 300,
    );
    await becomes('c');
  });
});
