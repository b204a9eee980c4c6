import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';

import { limits } from '../../model/limits.ts';
import type { Driver, Link, LinkHandler } from '../driver.ts';
import { createUringDriver } from './driver.ts';
import { Ledger } from './ledger.ts';
import { probeUring } from './probe.ts';

const probe = probeUring();
const skip = probe.isUsable ? false : probe.reason;
const MEBIBYTE = 1_048_576;

function start(): { driver: Driver; descriptorBits: Int32Array; ledger: Int32Array } {
  const ledger = new Int32Array(new SharedArrayBuffer(Ledger.WORDS * 4));
  const descriptorBits = new Int32Array(new SharedArrayBuffer(limits.descriptors >>> 3));
  const driver = createUringDriver({ worker: 0, ledger, descriptorBits });
  return { driver, descriptorBits, ledger };
}

/** Waits by the driver's ticks, at most 30 s of them. */
async function until(driver: Driver, what: string, condition: () => boolean): Promise<void> {
  for (let ticks = 0; ticks < 600; ticks++) {
    if (condition()) return;
    await new Promise<void>((resolve) => {
      driver.onTick = () => resolve();
    });
  }
  assert.fail(`waited in vain for: ${what}`);
}

const loopback = (port: number) => ({ kind: 'ip', host: '127.0.0.1', port }) as const;

/** Two links that pass everything on to each other, with back-pressure, as a tunnel does. */
function tunnel(driver: Driver, upstreamPort: number): (link: Link) => void {
  const target = driver.prepare(loopback(upstreamPort));
  const handler: LinkHandler = {
    onConnected: () => {},
    onReceive(link, id, offset, length) {
      const far = link.context as Link;
      far.send(id, offset, length);
      if (far.queuedBytes > limits.queueHighBytes) link.pause();
    },
    onEnd: (link) => (link.context as Link).end(),
    onDrain: (link) => (link.context as Link).resume(),
    onClosed: (link) => (link.context as Link).close(),
  };
  return (link) => {
    const far = driver.dial(target, handler);
    link.handler = handler;
    link.context = far;
    far.context = link;
  };
}

const echo: LinkHandler = {
  onConnected: () => {},
  onReceive(link, id, offset, length) {
    link.send(id, offset, length);
    if (link.queuedBytes > limits.queueHighBytes) link.pause();
  },
  onEnd: (link) => link.end(),
  onDrain: (link) => link.resume(),
  onClosed: () => {},
};

test('8 MiB pass whole both ways through two pairs of links with slow readers', {
  skip,
}, async () => {
  const { driver, descriptorBits } = start();
  const reserved = descriptorBits.slice();
  const far = driver.listen({ kind: 'address', address: loopback(0) }, (link) => {
    link.handler = echo;
  });
  const near = driver.listen({ kind: 'address', address: loopback(0) }, tunnel(driver, far.port));
  let peak = 0;
  const runs = Array.from({ length: 4 }, (_, seed) => {
    const sent = Buffer.alloc(8 * MEBIBYTE);
    for (let i = 0; i < sent.length; i++) sent[i] = (i * 31 + (i >>> 8) * 17 + seed) & 255;
    const socket = connect({ port: near.port, host: '127.0.0.1', allowHalfOpen: true });
    const state = { received: 0, isRight: true, isEnded: false };
    socket.on('data', (bytes) => {
      const expected = sent.subarray(state.received, state.received + bytes.length);
      state.isRight &&= expected.equals(bytes);
      state.received += bytes.length;
      peak = Math.max(peak, driver.buffers.inUse);
      // Slow: a rest after each piece until the loop has been round twice.
      socket.pause();
      setImmediate(() => setImmediate(() => socket.resume()));
    });
    socket.on('end', () => {
      state.isEnded = true;
    });
    socket.end(sent);
    return state;
  });
  await until(driver, 'all bytes and ends', () => runs.every((run) => run.isEnded));
  for (const run of runs) {
    assert.equal(run.received, 8 * MEBIBYTE);
    assert.ok(run.isRight, 'bytes are what was sent');
  }
  // Per tunnel 4 links, each with a queue of 128 KiB and an armed receive of 512 KiB: 40 buffers of
  // 16 KiB; the kernel may hand over buffers that are only half filled: twice that.
  assert.ok(peak <= 4 * 4 * 40 * 2, `buffers in use stay bounded: ${peak}`);
  await until(driver, 'all links gone', () => driver.openLinks === 0);
  assert.equal(driver.buffers.inUse, 0);
  assert.deepEqual(descriptorBits, reserved);
  far.stop();
  near.stop();
  driver.close();
});

test('500 links opened and closed in every way leave nothing behind', { skip }, async () => {
  const before = readdirSync('/proc/self/fd').length;
  const { driver, descriptorBits, ledger } = start();
  const reserved = descriptorBits.slice();
  let closed = 0;
  const handler: LinkHandler = {
    ...echo,
    onReceive(link, id, offset, length) {
      // The first byte says how this link ends: echoed and closed, aborted, or half-closed.
      const way = driver.buffers.bytes[offset];
      link.send(id, offset, length);
      if (way === 48) link.close();
      else if (way === 49) link.abort();
      else if (way === 50) link.end();
    },
    onEnd: (link) => link.close(),
    onClosed: () => {
      closed++;
    },
  };
  const listening = driver.listen({ kind: 'address', address: loopback(0) }, (link) => {
    link.handler = handler;
  });
  const sockets: Socket[] = [];
  for (let count = 0; count < 500; count++) {
    const socket = connect({ port: listening.port, host: '127.0.0.1' });
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.resume();
    // Every fourth way: the peer itself goes away at once.
    if (count % 4 === 3) socket.end('9');
    else socket.write(String(count % 4).repeat(1 + (count % 7) * 1000));
    sockets.push(socket);
  }
  await until(driver, 'all links closed', () => closed === 500);
  for (const socket of sockets) socket.destroy();
  assert.equal(driver.openLinks, 0);
  assert.equal(driver.buffers.inUse, 0);
  assert.deepEqual(descriptorBits, reserved, 'no descriptor of a link is noted');
  driver.close();
  await new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));
  assert.ok(
    ledger.every((word) => word === 0),
    'a closed driver leaves an empty ledger',
  );
  assert.ok(
    descriptorBits.every((word) => word === 0),
    'a closed driver keeps no descriptor',
  );
  assert.equal(driver.buffers.bytes.length, 0, 'a closed driver has no memory');
  const isBack = () => readdirSync('/proc/self/fd').length <= before + 4;
  assert.ok(isBack(), 'descriptors are back');
});
