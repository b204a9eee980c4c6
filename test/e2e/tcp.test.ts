import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { drivers } from './drivers.ts';
import { startBalancer } from './harness.ts';
import { freePort } from './ports.ts';
import { within } from './waiting.ts';

const STREAM_BYTES = 10 * 1024 * 1024;

/** Echoes and half-closes when its client has. */
async function startEcho(test: TestContext): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.pipe(socket);
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  test.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Sends all, half-closes, and reads to the end: the digests of both directions. */
function echoThrough(port: number, seed: number): Promise<{ sent: string; received: string }> {
  const sent = createHash('sha256');
  const received = createHash('sha256');
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let left = STREAM_BYTES;
    let counter = seed;
    const pump = (): void => {
      while (left > 0) {
        const piece = Buffer.alloc(Math.min(left, 48_000));
        // A linear congruence is enough to tell a lost or swapped piece (Numerical Recipes constants).
        for (let at = 0; at + 4 <= piece.length; at += 4) {
          counter = (Math.imul(counter, 1_664_525) + 1_013_904_223) >>> 0;
          piece.writeUInt32LE(counter, at);
        }
        left -= piece.length;
        sent.update(piece);
        if (!socket.write(piece)) {
          socket.once('drain', pump);
          return;
        }
      }
      socket.end();
    };
    socket.once('connect', pump);
    socket.on('data', (bytes) => received.update(bytes));
    socket.on('end', () => {
      resolve({ sent: sent.digest('hex'), received: received.digest('hex') });
    });
    socket.on('error', reject);
  });
}

for (const { name: driver, skip } of await drivers()) {
  describe(`TCP, ${driver}`, { skip }, () => {
    it('echoes four 10 MiB streams whole through half-close with one of two servers dead', async (test) => {
      const alive = await startEcho(test);
      const dead = await freePort();
      const port = await freePort();
      await startBalancer(
        test,
        {
          listeners: [
            { name: 'echo', address: `127.0.0.1:${port}`, protocol: 'tcp', pool: 'echo' },
          ],
          pools: {
            echo: {
              policy: 'round-robin',
              servers: [`127.0.0.1:${dead}`, `127.0.0.1:${alive}`],
            },
          },
          workers: 2,
          log: { access: 'off' },
        },
        { driver },
      );
      const digests = await within(
        'four streams',
        60_000,
        Promise.all([1, 2, 3, 4].map((seed) => echoThrough(port, seed))),
      );
      for (const { sent, received } of digests) assert.equal(received, sent);
    });
  });
}
