import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Client } from './client.ts';
import { drivers } from './drivers.ts';
import { type Balancer, startBalancer } from './harness.ts';
import { Load } from './load.ts';
import { startOrigins } from './origins.ts';
import { freePort } from './ports.ts';
import { field } from './response-reader.ts';
import { until } from './waiting.ts';

/** A module of hooks whose helper is a file of its own; `authPort`: who knows tokens. */
function modules(authPort: number, version: string): Record<string, string> {
  return {
    'hooks.ts': `
import { defineHooks, type HookRequest } from 'evenkeel';
import { version } from './version.ts';
  export default defineHooks({
  onRequest: async (request: HookRequest) => {
    if (request.path === '/stray') setTimeout(() => { throw new Error('stray on purpose'); }, 1);
    if (request.path === '/stray') Promise.reject(new Error('rejected on purpose'));
    if (request.path === '/throws') throw new Error('thrown on purpose');
    if (request.path === '/hangs') await new Promise(() => {});
    const who = await fetch('http://127.0.0.1:${authPort}/', {
      headers: { authorization: request.header('authorization') ?? '' },
      signal: request.signal,
    });
    if (!who.ok) return { status: 401, body: 'who are you?' };
    request.setHeader('x-user', await who.text());
    return undefined;
  },
  onResponse: async (response) => {
    await new Promise((resolve) => setImmediate(resolve));
    response.setHeader('x-version', version);
  },
});
`,
    'version.ts': `export const version: string = '${version}';\n`,
  };
}

function write(directory: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
}

async function startAuth(test: TestContext): Promise<number> {
  const server = createServer((request, response) => {
    const isKnown = request.headers.authorization === 'sesame';
    response.statusCode = isKnown ? 200 : 403;
    response.end(isKnown ? 'anna' : '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  test.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

async function ask(
  port: number,
  path: string,
  more = '',
): Promise<{ status: number; text: string }> {
  const client = await new Client({ port }).open();
  client.send(`GET ${path} HTTP/1.1\r\nHost: lb.test\r\n${more}\r\n`);
  const response = await client.response();
  client.destroy();
  assert.ok(response !== null, `${path}: no answer`);
  const version = field(response, 'x-version') ?? '';
  return { status: response.status, text: `${version}|${response.body.toString()}` };
}

async function restarts(balancer: Balancer): Promise<number> {
  return (await balancer.status()).workers.reduce((sum, worker) => sum + worker.restarts, 0);
}

const auth = 'Authorization: sesame\r\n';

for (const { name: driver, skip } of await drivers()) {
  describe(`hooks, ${driver}`, { skip }, () => {
    it('ask by fetch, stamp, fail without harm, and are taken over anew by a reload under load', async (test) => {
      const directory = mkdtempSync(join(tmpdir(), 'evenkeel-hooks-'));
      test.after(() => rmSync(directory, { recursive: true, force: true }));
      const authPort = await startAuth(test);
      write(directory, modules(authPort, 'one'));
      const origins = await startOrigins(test, 2);
      const port = await freePort();
      const config = {
        listeners: [`127.0.0.1:${port}`],
        hooks: { module: join(directory, 'hooks.ts'), timeout: '2s' },
        pools: { web: { servers: origins.map(({ address }) => address) } },
        workers: 2,
        log: { access: 'off' },
      };
      const balancer = await startBalancer(test, config, { driver });

      assert.deepEqual(await ask(port, '/echo'), { status: 401, text: '|who are you?' });
      const good = await ask(port, '/echo', auth);
      assert.equal(good.status, 200);
      assert.match(good.text, /^one\|.*"x-user","anna"/);
      const failed = await ask(port, '/throws', auth);
      assert.equal(failed.status, 500);
      assert.match(failed.text, /hook-failed/);
      const startedMs = performance.now();
      assert.equal((await ask(port, '/hangs', auth)).status, 503);
      const tookMs = performance.now() - startedMs;
      assert.ok(tookMs > 1_900 && tookMs < 6_000, `late after ${tookMs} ms`);

      const post = await new Client({ port }).open();
      post.send(`POST /echo HTTP/1.1\r\nHost: lb.test\r\n${auth}Content-Length: 6\r\n\r\nabc`);
      post.send(`defGET /echo HTTP/1.1\r\nHost: lb.test\r\n${auth}\r\n`);
      assert.match(String((await post.response())?.body), /"body":"abcdef"/);
      assert.match(String((await post.response())?.body), /"method":"GET"/);
      post.destroy();

      // A worker logs one such error a second, and may have just logged another.
      await until('the stray errors are logged', 10_000, async () => {
        await ask(port, '/stray', auth);
        return (
          /stray on purpose/.test(balancer.output) || /rejected on purpose/.test(balancer.output)
        );
      });
      assert.equal(await restarts(balancer), 0);

      const load = new Load({
        port,
        links: 10,
        request: (id) => ({
          text: `GET / HTTP/1.1\r\nHost: lb.test\r\nX-Id: ${id}\r\n${auth}\r\n`,
          method: 'GET',
        }),
      });
      await until('traffic', 10_000, () => load.count > 50);
      write(directory, {
        'hooks.ts': 'export default {\n  onRequest: (request) => {\n    retur n;\n',
      });
      const refused = await balancer.reload(config);
      assert.ok(refused.status >= 400, `${refused.status} ${refused.body}`);
      assert.match(refused.body, /hooks\.ts:\d+/);
      assert.match((await ask(port, '/echo', auth)).text, /^one\|/);
      write(directory, modules(authPort, 'two'));
      assert.equal((await balancer.reload(config)).status, 200);
      assert.match((await ask(port, '/echo', auth)).text, /^two\|/);
      assert.deepEqual((await load.stop()).reasons, {});

      const metrics = await balancer.metrics();
      const failures = [...metrics].find(([name]) => name.includes('hook_failures'));
      assert.equal(failures?.[1], 2, `${failures}`);
      assert.equal(await restarts(balancer), 0);
    });

    it('an invariant of ours that fails still ends the worker, with its reason', async (test) => {
      const directory = mkdtempSync(join(tmpdir(), 'evenkeel-hooks-'));
      test.after(() => rmSync(directory, { recursive: true, force: true }));
      write(directory, { 'hooks.mjs': 'export default { onRequest() {} };\n' });
      const [origin] = await startOrigins(test, 1);
      const port = await freePort();
      const config = {
        listeners: [`127.0.0.1:${port}`],
        hooks: join(directory, 'hooks.mjs'),
        pools: { web: [origin!.address] },
        workers: 1,
        log: { access: 'off' },
      };
      const environment = { EVENKEEL_TEST_FAULTS: '1' };
      const balancer = await startBalancer(test, config, { driver, environment });
      assert.equal((await ask(port, '/')).status, 200);
      await balancer.admin('POST', '/v1/test/workers/0/fail', { kind: 'invariant' });
      await until('the worker is replaced', 10_000, async () => (await restarts(balancer)) === 1);
      await until('the log says why', 10_000, () =>
        /A worker died[^\n]*no failure was planted/.test(balancer.output),
      );
      assert.equal((await ask(port, '/')).status, 200);
    });
  });
}
