import { createServer } from 'node:net';

// Below the kernel's ephemeral range (32768 and up), so that no outgoing connection of a test running
// beside us can take the port between the probe here and the listen of the program under test.
const FIRST = 12_000;
const COUNT = 20_000;
let next = FIRST + ((process.pid * 37) % COUNT);

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '0.0.0.0', exclusive: true }, () =>
      server.close(() => resolve(true)),
    );
  });
}

/** A TCP port that nothing listens on now. Errors: throws when 500 tries found none. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 500; tries++) {
    const port = next;
    next = FIRST + ((next - FIRST + 1) % COUNT);
    if (await isFree(port)) return port;
  }
  throw new Error('Cannot find a free port: 500 tried');
}
