import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { Client, fetchOnce } from './client.ts';
import { drivers } from './drivers.ts';
import { type Balancer, startBalancer } from './harness.ts';
import { Load } from './load.ts';
import { type Origin, startOrigin, startOrigins } from './origins.ts';
import { freePort } from './ports.ts';
import { field } from './response-reader.ts';
import { until } from './waiting.ts';

const head = (line: string, fields = ''): string =>
  `${line} HTTP/1.1\r\nHost: lb.test\r\n${fields}\r\n`;

for (const { name: driver, skip } of await drivers()) {
  describe(`HTTP through the balancer, ${driver}`, { skip }, () => {
    const cleanups: (() => unknown)[] = [];
    const outer = { after: (run: unknown) => void cleanups.push(run as () => unknown) };
    let origin: Origin;
    let port = 0;
    before(async () => {
      origin = await startOrigin(outer, { name: 'a' });
      port = await freePort();
      await startBalancer(
        outer,
        {
          listeners: [`127.0.0.1:${port}`],
          pools: { web: [origin.address] },
          workers: 1,
          log: { access: 'off' },
        },
        { driver },
      );
    });
    after(async () => {
      for (const run of cleanups.reverse()) await run();
    });
    const open = (): Promise<Client> => new Client({ port }).open();

    it('passes an upgrade and then bytes both ways, with half-close', async () => {
      const client = await open();
      client.send(
        `${head('GET /socket', 'Connection: Upgrade\r\nUpgrade: websocket\r\n')}early bytes;`,
      );
      const answer = await client.response();
      assert.equal(answer?.status, 101);
      assert.equal(field(answer, 'upgrade'), 'websocket');
      client.send('later bytes');
      await until('the echo', 5_000, () => {
        return client.reader.pending.toString() === 'early bytes;later bytes';
      });
      client.socket.end();
      await client.ended(5_000);
      client.destroy();
    });

    it('tells a client that reads only behind its upload why it was refused', async () => {
      const socket = connect(port, '127.0.0.1');
      socket.pause();
      const upload = `${head('POST /upload', 'Transfer-Encoding: chunked\r\n')}no size\r\n${'x'.repeat(4 << 20)}`;
      const failure = await new Promise((resolve) => {
        socket.once('error', resolve);
        socket.write(upload, resolve);
      });
      assert.equal(failure ?? null, null, 'all of it was taken');
      let answer = '';
      for await (const bytes of socket) answer += bytes;
      assert.match(answer, /^HTTP\/1\.1 400 /);
    });

    it('passes 1xx answers before the final one', async () => {
      const client = await open();
      const answer = await client.request(head('GET /hints'));
      assert.deepEqual(
        answer.interim.map(({ status }) => status),
        [103, 102],
      );
      assert.equal(answer.body.toString(), 'hinted');
      client.destroy();
    });

    it('answers HEAD without a body and keeps the link', async () => {
      const client = await open();
      const first = await client.request(head('HEAD /big?bytes=5000'));
      assert.equal(field(first, 'content-length'), '5000');
      const second = await client.request(head('GET /'));
      assert.equal(second.body.toString(), 'hello from a\n');
      client.destroy();
    });

    it('serves HTTP/1.0 clients de-chunked and closes', async () => {
      const client = await open();
      client.send('GET /stream?ms=50&parts=3 HTTP/1.0\r\n\r\n');
      const answer = await client.response();
      await client.ended();
      const whole = answer ?? (await client.response());
      assert.equal(whole?.body.toString(), 'part 0\npart 1\npart 2\n');
      assert.notEqual(whole.framing, 'chunked');
      client.destroy();
    });

    it('streams a chunked answer part by part', async () => {
      const client = await open();
      client.send(head('GET /stream?ms=3000&parts=3'));
      await until('the first part before the last', 2_500, () => {
        return client.reader.pending.includes('part 0\n');
      });
      const answer = await client.response();
      assert.equal(answer?.isComplete, true);
      client.destroy();
    });

    it('sends request bodies whole, with a length and chunked', async () => {
      const client = await open();
      const body = 'b'.repeat(300_000);
      const fixed = await client.request(head('POST /echo', `Content-Length: 300000\r\n`) + body);
      assert.equal((JSON.parse(fixed.body.toString()) as { body: string }).body, body);
      const chunks = Array.from({ length: 30 }, () => `2710\r\n${'c'.repeat(10_000)}\r\n`).join('');
      const chunked = await client.request(
        `${head('POST /echo', 'Transfer-Encoding: chunked\r\n')}${chunks}0\r\n\r\n`,
      );
      assert.equal(
        (JSON.parse(chunked.body.toString()) as { body: string }).body,
        'c'.repeat(300_000),
      );
      client.destroy();
    });

    it('relays an early answer and does not reuse the unread link', async () => {
      const client = await open();
      client.send(head('POST /early', 'Content-Length: 1000000\r\n') + 'x'.repeat(1000));
      const answer = await client.response();
      assert.equal(answer?.status, 413);
      client.destroy();
      assert.equal((await fetchOnce(port, '/')).body.toString(), 'hello from a\n');
    });

    it('gives errors of ours a request id and a word', async () => {
      const client = await open();
      const answer = await client.request('GET /v HTTP/1.1\r\n\r\n');
      assert.equal(answer.status, 400);
      assert.ok(field(answer, 'x-request-id') !== null);
      assert.match(answer.body.toString(), /host-invalid/);
      client.destroy();
    });
  });

  describe(`links that die, ${driver}`, { skip }, () => {
    it('replays a request that meets a stale keep-alive link', async (test) => {
      // Closes each link the moment its second request arrives: what a server's idle time-out looks like.
      let stale = 0;
      const sockets = new Set<Socket>();
      const server = createServer((socket) => {
        sockets.add(socket);
        let count = 0;
        socket.on('data', () => {
          if (++count === 2) {
            stale++;
            socket.destroy();
            return;
          }
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        });
        socket.on('error', () => socket.destroy());
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      test.after(() => {
        for (const socket of sockets) socket.destroy();
        server.close();
      });
      const port = await freePort();
      const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      await startBalancer(
        test,
        { listeners: [`127.0.0.1:${port}`], pools: { web: [address] }, log: { access: 'off' } },
        { driver },
      );
      const client = await new Client({ port }).open();
      for (let index = 0; index < 10; index++) {
        const answer = await client.request(head('GET /'));
        assert.equal(answer.status, 200, `request ${index}`);
      }
      assert.ok(stale >= 3, `${stale} stale links were met`);
      client.destroy();
    });

    it('does not repeat a POST that a server may have seen', async (test) => {
      const [origin] = await startOrigins(test, 1);
      const port = await freePort();
      await startBalancer(
        test,
        {
          listeners: [`127.0.0.1:${port}`],
          pools: { web: [origin!.address] },
          log: { access: 'off' },
        },
        { driver },
      );
      const client = await new Client({ port }).open();
      const answer = await client.request(`${head('POST /die', 'Content-Length: 5\r\n')}hello`);
      assert.equal(answer.status, 502);
      client.destroy();
      const seen = await fetchOnce(origin!.port, '/requests');
      // The POST and this question.
      assert.equal(seen.body.toString(), '2');
    });

    it('SIGTERM under load drains without an error and exits 0', async (test) => {
      const origins = await startOrigins(test, 2);
      const port = await freePort();
      const balancer: Balancer = await startBalancer(
        test,
        {
          listeners: [`127.0.0.1:${port}`],
          pools: { web: origins.map(({ address }) => address) },
          workers: 2,
          log: { access: 'off' },
        },
        { driver },
      );
      const long = await new Client({ port }).open();
      long.send(head('GET /stream?ms=2000&parts=4'));
      const load = new Load({ port, links: 20 });
      await until('traffic', 10_000, () => load.count > 200);
      balancer.child.kill('SIGTERM');
      const answer = await long.response();
      assert.equal(answer?.isComplete, true, 'what runs is finished');
      assert.equal(await balancer.exited, 0);
      const report = await load.stop();
      // New connections are refused once the listeners are closed; nothing else may have failed.
      const others = Object.entries(report.reasons).filter(
        ([why]) => why !== 'connect ECONNREFUSED',
      );
      assert.deepEqual(others, []);
      long.destroy();
    });
  });
}
