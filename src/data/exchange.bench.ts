import { performance } from 'node:perf_hooks';
import { fakeSnapshot, startFakePlane } from './fake-plane.ts';

/**
 * JavaScript's share of one exchange, without kernel and driver: a request arrives, is parsed, routed, rewritten,
 * sent; its answer arrives and goes back. Run by itself for figures; the test suite runs it small.
 */
export function benchExchange(rounds: number): { readonly nsPerExchange: number } {
  const { driver } = startFakePlane(fakeSnapshot(4));
  const client = driver.accept();
  client.keepsText = false;
  const pool = driver.buffers;
  const request = Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n');
  const answer = Buffer.from(
    'HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sat, 21 Nov 2026 01:12:27 GMT\r\nContent-Type: text/plain\r\n' +
      `Content-Length: 128\r\nConnection: keep-alive\r\n\r\n${'x'.repeat(128)}`,
  );
  const one = (): void => {
    let id = pool.acquire();
    let at = pool.startOf(id) + pool.headroomBytes;
    pool.bytes.set(request, at);
    client.handler.onReceive(client, id, at, request.length);
    const server = driver.dialled[turn++ & 3]!;
    if (!server.isConnected) {
      server.keepsText = false;
      server.connect();
    }
    id = pool.acquire();
    at = pool.startOf(id) + pool.headroomBytes;
    pool.bytes.set(answer, at);
    server.handler.onReceive(server, id, at, answer.length);
  };
  let turn = 0;
  for (let i = 0; i < rounds; i++) one();
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 10; round++) {
    const before = performance.now();
    for (let i = 0; i < rounds; i++) one();
    best = Math.min(best, (performance.now() - before) / rounds);
  }
  return { nsPerExchange: best * 1e6 };
}

if (process.argv[1] === import.meta.filename) console.log(benchExchange(100_000));
