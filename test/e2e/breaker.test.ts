import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { PoolHealthReport } from '../../src/control/report/health-report.ts';
import { fetchOnce } from './client.ts';
import { drivers } from './drivers.ts';
import { startCounting } from './failing-servers.ts';
import { runCommand, startBalancer } from './harness.ts';
import { freePort } from './ports.ts';
import { field } from './response-reader.ts';
import { until } from './waiting.ts';

for (const { name: driver, skip } of await drivers()) {
  describe(`the circuit breaker, ${driver}`, { skip }, () => {
    it('opens, answers circuit-open, lets only trials through, opens again, closes; and says why', async (test) => {
      let isSick = true;
      const servers = await Promise.all(
        [0, 1].map(() =>
          startCounting(test, (_, response) => {
            response.statusCode = isSick ? 500 : 200;
            response.end('from the server');
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
              outlier: false,
              breaker: { errors: '50%', minimum: 10, window: '10s', open: '2s', halfOpen: 3 },
            },
          },
          workers: 2,
          log: { access: './access.log' },
        },
        { driver },
      );
      const upstream = (): number => servers.reduce((sum, one) => sum + one.requests(), 0);
      const changes = async (): Promise<readonly string[]> => {
        const { body } = await balancer.admin('GET', '/v1/pools/web/health');
        return (JSON.parse(body) as PoolHealthReport).breaker?.map(({ state }) => state) ?? [];
      };
      const refused = await until('the breaker opens', 30_000, async () => {
        const answer = await fetchOnce(port, '/');
        return answer.status === 503 ? answer : null;
      });
      assert.match(String(refused.body), /^circuit-open: too many requests to this pool failed/);
      assert.equal(field(refused, 'retry-after'), '2');
      assert.ok(upstream() >= 10, `${upstream()} requests before it opened`);
      const before = upstream();
      // Requests all the time, on both workers: what comes through are trials, three each time.
      await until('it tries, and opens again', 30_000, async () => {
        await fetchOnce(port, '/');
        return (await changes()).filter((state) => state === 'open').length >= 2;
      });
      const tries = (await changes()).filter((state) => state === 'half-open').length;
      assert.ok(upstream() - before <= 3 * tries, `${upstream() - before} in ${tries} tries`);
      assert.ok(upstream() > before, 'it was tried');
      const { condition, why } = (await balancer.status()).pools[0]!;
      if (condition === 'open') assert.match(why, /trials failed; open for 2 s/);
      isSick = false;
      await until('it closes', 30_000, async () => {
        await fetchOnce(port, '/');
        return (await changes()).at(-1) === 'closed';
      });
      for (let i = 0; i < 20; i++) assert.equal((await fetchOnce(port, '/')).status, 200);
      const told = await runCommand(['health', 'web', '--why', '--socket', balancer.socketPath]);
      assert.equal(told.code, 0, told.stderr);
      assert.match(
        told.stdout,
        /(?:ago|just now) +open: \d+ of the last \d+ attempts failed; open for 2 s/,
      );
      assert.match(
        told.stdout,
        /(?:ago|just now) {2}half-open: its time is over: 3 requests try it/,
      );
      assert.match(told.stdout, /(?:ago|just now) +open: \d of \d trials failed; open for 2 s/);
      assert.match(told.stdout, /(?:ago|just now) {2}closed: \d of \d trials ended well/);
      const metrics = await balancer.metrics();
      assert.ok((metrics.get('evenkeel_pool_without_server_total{pool="web"}') ?? 0) > 0);
      const lines = await until('the log', 10_000, () => {
        const text = readFileSync(join(balancer.directory, 'access.log'), 'utf8');
        return text.split('\n').filter((line) => line.includes('"reason":"circuit-open"'));
      });
      assert.ok(lines.length > 0);
      const { status, server, attempts } = JSON.parse(lines[0]!) as Record<string, unknown>;
      assert.deepEqual({ status, server, attempts }, { status: 503, server: null, attempts: 0 });
    });
  });
}
