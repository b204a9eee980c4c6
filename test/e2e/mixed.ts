import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { Client } from './client.ts';
import { type Balancer, startBalancer, untilServersAre } from './harness.ts';
import { Load, type LoadReport } from './load.ts';
import { type Origin, startOrigin, startOrigins } from './origins.ts';
import { freePort } from './ports.ts';
import { until } from './waiting.ts';

/** What one run of the mixed load measured. */
export interface MixedReport {
  readonly requests: number;
  readonly rounds: number;
  readonly residentBytes: readonly number[];
  readonly descriptors: readonly number[];
}

async function usage(balancer: Balancer): Promise<{ resident: number; descriptors: number }> {
  const { balancer: pid } = (await balancer.status()).pids;
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return {
    resident: Number(match![1]) * 1024,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
  };
}

const kinds: ((id: string) => { text: string; method: string })[] = [
  (id) => ({ text: `GET / HTTP/1.1\r\nHost: lb.test\r\nX-Id: ${id}\r\n\r\n`, method: 'GET' }),
  (id) => ({
    text: `GET /big?bytes=200000 HTTP/1.1\r\nHost: lb.test\r\nX-Id: ${id}\r\n\r\n`,
    method: 'GET',
  }),
  (id) => ({
    text: `POST /echo HTTP/1.1\r\nHost: lb.test\r\nX-Id: ${id}\r\nContent-Length: 3000\r\n\r\n${'p'.repeat(3000)}`,
    method: 'POST',
  }),
  (id) => ({
    text: `GET /stream?ms=20&parts=4 HTTP/1.1\r\nHost: lb.test\r\nX-Id: ${id}\r\n\r\n`,
    method: 'GET',
  }),
  (id) => ({ text: `HEAD / HTTP/1.1\r\nHost: lb.test\r\nX-Id: ${id}\r\n\r\n`, method: 'HEAD' }),
  (id) => ({
    text: `GET /status?code=404 HTTP/1.1\r\nHost: lb.test\r\nX-Id: ${id}\r\n\r\n`,
    method: 'GET',
  }),
];

/**
 * Mixed traffic for `durationMs` while servers die, return and the configuration changes; then the
 * counters must add up and memory, descriptors and links must be level. Errors: throws on any breach.
 */
export async function runMixed(
  test: Pick<TestContext, 'after'>,
  options: { readonly driver: 'uring' | 'portable'; readonly durationMs: number },
): Promise<MixedReport> {
  const origins = await startOrigins(test, 3);
  const port = await freePort();
  const config = (count: number): unknown => ({
    listeners: [`127.0.0.1:${port}`],
    pools: {
      web: {
        servers: origins.slice(0, count).map(({ address }) => address),
        probe: { type: 'http', path: '/healthz', interval: '500ms', timeout: '400ms' },
      },
    },
    workers: 2,
    log: { access: 'off' },
  });
  const balancer = await startBalancer(test, config(3), { driver: options.driver });
  await untilServersAre(balancer, 'up', 3);
  const loads = kinds.map(
    (request) =>
      new Load({
        port,
        links: 4,
        request,
        requestsPerLink: 200,
        accepts: ({ status }) => status === 200 || status === 404,
      }),
  );
  const done = (): number => loads.reduce((sum, load) => sum + load.count, 0);
  const end = performance.now() + options.durationMs;
  const resident: number[] = [];
  const descriptors: number[] = [];
  let rounds = 0;
  while (performance.now() < end) {
    await disturb(test, balancer, origins, config, rounds);
    const at = done();
    await until('traffic after the change', 20_000, () => done() > at + 200);
    const now = await usage(balancer);
    resident.push(now.resident);
    descriptors.push(now.descriptors);
    rounds++;
  }
  // The last change stands: what the server had that left must not be missing in any sum.
  const before = done();
  await balancer.reload(config(2));
  await until('traffic without the server', 20_000, () => done() > before + 200);
  const reports = await Promise.all(loads.map((load) => load.stop()));
  checkReports(reports);
  const requests = reports.reduce((sum, report) => sum + report.requests, 0);
  await refusedOne(port);
  await checkCounters(balancer, requests + 1);
  return { requests, rounds, residentBytes: resident, descriptors };
}

/** One change: a server dies and returns, a reload, a client that aborts. */
async function disturb(
  test: Pick<TestContext, 'after'>,
  balancer: Balancer,
  origins: Origin[],
  config: (count: number) => unknown,
  round: number,
): Promise<void> {
  if (round % 3 === 0) {
    const index = round % 2;
    const { name, port } = origins[index]!;
    // Graceful for what runs: drained first, so that a POST in flight is not lost with its server.
    const path = `/v1/pools/web/servers/${encodeURIComponent(origins[index]!.address)}`;
    await balancer.admin('PATCH', path, { draining: true });
    await until('the server is idle', 15_000, async () => {
      const servers = (await balancer.status()).pools[0]!.servers;
      return servers[index]!.inFlight === 0;
    });
    await origins[index]!.kill();
    origins[index] = await startOrigin(test, { name, port });
    await balancer.admin('PATCH', path, { draining: false });
    return;
  }
  if (round % 3 === 1) {
    await balancer.reload(config(2));
    await balancer.reload(config(3));
    return;
  }
  await abortOne(balancer);
}

/** A client that leaves in the middle of its answer; it is counted like any other request. */
async function abortOne(balancer: Balancer): Promise<void> {
  const status = await balancer.status();
  const client = await new Client({ port: status.listeners[0]!.port }).open();
  client.destroy();
}

/** A request that is answered here and never has a server. */
async function refusedOne(port: number): Promise<void> {
  const client = await new Client({ port }).open();
  assert.equal((await client.request('GET / HTTP/1.1\r\n\r\n')).status, 400);
  client.destroy();
}

function checkReports(reports: readonly LoadReport[]): void {
  for (const report of reports) {
    assert.deepEqual(report.reasons, {});
    assert.equal(report.failures, 0);
  }
}

const classes = ['1xx', '2xx', '3xx', '4xx', '5xx', 'aborted'] as const;

/**
 * The equations of docs/reference/counters.md, in the metrics and in the status, whatever left:
 * clients = listeners = statuses; a pool = its servers + those without any; all pools likewise.
 */
async function checkCounters(balancer: Balancer, requests: number): Promise<void> {
  await until('nothing in flight and no link', 15_000, async () => {
    const status = await balancer.status();
    const inFlight = status.pools
      .flatMap((pool) => [...pool.servers, ...pool.removed])
      .map((one) => one.inFlight);
    return inFlight.every((one) => one === 0) && status.listeners[0]!.links === 0;
  });
  const metrics = await balancer.metrics();
  const sum = (start: string, part = ''): number => {
    let total = 0;
    for (const [name, value] of metrics) {
      if (name.startsWith(`${start}{`) && name.includes(part)) total += value;
    }
    return total;
  };
  assert.equal(sum('evenkeel_listener_requests_total'), requests, 'what clients counted');
  for (const owner of ['listener', 'route', 'pool', 'server']) {
    const name = `evenkeel_${owner}`;
    const statuses = sum(`${name}_responses_total`) + sum(`${name}_aborted_total`);
    assert.equal(statuses, sum(`${name}_requests_total`), `${owner}: over statuses`);
    if (owner === 'server') continue;
    const served = sum('evenkeel_server_requests_total') + sum(`${name}_without_server_total`);
    assert.equal(served, sum(`${name}_requests_total`), `${owner}: over servers`);
  }
  const { pools, removed } = await balancer.status();
  const all = [...pools.map((pool) => ({ ...pool, servers: [...pool.servers, ...pool.removed] }))];
  for (const pool of [...all, ...removed.pools]) {
    const served = pool.servers.reduce((total, server) => total + server.requests, 0);
    assert.equal(served + pool.withoutServer, pool.requests, `pool ${pool.name} in the status`);
    const label = `pool="${pool.name}"`;
    assert.equal(sum('evenkeel_server_requests_total', label), served, `${label} in the metrics`);
  }
  for (const { name, responses, requests: count } of pools) {
    const total = classes.reduce((all, each) => all + responses[each], 0);
    assert.equal(total, count, `statuses of pool ${name} in the status`);
  }
}
