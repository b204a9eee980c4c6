import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Client, fetchOnce } from './client.ts';
import { drivers } from './drivers.ts';
import { adminCall, type Balancer, root, startBalancer } from './harness.ts';
import { Load, type LoadReport } from './load.ts';
import { startOrigins } from './origins.ts';
import { freePort } from './ports.ts';
import { until } from './waiting.ts';

/** Upgrades in a row; the whole drill of ten is `EVENKEEL_UPGRADES=10`. */
const UPGRADES = Number(process.env['EVENKEEL_UPGRADES'] ?? '3');
/** Long enough for idle links, short enough for a test. */
const DRAIN_MS = 5_000;

/** Beyond the time that the supervisor gives a successor. */
const UPGRADE_MS = 40_000;

interface Upgraded {
  readonly pid: number;
}

async function upgrade(balancer: Balancer): Promise<number> {
  const { socketPath } = balancer;
  const answer = await adminCall({ socketPath }, 'POST', '/v1/upgrade', undefined, UPGRADE_MS);
  assert.equal(answer.status, 200, `${answer.body}\n${balancer.output}`);
  return (JSON.parse(answer.body) as Upgraded).pid;
}

const totalOf = (metrics: Map<string, number>): number => {
  let total = 0;
  for (const [name, value] of metrics) {
    if (name.startsWith('evenkeel_server_requests_total')) total += value;
  }
  return total;
};

/** A program folder of our own, whose `bin/evenkeel` is a link to be led elsewhere. */
function programFolder(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-program-'));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

for (const { name: driver, skip } of await drivers()) {
  describe(`upgrade, ${driver}`, { skip }, () => {
    it(`${UPGRADES} in a row under load lose no request and no WebSocket before its deadline`, async (test) => {
      const origins = await startOrigins(test, 2);
      const port = await freePort();
      const balancer = await startBalancer(
        test,
        {
          listeners: [`127.0.0.1:${port}`],
          pools: { web: { servers: origins.map(({ address }) => address), probe: '/' } },
          workers: 2,
          timeouts: { drain: `${DRAIN_MS}ms` },
          log: { access: 'off' },
        },
        { driver },
      );
      const socket = await new Client({ port, timeoutMs: 20_000 }).open();
      test.after(() => socket.destroy());
      socket.send(
        'GET /socket HTTP/1.1\r\nHost: lb.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      );
      assert.equal((await socket.response())?.status, 101);
      const kept = new Load({ port, links: 30 });
      const fresh = new Load({ port, links: 20, requestsPerLink: 5 });
      // Before the balancer's own end, which would otherwise never come.
      const stopped = (): Promise<LoadReport[]> => Promise.all([kept.stop(), fresh.stop()]);
      test.after(async () => void (await stopped()));
      await until('traffic', 10_000, () => kept.count > 200 && fresh.count > 200);
      const pids = [(await balancer.status()).pids.balancer];
      let counted = totalOf(await balancer.metrics());
      let leftAt = 0;
      for (let round = 0; round < UPGRADES; round++) {
        const pid = await upgrade(balancer);
        if (leftAt === 0) leftAt = performance.now();
        assert.ok(!pids.includes(pid), 'another process');
        pids.push(pid);
        const now = totalOf(await balancer.metrics());
        assert.ok(now >= counted, `counters went back from ${counted} to ${now}`);
        counted = now;
        const { pools, pids: living } = await balancer.status();
        assert.equal(living.balancer, pid);
        for (const { state, history } of pools[0]!.servers) {
          assert.equal(state, 'up');
          assert.ok(history.length <= 1, 'no verdict flaps');
        }
        if (performance.now() - leftAt < DRAIN_MS - 500)
          assert.ok(!socket.isClosed && !socket.isEnded);
        const before = kept.count;
        await until('traffic goes on', 10_000, () => kept.count > before + 100);
      }
      await until('the WebSocket ends with its balancer', DRAIN_MS + 5_000, () => socket.isClosed);
      const livedMs = performance.now() - leftAt;
      assert.ok(livedMs > DRAIN_MS - 500, `it lived ${livedMs.toFixed(0)} ms`);
      const reports = await stopped();
      for (const report of reports) {
        assert.equal(report.failures, 0, JSON.stringify(report.reasons));
        assert.equal(report.refused, 0);
      }
      await until('the ones before have ended', DRAIN_MS + 8_000, async () => {
        return (await balancer.status()).pids.leaving.length === 0;
      });
      const answered = reports.reduce((sum, report) => sum + report.requests, 0);
      // Of the leaving ones the WebSocket's own is one more; nothing is lost or counted twice.
      let total = 0;
      await until('every request is counted', 5_000, async () => {
        total = totalOf(await balancer.metrics());
        return total === answered + 1;
      }).catch(() => assert.equal(total, answered + 1));
    });

    it('takes the program that the link leads to now, and stays when that one is broken', async (test) => {
      const [origin] = await startOrigins(test, 1);
      const port = await freePort();
      const folder = programFolder(test);
      const next = join(folder, 'next');
      cpSync(join(root, 'src'), join(next, 'src'), { recursive: true });
      mkdirSync(join(next, 'bin'));
      cpSync(join(root, 'bin', 'evenkeel'), join(next, 'bin', 'evenkeel'));
      symlinkSync(join(root, 'node_modules'), join(next, 'node_modules'));
      writeFileSync(join(next, 'package.json'), '{"version":"9.9.9","type":"module"}');
      const link = join(folder, 'current');
      symlinkSync(root, link);
      const balancer = await startBalancer(
        test,
        { listeners: [`127.0.0.1:${port}`], pools: { web: [origin!.address] }, workers: 1 },
        { driver, command: join(link, 'bin', 'evenkeel') },
      );
      const { balancer: first } = (await balancer.status()).pids;
      rmSync(link);
      symlinkSync(next, link);
      await upgrade(balancer);
      assert.equal((await balancer.status()).version, '9.9.9');
      const second = (await balancer.status()).pids.balancer;
      assert.notEqual(second, first);

      writeFileSync(
        join(next, 'src', 'process', 'balancer.ts'),
        'throw new Error("broken build");\n',
      );
      const refused = await balancer.admin('POST', '/v1/upgrade');
      assert.equal(refused.status, 502, refused.body);
      assert.match(refused.body, /broken build|does not provide an export/);
      assert.equal((await balancer.status()).pids.balancer, second);
      assert.equal((await fetchOnce(port, '/')).status, 200);
      // The one that stays still takes changes.
      assert.equal((await balancer.admin('POST', '/v1/reload')).status, 200);
      balancer.writeConfig('listeners: [":nonsense"]\n');
      const misconfigured = await balancer.admin('POST', '/v1/upgrade');
      assert.equal(misconfigured.status, 502, misconfigured.body);
    });
  });
}
