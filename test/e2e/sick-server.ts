import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { createRandom } from '../../src/base/prng.ts';

/** What ails a server; its probe (`/healthz`) passes all the same, unless it is gone. */
export interface Ailment {
  /** Share of requests answered with 500. */
  readonly failing?: number;
  /** How long an answer takes, ms. */
  readonly delayMs?: number;
  /** The status of what fails. */
  readonly status?: number;
}

/** How long an answer of a well server takes, ms: well above what a busy machine adds. */
export const wellDelayMs = 10;

/** A server in this process that can be made sick, closed and opened again on its port. */
export class SickServer {
  ailment: Ailment = {};
  requests = 0;
  port = 0;
  readonly host: string;
  readonly #random: () => number;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;

  constructor(seed: number, host = '127.0.0.1') {
    this.host = host;
    this.#random = createRandom(seed);
  }

  get address(): string {
    return `${this.host}:${this.port}`;
  }

  /** Listens, on the same port as before. */
  async open(): Promise<void> {
    const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      if (request.url === '/healthz') {
        response.end('ok');
        return;
      }
      this.requests++;
      const { failing = 0, delayMs = wellDelayMs, status = 500 } = this.ailment;
      const isFailing = this.#random() < failing;
      setTimeout(() => {
        response.statusCode = isFailing ? status : 200;
        response.end('answer');
      }, delayMs);
    });
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.listen(this.port, this.host);
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Refuses connections and cuts those that are open. */
  async close(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    server.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await once(server, 'close');
  }
}

/** Several well ones; they are closed when the test ends. */
export async function startSickServers(
  test: Pick<TestContext, 'after'>,
  count: number,
): Promise<SickServer[]> {
  const servers = Array.from({ length: count }, (_, index) => new SickServer(index + 1));
  for (const server of servers) {
    await server.open();
    test.after(() => server.close());
  }
  return servers;
}
