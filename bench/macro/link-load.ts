// Loads that are about links rather than requests, a process of its own, one line of JSON:
//   node link-load.ts '{"kind":"ping-pong","port":1,"links":64,"seconds":2}'  messages of 64 bytes, echoed
//   node link-load.ts '{"kind":"idle","port":1,"links":8000}'  opens, one request each, prints, stays until it is killed
import { connect, type Socket } from 'node:net';

interface Options {
  readonly kind: 'ping-pong' | 'idle';
  readonly port: number;
  readonly links: number;
  readonly seconds?: number;
}

const options = JSON.parse(process.argv[2] ?? '') as Options;
const MESSAGE_BYTES = 64;

function fail(error: Error): void {
  process.stdout.write(`${JSON.stringify({ error: error.message })}\n`, () => process.exit(1));
}

function pingPong(): void {
  const message = Buffer.alloc(MESSAGE_BYTES, 'm');
  const sockets: Socket[] = [];
  let count = 0;
  let connected = 0;
  for (let link = 0; link < options.links; link++) {
    const socket = connect(options.port, '127.0.0.1');
    socket.setNoDelay(true).on('error', fail);
    let received = 0;
    socket.once('connect', () => {
      sockets.push(socket);
      if (++connected === options.links) for (const one of sockets) one.write(message);
    });
    socket.on('data', (bytes) => {
      received += bytes.length;
      if (received < MESSAGE_BYTES) return;
      received -= MESSAGE_BYTES;
      count++;
      socket.write(message);
    });
  }
  setTimeout(
    () => {
      process.stdout.write(`${JSON.stringify({ messages: count })}\n`, () => process.exit(0));
    },
    (options.seconds ?? 2) * 1000,
  );
}

function idle(): void {
  let open = 0;
  let begun = 0;
  const next = (): void => {
    if (begun === options.links) return;
    begun++;
    const socket = connect(options.port, '127.0.0.1', () => {
      socket.write('GET /small HTTP/1.1\r\nHost: lb.test\r\n\r\n');
    });
    socket.on('error', fail);
    socket.once('data', () => {
      if (++open === options.links) process.stdout.write(`${JSON.stringify({ open })}\n`);
      next();
    });
  };
  for (let index = 0; index < 50; index++) next();
}

if (options.kind === 'idle') idle();
else pingPong();
