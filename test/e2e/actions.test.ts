import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import {
  type AddressInfo,
  createServer as createLinkServer,
  type Server,
  type Socket,
} from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Client } from './client.ts';
import { type Balancer, startBalancer } from './harness.ts';
import { freePort } from './ports.ts';
import { field } from './response-reader.ts';
import { until } from './waiting.ts';

/** A real server that tells what it got. */
async function startEcho(name: string, cleanups: (() => unknown)[]): Promise<string> {
  const server = createServer((request: IncomingMessage, response) => {
    if (request.url === '/split') {
      response.end(name);
      return;
    }
    response.writeHead(Number(request.headers['x-want'] ?? 200), {
      'content-type': 'application/json',
      'x-powered-by': name,
    });
    response.end(JSON.stringify({ name, url: request.url, headers: request.headers }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

interface Echo {
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

describe('what routes do beside naming a pool', () => {
  const cleanups: (() => unknown)[] = [];
  const outer = { after: (run: unknown) => void cleanups.push(run as () => unknown) };
  let port = 0;
  let balancer: Balancer;
  let pools: Record<string, string[]>;
  const routes = (canary: number): unknown[] => [
    { match: '/old/*', redirect: { to: 'https://${host}/new${uri}', status: 308 } },
    {
      match: '/split',
      split: [
        { pool: 'web', weight: 100 - canary },
        { pool: 'canary', weight: canary },
      ],
      splitBy: 'cookie:session',
    },
    { match: '/page', respond: { status: 200, file: page } },
    { match: '/gone', pool: 'gone', errors: { '502-504': 'gone: ${reason} ${requestId}' } },
    {
      match: '/mirrored',
      pool: 'web',
      rewrite: { addPrefix: '/v2' },
      mirror: { pool: 'shadow', timeout: '1s', pending: 20 },
    },
    { match: '/fallback', pool: 'gone', fallback: 'canary' },
    {
      pool: 'web',
      rewrite: { host: 'app.internal', stripPrefix: '/api', addPrefix: '/v2' },
      headers: {
        request: { set: { 'X-Real-IP': '${client}' }, remove: ['X-Debug'] },
        response: { set: { 'X-Server': '${server}' }, remove: 'X-Powered-By' },
      },
    },
  ];
  const config = (canary: number) => ({
    listeners: [`127.0.0.1:${port}`],
    routes: routes(canary),
    pools,
    errors: {
      '500-599': {
        body: '<h1>${status}</h1>',
        contentType: 'text/html',
        replaceUpstream: true,
      },
    },
    workers: 1,
    log: { access: 'off' },
  });
  let mirror: Server;
  let mirrored = 0;
  let page = '';
  before(async () => {
    // Takes requests and never answers.
    mirror = createLinkServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        mirrored += bytes.toString('latin1').split('POST /v2/mirrored').length - 1;
      });
    });
    cleanups.push(() => mirror.close());
    const directory = mkdtempSync(join(tmpdir(), 'evenkeel-actions-'));
    cleanups.push(() => rmSync(directory, { recursive: true }));
    page = join(directory, 'page.html');
    writeFileSync(page, '<p>first ${path}');
    port = await freePort();
    pools = {
      web: [await startEcho('web', cleanups)],
      canary: [await startEcho('canary', cleanups)],
      shadow: [`127.0.0.1:${await listening(mirror)}`],
      gone: [`127.0.0.1:${await freePort()}`],
    };
    balancer = await startBalancer(outer, config(10));
  });
  after(async () => {
    for (const run of cleanups.reverse()) await run();
  });

  it('a real server sees the rewritten host, path and fields; the client sees the answer rules', async () => {
    const client = await new Client({ port }).open();
    const answer = await client.request(
      'GET /api/users?a=%20 HTTP/1.1\r\nHost: Shop.example\r\nX-Debug: 1\r\nx_real_ip: 6.6.6.6\r\n\r\n',
    );
    const echo = JSON.parse(answer.body.toString()) as Echo;
    assert.equal(echo.url, '/v2/users?a=%20');
    assert.equal(echo.headers['host'], 'app.internal');
    assert.equal(echo.headers['x-forwarded-host'], 'shop.example');
    assert.equal(echo.headers['x-real-ip'], '127.0.0.1');
    assert.equal(echo.headers['x-debug'], undefined);
    assert.equal(echo.headers['x_real_ip'], undefined);
    assert.equal(field(answer, 'x-server'), pools['web']![0]);
    assert.equal(field(answer, 'x-powered-by'), null);
    client.destroy();
  });

  it('a fallback pool takes what nobody else does, bodies included', async () => {
    const client = await new Client({ port }).open();
    const answer = await client.request(
      'POST /fallback HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody',
    );
    assert.equal((JSON.parse(answer.body.toString()) as Echo).name, 'canary');
    const metrics = await balancer.metrics();
    assert.equal(metrics.get('evenkeel_route_fallbacks_total{route="fallback"}'), 1);
    client.destroy();
  });

  it('error pages stand for our errors and for those of servers', async () => {
    const client = await new Client({ port }).open();
    const ours = await client.request('GET /gone HTTP/1.1\r\nHost: h\r\n\r\n');
    assert.equal(ours.status, 502);
    assert.match(ours.body.toString(), /^gone: connect-refused [0-9a-f]{16}$/);
    const theirs = await client.request('GET / HTTP/1.1\r\nHost: h\r\nX-Want: 500\r\n\r\n');
    assert.equal(theirs.status, 500);
    assert.equal(theirs.body.toString(), '<h1>500</h1>');
    assert.equal(field(theirs, 'content-type'), 'text/html');
    assert.equal(field(theirs, 'x-server'), pools['web']![0], 'header rules hold for pages too');
    const fine = await client.request('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    assert.equal(fine.status, 200);
    client.destroy();
  });

  it('a mirror that hangs, then dies, changes nothing for clients', async () => {
    const links = new Set<Socket>();
    mirror.on('connection', (socket: Socket) => links.add(socket));
    const request = 'POST /mirrored HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello';
    const run = async (): Promise<number> => {
      const begun = performance.now();
      const clients = Array.from({ length: 10 }, async () => {
        const client = await new Client({ port }).open();
        for (let i = 0; i < 50; i++) {
          const answer = await client.request(request);
          assert.equal(answer.status, 200);
          assert.equal((JSON.parse(answer.body.toString()) as Echo).name, 'web');
        }
        client.destroy();
      });
      await Promise.all(clients);
      return performance.now() - begun;
    };
    // 500 requests, one by one on ten links: no copy's second of time-out is in any of them
    assert.ok((await run()) < 10_000);
    await until('copies at the mirror', 5_000, () => mirrored > 0);
    const counted = async (name: string): Promise<number> => {
      const metrics = await balancer.metrics();
      return metrics.get(`evenkeel_route_${name}_total{route="mirrored"}`) ?? 0;
    };
    assert.equal((await counted('mirrors')) + (await counted('mirrors_dropped')), 500);
    assert.ok((await counted('mirrors_dropped')) > 0, 'pending is a bound');
    mirror.close();
    for (const link of links) link.destroy();
    assert.ok((await run()) < 10_000);
    await until('every copy has ended', 5_000, async () => {
      return (await counted('mirrors')) === (await counted('mirrors_failed'));
    });
    const metrics = await balancer.metrics();
    assert.equal(metrics.get('evenkeel_route_requests_total{route="mirrored"}'), 1_000);
    assert.equal(
      metrics.get('evenkeel_route_responses_total{route="mirrored",class="2xx"}'),
      1_000,
    );
  });

  it('answers with the text of a file, and follows its changes', async () => {
    const client = await new Client({ port }).open();
    const get = 'GET /page HTTP/1.1\r\nHost: h\r\n\r\n';
    const first = await client.request(get);
    assert.equal(first.body.toString(), '<p>first ${path}');
    assert.equal(field(first, 'content-type'), 'text/html; charset=utf-8');
    writeFileSync(page, '<p>second');
    await until('the new text', 10_000, async () => {
      return (await client.request(get)).body.toString() === '<p>second';
    });
    client.destroy();
  });

  it('redirects name the host that was asked for', async () => {
    const client = await new Client({ port }).open();
    const answer = await client.request('GET /old/a?b HTTP/1.1\r\nHost: shop.example:81\r\n\r\n');
    assert.equal(answer.status, 308);
    assert.equal(field(answer, 'location'), 'https://shop.example/new/old/a?b');
    client.destroy();
  });

  /** Side of each user: forty links, each with fifty requests in flight. */
  async function sidesOf(users: number): Promise<string[]> {
    const sides = new Array<string>(users).fill('');
    const links = Array.from({ length: 40 }, async (_, link) => {
      const client = await new Client({ port, timeoutMs: 30_000 }).open();
      for (let first = link * 50; first < users; first += 2_000) {
        const batch = Array.from({ length: 50 }, (__, index) => first + index);
        const requests = batch.map(
          (user) => `GET /split HTTP/1.1\r\nHost: h\r\nCookie: a=b; session=s${user}\r\n\r\n`,
        );
        client.send(requests.join(''));
        for (const user of batch) {
          const answer = await client.response();
          assert.equal(answer?.status, 200);
          sides[user] = answer.body.toString();
        }
      }
      client.destroy();
    });
    await Promise.all(links);
    return sides;
  }

  it('a 90/10 canary holds ±1 % over 20,000 users; growing it moves users only into it', async () => {
    const users = 20_000;
    const first = await sidesOf(users);
    const share = first.filter((side) => side === 'canary').length / users;
    // standard deviation: 0.21 %
    assert.ok(Math.abs(share - 0.1) < 0.01, `${share}`);
    assert.deepEqual(await sidesOf(2_000), first.slice(0, 2_000), 'each user keeps its side');
    await balancer.reload(config(30));
    const grown = await sidesOf(2_000);
    assert.ok(grown.every((side, user) => side === 'canary' || first[user] === 'web'));
    assert.ok(grown.filter((side) => side === 'canary').length > 400);
  });
});
