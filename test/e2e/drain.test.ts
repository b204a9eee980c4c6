import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { drivers } from './drivers.ts';
import { startBalancer } from './harness.ts';
import { startOrigins } from './origins.ts';
import { freePort } from './ports.ts';
import { until, within } from './waiting.ts';

/** Connects, asks once and says how that ended: `200`, or the failure and whether it had connected. */
function askOnce(port: number): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    let isConnected = false;
    const socket = connect(port, '127.0.0.1', () => {
      isConnected = true;
      socket.write('GET / HTTP/1.1\r\nHost: lb.test\r\nConnection: close\r\n\r\n');
    });
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
    });
    socket.on('error', (error: NodeJS.ErrnoException) =>
      resolve(`${error.code} ${isConnected ? 'after' : 'instead of'} a connection`),
    );
    socket.on('close', () => resolve(text.startsWith('HTTP/1.1 200 ') ? '200' : `"${text}"`));
  });
}

for (const { name: driver, skip } of await drivers()) {
  describe(`the end of a listener, ${driver}`, { skip }, () => {
    it('serves or refuses each new connection in a drain, resets none', async (test) => {
      const origins = await startOrigins(test, 2);
      const port = await freePort();
      const balancer = await startBalancer(
        test,
        {
          listeners: [`127.0.0.1:${port}`],
          pools: { web: origins.map(({ address }) => address) },
          workers: 2,
          log: { access: 'off' },
        },
        { driver },
      );
      const ends = new Map<string, number>();
      const served = (): number => ends.get('200') ?? 0;
      const clients = Array.from({ length: 40 }, async () => {
        for (let end = '200'; end === '200'; ) {
          end = await askOnce(port);
          ends.set(end, (ends.get(end) ?? 0) + 1);
        }
      });
      await until('traffic', 10_000, () => served() > 400);
      balancer.child.kill('SIGTERM');
      await within('each client is served or refused', 10_000, Promise.all(clients));
      ends.delete('200');
      assert.deepEqual([...ends], [['ECONNREFUSED instead of a connection', 40]]);
      assert.equal(await balancer.exited, 0);
    });

    it('does the same when a reload removes it', async (test) => {
      const origins = await startOrigins(test, 2);
      const [port, other] = [await freePort(), await freePort()];
      const config = (...ports: number[]): unknown => ({
        listeners: ports.map((one) => `127.0.0.1:${one}`),
        pools: { web: origins.map(({ address }) => address) },
        workers: 2,
        log: { access: 'off' },
      });
      const balancer = await startBalancer(test, config(port, other), { driver });
      const ends = new Map<string, number>();
      const clients = Array.from({ length: 40 }, async () => {
        for (let end = '200'; end === '200'; ) {
          end = await askOnce(port);
          ends.set(end, (ends.get(end) ?? 0) + 1);
        }
      });
      await until('traffic', 10_000, () => (ends.get('200') ?? 0) > 400);
      await balancer.reload(config(other));
      await within('each client is served or refused', 10_000, Promise.all(clients));
      ends.delete('200');
      assert.deepEqual([...ends], [['ECONNREFUSED instead of a connection', 40]]);
      assert.equal(await askOnce(other), '200');
    });
  });
}
