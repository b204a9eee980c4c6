import type { TestContext } from 'node:test';
import { Client } from './client.ts';
import { startCounting } from './failing-servers.ts';
import { type Balancer, startBalancer } from './harness.ts';
import { freePort } from './ports.ts';

/** A server by how soon it closes idle links, and whether it says so (`Keep-Alive: timeout=`). */
export interface ClosingServer {
  readonly keepAliveMs: number;
  readonly isSaid: boolean;
}

/** What a trickle gave: answers by status and method; 0 = none. */
export interface TrickleReport {
  readonly byStatus: Record<string, number>;
  readonly balancer: Balancer;
}

/**
 * Trickle load on Node servers that close idle links: clients that ask at random times, mostly around the moments
 * at which the servers close, half of them with POST, which nothing may repeat.
 */
export async function trickle(
  test: Pick<TestContext, 'after'>,
  options: {
    readonly servers: readonly ClosingServer[];
    readonly driver: 'uring' | 'portable';
    readonly durationMs: number;
    readonly clients: number;
  },
): Promise<TrickleReport> {
  const servers = await Promise.all(
    options.servers.map(async ({ keepAliveMs, isSaid }) => {
      const one = await startCounting(test, (request, response) => {
        // With a Connection field of its own, Node says no Keep-Alive.
        if (!isSaid) response.setHeader('connection', 'keep-alive');
        request.resume().on('end', () => response.end('ok'));
      });
      one.server.keepAliveTimeout = keepAliveMs;
      // Newer ones add a second of grace; the race is to be real.
      (one.server as { keepAliveTimeoutBuffer?: number }).keepAliveTimeoutBuffer = 0;
      return one;
    }),
  );
  const port = await freePort();
  const balancer = await startBalancer(
    test,
    {
      listeners: [`127.0.0.1:${port}`],
      pools: { web: { policy: 'round-robin', servers: servers.map(({ address }) => address) } },
      workers: 2,
      log: { access: 'off', level: 'info' },
    },
    { driver: options.driver },
  );
  const byStatus: Record<string, number> = {};
  const untilMs = performance.now() + options.durationMs;
  const limits = options.servers.map(({ keepAliveMs }) => keepAliveMs).filter((ms) => ms < 10_000);
  const run = async (index: number): Promise<void> => {
    const method = index % 2 === 0 ? 'GET' : 'POST';
    const client = await new Client({ port }).open();
    while (performance.now() < untilMs) {
      const body = method === 'POST' ? 'Content-Length: 2\r\n\r\nhi' : '\r\n';
      const answer = await client.request(`${method} / HTTP/1.1\r\nHost: h\r\n${body}`, method);
      const key = `${method} ${answer?.status ?? 0}`;
      byStatus[key] = (byStatus[key] ?? 0) + 1;
      const limit = limits[Math.floor(Math.random() * limits.length)] ?? 1_000;
      const pauseMs =
        Math.random() < 0.5 ? limit + (Math.random() - 0.5) * 20 : Math.random() * limit * 1.5;
      await new Promise((resolve) => setTimeout(resolve, Math.min(pauseMs, options.durationMs)));
    }
    client.destroy();
  };
  await Promise.all(Array.from({ length: options.clients }, (_, index) => run(index)));
  return { byStatus, balancer };
}
