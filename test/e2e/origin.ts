// A small HTTP server for the end-to-end tests, started as a process of its own so that it can be
// killed: node origin.ts '{"name":"a","port":0}'. Prints `ready PORT`.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface OriginOptions {
  readonly name: string;
  readonly port: number;
  readonly keepAliveMs?: number;
}

const options = JSON.parse(process.argv[2] ?? '{"name":"origin","port":0}') as OriginOptions;
let requests = 0;
let open = 0;

type Answer = (request: IncomingMessage, response: ServerResponse, query: URLSearchParams) => void;

const answers: Record<string, Answer> = {
  // Says what it got: for header and body checks.
  '/echo': (request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts).toString('latin1');
      const { method, url, rawHeaders } = request;
      response.end(JSON.stringify({ name: options.name, method, url, rawHeaders, body }));
    });
  },
  // Answers after `ms`.
  '/slow': (_, response, query) => {
    setTimeout(() => response.end(`slow ${options.name}`), Number(query.get('ms') ?? 1000));
  },
  // Head at once, then `parts` chunks over `ms`.
  '/stream': (_, response, query) => {
    const parts = Number(query.get('parts') ?? 10);
    const every = Number(query.get('ms') ?? 1000) / parts;
    let sent = 0;
    const timer = setInterval(() => {
      response.write(`part ${sent}\n`);
      if (++sent < parts) return;
      clearInterval(timer);
      response.end();
    }, every);
    response.on('close', () => clearInterval(timer));
    response.writeHead(200).flushHeaders();
  },
  // `bytes` with a length, written with back-pressure.
  '/big': (_, response, query) => {
    let left = Number(query.get('bytes') ?? 1_048_576);
    const piece = Buffer.alloc(65_536, 'x');
    response.writeHead(200, { 'content-length': left });
    const pump = (): void => {
      while (left > 0) {
        const take = Math.min(left, piece.length);
        left -= take;
        if (!response.write(take === piece.length ? piece : piece.subarray(0, take))) {
          response.once('drain', pump);
          return;
        }
      }
      response.end();
    };
    pump();
  },
  '/status': (_, response, query) => {
    response.writeHead(Number(query.get('code') ?? 500)).end('as asked');
  },
  // A final answer before the body was read.
  '/early': (_, response) => {
    response.writeHead(413, { 'content-length': 5 }).end('early');
  },
  '/hints': (_, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload' });
    response.writeProcessing();
    response.end('hinted');
  },
  // Dies with the request in hand.
  '/die': (request) => request.socket.destroy(),
  '/open': (_, response) => response.end(String(open)),
  '/requests': (_, response) => response.end(String(requests)),
};

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://origin');
  open++;
  response.once('close', () => {
    open--;
  });
  if (url.pathname !== '/healthz') requests++;
  response.setHeader('x-server', options.name);
  const id = request.headers['x-id'];
  if (typeof id === 'string') response.setHeader('x-id', id);
  const answer = answers[url.pathname];
  if (answer !== undefined) {
    answer(request, response, url.searchParams);
    return;
  }
  request.resume();
  response.end(`hello from ${options.name}\n`);
});

// An upgraded link echoes what it gets.
server.on('upgrade', (request, socket, head) => {
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n` +
      `Upgrade: ${request.headers.upgrade}\r\nX-Server: ${options.name}\r\n\r\n`,
  );
  socket.write(head);
  socket.pipe(socket);
  socket.on('error', () => socket.destroy());
});

server.keepAliveTimeout = options.keepAliveMs ?? 60_000;
server.listen(options.port, '127.0.0.1', () => {
  process.stdout.write(`ready ${(server.address() as AddressInfo).port}\n`);
});
