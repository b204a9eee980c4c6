import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { drivers } from './drivers.ts';
import { type Balancer, startBalancer } from './harness.ts';
import { startOrigins } from './origins.ts';
import { freePort } from './ports.ts';
import { until, within } from './waiting.ts';

const LINKS = 8_000;
const uring = (await drivers()).find(({ name }) => name === 'uring')!;

async function residentBytes(balancer: Balancer): Promise<number> {
  const { balancer: pid } = (await balancer.status()).pids;
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match![1]) * 1024;
}

/** Opens links in a process of its own, whose descriptors are not ours. */
async function openIdleLinks(test: TestContext, port: number, count: number): Promise<() => void> {
  const script = `
    const net = require('node:net'); let open = 0;
    const next = () => { const s = net.connect(${port}, '127.0.0.1', () => {
      s.write('GET / HTTP/1.1\\r\\nHost: lb.test\\r\\n\\r\\n');
      s.once('data', () => { if (++open === ${count}) console.log('all'); else if (open <= ${count} - 50) next(); }); });
      s.on('error', (e) => { console.log(e.message); process.exit(1); }); };
    for (let i = 0; i < 50; i++) next();`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const close = (): void => void child.kill('SIGKILL');
  test.after(close);
  const said = new Promise<string>((resolve) =>
    child.stdout.once('data', (text) => resolve(String(text))),
  );
  assert.equal((await within(`${count} links`, 90_000, said)).trim(), 'all');
  return close;
}

describe('memory of the uring driver', { skip: uring.skip }, () => {
  it('8,000 idle links cost at most 6 KiB each, and are given back', async (test) => {
    const [origin] = await startOrigins(test, 1);
    const port = await freePort();
    const balancer = await startBalancer(
      test,
      {
        listeners: [`127.0.0.1:${port}`],
        pools: { web: [origin!.address] },
        workers: 1,
        timeouts: { keepAlive: '5m' },
        log: { access: 'off' },
      },
      { driver: 'uring' },
    );
    // Warm: code, buffers and upstream links are no cost of an idle link.
    (await openIdleLinks(test, port, 500))();
    await until('the warm-up is over', 30_000, async () => {
      return (await balancer.status()).listeners[0]!.links === 0;
    });
    const before = await residentBytes(balancer);
    const close = await openIdleLinks(test, port, LINKS);
    const grown = (await residentBytes(balancer)) - before;
    const perLink = grown / LINKS;
    test.diagnostic(`${perLink.toFixed(0)} bytes per idle link`);
    assert.ok(perLink <= 6 * 1024, `${perLink.toFixed(0)} bytes per idle link`);
    close();
    await until('no link is left', 30_000, async () => {
      return (await balancer.status()).listeners[0]!.links === 0;
    });
  });

  it('twenty stalled 64 MiB downloads grow memory by less than 64 MiB', async (test) => {
    const [origin] = await startOrigins(test, 1);
    const port = await freePort();
    const balancer = await startBalancer(
      test,
      {
        listeners: [`127.0.0.1:${port}`],
        pools: { web: [origin!.address] },
        workers: 1,
        log: { access: 'off' },
      },
      { driver: 'uring' },
    );
    const before = await residentBytes(balancer);
    const sockets: Socket[] = [];
    test.after(() => {
      for (const socket of sockets) socket.destroy();
    });
    for (let index = 0; index < 20; index++) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => socket.destroy());
      socket.write('GET /big?bytes=67108864 HTTP/1.1\r\nHost: lb.test\r\n\r\n');
      socket.once('data', () => socket.pause());
      sockets.push(socket);
    }
    await until('every download has begun', 30_000, () =>
      sockets.every((one) => one.bytesRead > 0),
    );
    // Stalled: five looks in a row, 200 ms apart, without growth.
    let last = 0;
    let level = 0;
    await until('memory is level', 30_000, async () => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      const now = await residentBytes(balancer);
      level = now <= last + 65_536 ? level + 1 : 0;
      last = now;
      return level >= 5;
    });
    const grown = (await residentBytes(balancer)) - before;
    test.diagnostic(`${(grown / 1_048_576).toFixed(1)} MiB more`);
    assert.ok(grown < 64 * 1024 * 1024, `${(grown / 1_048_576).toFixed(1)} MiB more`);
  });
});
