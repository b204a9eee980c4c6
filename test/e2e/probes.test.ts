import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Balancer, startBalancer, untilServersAre } from './harness.ts';
import { PacedLoad } from './paced-load.ts';
import { freePort } from './ports.ts';
import { SickServer, startSickServers } from './sick-server.ts';
import { until } from './waiting.ts';

/** A balancer over some servers that are probed as told. */
async function start(
  test: TestContext,
  servers: readonly SickServer[],
  pool: Readonly<Record<string, unknown>>,
): Promise<{ balancer: Balancer; port: number }> {
  const port = await freePort();
  const balancer = await startBalancer(test, {
    listeners: [`127.0.0.1:${port}`],
    pools: {
      web: { servers: servers.map(({ address }) => address), policy: 'round-robin', ...pool },
    },
    log: { access: 'off' },
  });
  return { balancer, port };
}

async function stateOf(balancer: Balancer, index: number): Promise<string> {
  const server = (await balancer.status()).pools[0]!.servers[index]!;
  return `${server.state}: ${server.why}`;
}

describe('probes', () => {
  it('lets a program decide about a server, by its exit code and output', async (test) => {
    const directory = mkdtempSync(join(tmpdir(), 'evenkeel-probe-'));
    test.after(() => rmSync(directory, { recursive: true, force: true }));
    const servers = await startSickServers(test, 2);
    const script = join(directory, 'check');
    writeFileSync(
      script,
      `#!/bin/sh\n[ ! -e ${directory}/$EVENKEEL_PORT ] && exit 0\necho "marked by hand"\nexit 3\n`,
    );
    chmodSync(script, 0o755);
    const probe = { type: 'exec', command: script, interval: '200ms', fall: 2 };
    const { balancer } = await start(test, servers, { probe });
    await untilServersAre(balancer, 'up', 2);
    writeFileSync(join(directory, String(servers[0]!.port)), '');
    await until('the marked one is down', 10_000, async () => {
      return (await stateOf(balancer, 0)) === 'down: probe: exit code 3: marked by hand';
    });
    assert.match(await stateOf(balancer, 1), /^up: probe: exit code 0/);
  });

  it('lets an agent weigh, drain and take out its server', async (test) => {
    const agentPort = await freePort();
    // Every server has its own agent at that port; this is the first one's line.
    let line = 'up 25%';
    const servers: SickServer[] = [];
    for (const [index, host] of ['127.0.0.1', '127.0.0.2'].entries()) {
      const agent: Server = createServer((socket) => {
        socket.on('error', () => {});
        socket.end(index === 0 ? `${line}\n` : 'up\n');
      });
      await new Promise<void>((resolve) => agent.listen(agentPort, host, resolve));
      test.after(() => agent.close());
      const server = new SickServer(index, host);
      await server.open();
      test.after(() => server.close());
      servers.push(server);
    }
    const probes = [{ path: '/healthz' }, { type: 'agent', port: agentPort, interval: '200ms' }];
    const { balancer, port } = await start(test, servers, { probes });
    await untilServersAre(balancer, 'up', 2);
    await until('the agents have been heard', 10_000, async () => {
      return /agent says up 25%/.test(await stateOf(balancer, 0));
    });
    const load = new PacedLoad({ port, links: 2, pauseMs: 5 });
    const before = servers.map(({ requests }) => requests);
    await until('traffic', 20_000, () => load.report.requests >= 200);
    await load.stop();
    const [first, second] = servers.map(({ requests }, index) => requests - before[index]!);
    // A quarter of a whole: one of five.
    assert.ok(first! * 3.5 < second! && first! * 4.5 > second!, `${first} to ${second}`);
    line = 'drain';
    await untilServersAre(balancer, 'draining', 1);
    assert.equal(await stateOf(balancer, 0), 'draining: its agent says drain');
    line = 'ready 100% down #disk full';
    await untilServersAre(balancer, 'down', 1);
    assert.match(await stateOf(balancer, 0), /agent says down: disk full/);
    line = 'up';
    await untilServersAre(balancer, 'up', 2);
  });
});
