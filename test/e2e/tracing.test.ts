import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { drivers } from './drivers.ts';
import { startBalancer } from './harness.ts';
import { attributesOf, type OtlpSpan, startOtlpReceiver } from './otlp-receiver.ts';
import { freePort } from './ports.ts';
import { until } from './waiting.ts';

async function listen(test: TestContext, server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  test.after(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that resets every link at its first byte, and keeps what it was told. */
async function startResetting(test: TestContext, told: string[]): Promise<string> {
  const server = createServer((link) => {
    link.on('error', () => {});
    link.once('data', (bytes) => {
      told.push(/^traceparent: (.*)$/im.exec(bytes.toString())?.[1] ?? '');
      link.resetAndDestroy();
    });
  });
  return await listen(test, server);
}

async function startGood(test: TestContext, told: string[]): Promise<string> {
  const server = createHttpServer((incoming, answer) => {
    told.push(String(incoming.headers['traceparent']));
    answer.end('ok');
  });
  return await listen(test, server);
}

function nanosOf(span: OtlpSpan): [bigint, bigint] {
  return [BigInt(span.startTimeUnixNano), BigInt(span.endTimeUnixNano)];
}

for (const { name: driver, skip } of await drivers()) {
  describe(`traces, ${driver}`, { skip }, () => {
    it('show a request with its tries in an OTLP receiver, parents and children right', async (test) => {
      const receiver = await startOtlpReceiver(test);
      const told: string[] = [];
      const refusing = `127.0.0.1:${await freePort()}`;
      const resetting = await startResetting(test, told);
      const good = await startGood(test, told);
      const port = await freePort();
      await startBalancer(
        test,
        {
          listeners: [`127.0.0.1:${port}`],
          pools: {
            web: {
              policy: 'first',
              servers: [refusing, resetting, good],
              retry: { attempts: 2 },
              outlier: { enabled: false },
            },
          },
          workers: 1,
          log: 'off',
          tracing: {
            otlp: receiver.url,
            headers: { 'X-Key': 'secret' },
            sample: '0%',
            service: 'edge',
          },
        },
        { driver },
      );
      const trace = '0af7651916cd43dd8448eb211c80319c';
      const root = 'b7ad6b7169203331';
      const beganAt = BigInt(Date.now()) * 1_000_000n;
      const answer = await fetch(`http://127.0.0.1:${port}/a?token=x`, {
        headers: { traceparent: `00-${trace}-${root}-01` },
      });
      assert.equal(await answer.text(), 'ok');
      // Sampled by nobody: no span of it may come.
      await (await fetch(`http://127.0.0.1:${port}/b`)).text();
      const spans = await until('spans', 30_000, () => {
        const found = receiver.spans();
        return found.some(({ name }) => name === 'GET everything') ? found : null;
      });
      const endedAt = BigInt(Date.now()) * 1_000_000n;
      const request = spans.find(({ kind }) => kind === 2);
      assert.ok(request);
      assert.deepEqual([request.traceId, request.parentSpanId], [trace, root]);
      const said = attributesOf(request);
      assert.equal(said['http.request.method'], 'GET');
      assert.equal(said['url.path'], '/a');
      assert.equal(said['http.response.status_code'], 200);
      assert.equal(said['evenkeel.tries'], 3);
      assert.equal(JSON.stringify(spans).includes('token'), false);
      const tries = spans.filter(({ kind }) => kind === 3);
      assert.deepEqual(
        tries.map((span) => {
          const { 'server.address': host, 'server.port': at, ...rest } = attributesOf(span);
          return [
            `${host}:${at}`,
            rest['http.request.resend_count'],
            rest['error.type'],
            rest['http.response.status_code'],
          ];
        }),
        [
          [refusing, undefined, 'connect-refused', undefined],
          [resetting, 1, 'upstream-reset-before-headers', undefined],
          [good, 2, undefined, 200],
        ],
      );
      assert.deepEqual(
        tries.map(({ status }) => status.code),
        [2, 2, 0],
      );
      for (const span of tries) assert.equal(span.parentSpanId, request.spanId);
      const dials = spans.filter(({ name }) => name === 'dial');
      assert.deepEqual(
        dials.map(({ parentSpanId }) => parentSpanId),
        tries.map(({ spanId }) => spanId),
      );
      assert.equal(spans.length, 7);
      assert.deepEqual(
        told.slice(0, 2),
        tries.slice(1).map(({ spanId }) => `00-${trace}-${spanId}-01`),
      );
      assert.match(told.at(-1) ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
      const [start, end] = nanosOf(request);
      // A ms for the rounding of the wall clock.
      assert.ok(start >= beganAt - 1_000_000n && end <= endedAt + 1_000_000n && start < end);
      for (const span of [...tries, ...dials]) {
        const [from, to] = nanosOf(span);
        assert.ok(from >= start && from <= to && to <= end, span.name);
      }
      const [post] = receiver.posts;
      assert.equal(post?.headers['x-key'], 'secret');
      assert.match(JSON.stringify(post?.body), /"service.name","value":\{"stringValue":"edge"\}/);
    });

    it('that nobody takes hold up nothing, and are counted; a reload turns them off', async (test) => {
      const receiver = await startOtlpReceiver(test);
      receiver.status = 400;
      const good = await startGood(test, []);
      const port = await freePort();
      const config = {
        listeners: [`127.0.0.1:${port}`],
        pools: { web: [good] },
        workers: 1,
        log: 'off',
      };
      const balancer = await startBalancer(
        test,
        { ...config, tracing: { otlp: receiver.url, sample: '100%' } },
        { driver },
      );
      const ask = async (): Promise<void> => {
        assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'ok');
      };
      await ask();
      const failing = await until('dropped spans', 30_000, async () => {
        const { tracing } = await balancer.status();
        return (tracing?.dropped ?? 0) > 0 ? tracing : null;
      });
      assert.equal(failing.sent, 0);
      assert.notEqual(failing.error, null);
      const { body } = await balancer.admin('GET', '/metrics');
      assert.match(body, /\nevenkeel_spans_dropped_total [1-9]/);
      receiver.status = 200;
      await ask();
      await until(
        'sent spans',
        30_000,
        async () => ((await balancer.status()).tracing?.sent ?? 0) > 0,
      );
      assert.equal((await balancer.reload(config)).status, 200);
      await ask();
      assert.equal((await balancer.status()).tracing, null);
    });
  });
}
