import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** A server in this process that counts what it is asked. */
export interface CountingServer {
  readonly address: string;
  /** Requests by `X-Id`, all of them under '' where there is none. */
  readonly seen: Map<string, number>;
  readonly requests: () => number;
  readonly server: Server;
}

/** Starts one; it is closed when the test ends. `answer` is called with the number of the request, from 1. */
export async function startCounting(
  test: Pick<TestContext, 'after'>,
  answer: (request: IncomingMessage, response: ServerResponse, count: number) => void,
): Promise<CountingServer> {
  const seen = new Map<string, number>();
  let count = 0;
  const server = createServer((request, response) => {
    const id = String(request.headers['x-id'] ?? '');
    seen.set(id, (seen.get(id) ?? 0) + 1);
    count++;
    response.setHeader('x-id', id);
    answer(request, response, count);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { address: `127.0.0.1:${port}`, seen, requests: () => count, server };
}
