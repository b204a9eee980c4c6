import { performance } from 'node:perf_hooks';
import type { Snapshot } from '../model/snapshot.ts';
import type { FakeLink } from './fake-driver.ts';
import { fakeSnapshot, startFakePlane } from './fake-plane.ts';

interface Traffic {
  readonly request: string;
  readonly answer: string;
  readonly change: Partial<Snapshot>;
}

/** What is measured: the least that an exchange can be, what a browser and a Node server make of it, and routing by more than paths. */
const workloads: Record<'plain' | 'realistic' | 'one-route' | 'thousand-routes', Traffic> = {
  plain: {
    request: 'GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n',
    answer:
      'HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sat, 21 Nov 2026 01:12:27 GMT\r\n' +
      `Content-Type: text/plain\r\nContent-Length: 128\r\nConnection: keep-alive\r\n\r\n${'x'.repeat(128)}`,
    change: {},
  },
  realistic: {
    request:
      'GET /section-7/articles/2026/11/level-services?page=2&order=newest HTTP/1.1\r\nHost: www.example.com\r\n' +
      'Connection: keep-alive\r\nsec-ch-ua: "Chromium";v="156", "Not.A/Brand";v="24"\r\nsec-ch-ua-mobile: ?0\r\n' +
      'sec-ch-ua-platform: "Linux"\r\nUpgrade-Insecure-Requests: 1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) ' +
      'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36\r\nAccept: text/html,application/xhtml+xml,' +
      'application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\n' +
      'Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9,de;q=0.8\r\n' +
      'Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=all\r\n\r\n',
    answer:
      'HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nCache-Control: no-cache\r\nVary: Accept-Encoding\r\n' +
      'Date: Sat, 21 Nov 2026 01:12:27 GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n' +
      `Transfer-Encoding: chunked\r\n\r\n400\r\n${'x'.repeat(1024)}\r\n400\r\n${'y'.repeat(1024)}\r\n0\r\n\r\n`,
    change: { accessLog: true, routes: fortyRoutes() },
  },
  'one-route': tenantTraffic(1),
  'thousand-routes': tenantTraffic(1_000),
};

/** Routes that differ by path and header and ask for a cookie too; the last one takes the request. */
function tenantTraffic(count: number): Traffic {
  const [all] = fakeSnapshot(1).routes;
  const routes = Array.from({ length: count }, (_, slot): Snapshot['routes'][number] => ({
    ...all!,
    slot,
    name: `tenant-${slot}`,
    match: {
      hosts: [],
      paths: slot % 2 === 0 ? [] : [`/section-${slot}/*`],
      methods: ['GET'],
      conditions: [
        { kind: 'header', name: 'x-tenant', test: { kind: 'any-of', texts: [`t${slot}`] } },
        { kind: 'cookie', name: 'theme', test: { kind: 'present', isPresent: true } },
      ],
    },
  }));
  const last = count - 1;
  return {
    request:
      `GET /section-${last}/articles?page=2 HTTP/1.1\r\nHost: www.example.com\r\nX-Tenant: t${last}\r\n` +
      'Accept: text/html,application/xhtml+xml\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n' +
      'Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=all\r\n\r\n',
    answer: `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 128\r\n\r\n${'x'.repeat(128)}`,
    change: { routes },
  };
}

function fortyRoutes(): Snapshot['routes'] {
  const [all] = fakeSnapshot(1).routes;
  return Array.from({ length: 40 }, (_, slot) => ({
    ...all!,
    slot,
    name: `section-${slot}`,
    match: { hosts: [], paths: [`/section-${slot}/*`], methods: [], conditions: [] },
  }));
}

/**
 * JavaScript's share of one exchange, without kernel and driver: a request arrives, is parsed, routed, rewritten,
 * sent; its answer arrives and goes back. Run by itself for figures; the test suite runs it small.
 */
export function benchExchange(name: keyof typeof workloads, rounds: number): number {
  const workload = workloads[name];
  const { driver, messages } = startFakePlane(fakeSnapshot(4, workload.change));
  const client = driver.accept();
  client.keepsText = false;
  const request = Buffer.from(workload.request);
  const answer = Buffer.from(workload.answer);
  const pool = driver.buffers;
  const give = (link: FakeLink, bytes: Buffer): void => {
    const id = pool.acquire();
    const at = pool.startOf(id) + pool.headroomBytes;
    pool.bytes.set(bytes, at);
    link.handler.onReceive(link, id, at, bytes.length);
  };
  let turn = 0;
  const one = (): void => {
    // Fractions of a ms, as a clock gives them: whole numbers would hide what boxing them costs.
    driver.nowMs += 0.037;
    give(client, request);
    const server = driver.dialled[turn++ & 3]!;
    if (!server.isConnected) {
      server.keepsText = false;
      server.connect();
    }
    give(server, answer);
  };
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 10; round++) {
    const before = performance.now();
    for (let i = 0; i < rounds; i++) one();
    best = Math.min(best, (performance.now() - before) / rounds);
    messages.length = 0;
  }
  return best * 1e6;
}

if (process.argv[1] === import.meta.filename) {
  for (const name of Object.keys(workloads) as (keyof typeof workloads)[]) {
    if (process.argv[2] !== undefined && process.argv[2] !== name) continue;
    console.log(`${name}: ${benchExchange(name, 50_000).toFixed(0)} ns of JavaScript per exchange`);
  }
}
