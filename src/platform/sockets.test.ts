import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { canPassDescriptors } from './socket-calls.ts';
import { closeDescriptor, ListenRefusal, openListeners, refuseConnections } from './sockets.ts';

const skip = canPassDescriptors() ? false : 'needs Linux and koffi';

function refusalOf(open: () => unknown): ListenRefusal {
  try {
    open();
  } catch (error) {
    assert.ok(error instanceof ListenRefusal);
    return error;
  }
  return assert.fail('it listened');
}

async function isAnswered(fd: number, options: { port: number; host: string }): Promise<boolean> {
  const server = createServer((socket) => socket.end('x'));
  server.listen({ fd });
  await once(server, 'listening');
  const socket = connect(options);
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  server.close();
  return bytes.toString() === 'x';
}

test('openListeners() gives sockets that share the port of the first', { skip }, async () => {
  const opened = openListeners({ kind: 'ip', host: '127.0.0.1', port: 0 }, 3);
  assert.equal(new Set(opened.fds).size, 3);
  const again = refusalOf(() =>
    openListeners({ kind: 'ip', host: '127.0.0.1', port: opened.port }, 2),
  );
  assert.equal(again.code, 'EADDRINUSE');
  assert.match(again.message, /^Cannot listen on 127\.0\.0\.1:\d+ as another program/);
  for (const fd of opened.fds) closeDescriptor(fd);
  const reopened = openListeners({ kind: 'ip', host: '127.0.0.1', port: opened.port }, 1);
  assert.equal(reopened.port, opened.port);
  assert.ok(await isAnswered(reopened.fds[0] as number, { port: opened.port, host: '127.0.0.1' }));
});

test('openListeners() of any address takes IPv4 and, where there is one, IPv6', {
  skip,
}, async () => {
  const { fds, port } = openListeners({ kind: 'any', port: 0 }, 1);
  assert.ok(await isAnswered(fds[0] as number, { port, host: '127.0.0.1' }));
});

test('openListeners() says which address the machine does not have', { skip }, () => {
  const refusal = refusalOf(() => openListeners({ kind: 'ip', host: '192.0.2.1', port: 0 }, 1));
  assert.equal(refusal.code, 'EADDRNOTAVAIL');
});

test('openListeners() removes a stale Unix socket, never a living one', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-'));
  const path = join(folder, 'a.sock');
  const first = openListeners({ kind: 'unix', path }, 4);
  assert.equal(first.fds.length, 1);
  assert.equal(refusalOf(() => openListeners({ kind: 'unix', path }, 1)).code, 'EADDRINUSE');
  closeDescriptor(first.fds[0] as number);
  assert.ok(existsSync(path));
  const second = openListeners({ kind: 'unix', path }, 1);
  closeDescriptor(second.fds[0] as number);
  rmSync(folder, { recursive: true });
});

test('refuseConnections() refuses at once and keeps what is queued', { skip }, async (t) => {
  const opened = openListeners({ kind: 'any', port: 0 }, 2);
  const { port } = opened;
  const knock = async (): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    return await once(socket, 'connect').then(
      () => 'connected',
      (error: NodeJS.ErrnoException) => error.code ?? '',
    );
  };
  assert.deepEqual(await Promise.all([knock(), knock(), knock()]), Array(3).fill('connected'));
  for (const fd of opened.fds) assert.equal(refuseConnections(fd), true);
  assert.deepEqual(await Promise.all([knock(), knock(), knock()]), Array(3).fill('ECONNREFUSED'));
  let accepted = 0;
  const servers = opened.fds.map((fd) => createServer(() => accepted++).listen({ fd }));
  while (accepted < 3) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await knock(), 'ECONNREFUSED');
  for (const server of servers) server.close();
});
