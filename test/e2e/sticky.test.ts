import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fetchOnce } from './client.ts';
import { drivers } from './drivers.ts';
import { type Balancer, startBalancer } from './harness.ts';
import { type Origin, startOrigins } from './origins.ts';
import { freePort } from './ports.ts';
import { field } from './response-reader.ts';
import { until } from './waiting.ts';

/** Where the balancers of one test keep their secret. */
function stateOf(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-state-'));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const configOf = (port: number, origins: readonly Origin[]) => ({
  listeners: [`127.0.0.1:${port}`],
  log: { access: 'off' },
  workers: 2,
  pools: { web: { servers: origins.map(({ address }) => address), sticky: 'seat' } },
});

/** A request on a link of its own: who answered, and the cookie that came. */
async function ask(port: number, cookie = ''): Promise<{ name: string; cookie: string | null }> {
  const answer = await fetchOnce(port, '/', cookie === '' ? '' : `Cookie: ${cookie}\r\n`);
  assert.equal(answer.status, 200);
  const set = field(answer, 'set-cookie');
  return { name: field(answer, 'x-server') ?? 'none', cookie: set?.split(';')[0] ?? null };
}

/** Twelve clients with the servers that they got and their cookies. */
async function sessionsOf(port: number): Promise<Map<string, string>> {
  const sessions = new Map<string, string>();
  for (let client = 0; client < 12; client++) {
    const { name, cookie } = await ask(port);
    assert.ok(cookie);
    sessions.set(cookie, name);
  }
  assert.equal(new Set(sessions.values()).size, 3);
  return sessions;
}

async function assertKept(port: number, sessions: ReadonlyMap<string, string>): Promise<void> {
  for (const [cookie, name] of sessions) {
    assert.deepEqual(await ask(port, cookie), { name, cookie: null });
  }
}

const drained = (balancer: Balancer, address: string): Promise<unknown> =>
  until('the server drains', 5_000, async () =>
    (await balancer.status()).pools[0]!.servers.some(
      (server) => server.address === address && server.state === 'draining',
    ),
  );

for (const { name: driver, skip } of await drivers()) {
  describe(`sticky sessions, ${driver}`, { skip }, () => {
    it('survive a restart, and hold on another balancer with the same secret', async (test) => {
      const origins = await startOrigins(test, 3);
      const environment = { XDG_STATE_HOME: stateOf(test), STATE_DIRECTORY: '' };
      const [port, otherPort] = [await freePort(), await freePort()];
      const options = { driver, environment };
      const first = await startBalancer(test, configOf(port, origins), options);
      const sessions = await sessionsOf(port);
      await assertKept(port, sessions);
      await startBalancer(test, configOf(otherPort, origins.toReversed()), options);
      await assertKept(otherPort, sessions);
      await first.stop();
      await startBalancer(test, configOf(port, origins), options);
      await assertKept(port, sessions);
    });

    it('stay through a drain, which sends new ones elsewhere; a forged cookie is ignored', async (test) => {
      const origins = await startOrigins(test, 3);
      const environment = { XDG_STATE_HOME: stateOf(test), STATE_DIRECTORY: '' };
      const port = await freePort();
      const balancer = await startBalancer(test, configOf(port, origins), { driver, environment });
      const sessions = await sessionsOf(port);
      const { address, name } = origins[0]!;
      const path = `/v1/pools/web/servers/${encodeURIComponent(address)}`;
      const answer = await balancer.admin('PATCH', path, { draining: true });
      assert.equal(answer.status, 200, answer.body);
      await drained(balancer, address);
      await assertKept(port, sessions);
      for (let client = 0; client < 12; client++) assert.notEqual((await ask(port)).name, name);

      const [cookie] = [...sessions].find(([, server]) => server === name)!;
      const [other] = [...sessions].find(([, server]) => server !== name)!;
      const forged = `${cookie.split('.')[0]}.${other.split('.').slice(1).join('.')}`;
      for (const wrong of [forged, `${cookie}a`, 'seat=whatever']) {
        const got = await ask(port, wrong);
        assert.notEqual(got.name, name);
        assert.ok(got.cookie);
      }
    });

    it('move when their server dies, and stay where they went', async (test) => {
      const origins = await startOrigins(test, 3);
      const environment = { XDG_STATE_HOME: stateOf(test), STATE_DIRECTORY: '' };
      const port = await freePort();
      await startBalancer(test, configOf(port, origins), { driver, environment });
      const sessions = await sessionsOf(port);
      const { name } = origins[1]!;
      await origins[1]!.kill();
      for (const [cookie, server] of sessions) {
        const moved = await ask(port, cookie);
        if (server !== name) assert.deepEqual(moved, { name: server, cookie: null });
        else {
          assert.notEqual(moved.name, name);
          assert.deepEqual(await ask(port, moved.cookie!), { name: moved.name, cookie: null });
        }
      }
    });
  });
}
