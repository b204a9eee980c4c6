import assert from 'node:assert/strict';

import { limits } from '../../model/limits.ts';
import type { Link } from '../driver.ts';
import { patternAt } from './pattern.ts';
import { type AddCase, echo, type Peer, Recorder, type Rig } from './rig.ts';

const MIB = 1_048_576;

/** Cases about bytes: order, content, back-pressure, buffers. */
export function addTrafficCases(add: AddCase): void {
  add('an accepted link echoes', echoes);
  add('dial(): a dialled link is connected, sends and receives', dialsAndEchoes);
  add('send() keeps the order of many small pieces', sendsSmallPiecesInOrder);
  add('send() and sendCopy() mixed keep their order', mixesSendAndSendCopy);
  add('sendCopy() takes more than a buffer holds', copiesLargeBytes);
  add('sendCopy() queues nothing when the pool is used up', copiesNothingWithoutBuffers);
  add('send() before the link is connected is sent later', sendsBeforeConnected);
  add('32 MiB go both ways between slow ends, whole and in bounded memory', relaysLargeStreams);
  add('pause() stops receiving within a bounded overrun, resume() loses nothing', pausesReceiving);
  add('onDrain follows once the queue has fallen, progress is seen while it is full', drains);
  add('a used up pool holds links back until buffers are released', waitsForBuffers);
}

async function echoes(rig: Rig): Promise<void> {
  const recorder = echo(new Recorder(rig));
  const { port } = rig.serve(() => recorder);
  const peer = rig.peer(port);
  peer.socket.write(patternAt(0, 1000));
  await rig.until('the echo', () => peer.reader.position === 1000);
  assert.equal(peer.reader.wrongAt, -1);
  peer.socket.end();
  await rig.until('the end', () => peer.isEnded);
}

async function dialsAndEchoes(rig: Rig): Promise<void> {
  const port = await rig.peerServer((peer) => peer.socket.pipe(peer.socket));
  const recorder = new Recorder(rig);
  const link = rig.dial(port, recorder);
  assert.equal(link.isConnected, false);
  await rig.until('connected', () => recorder.connects === 1);
  rig.call(() => link.sendCopy(patternAt(0, 500), 0, 500));
  await rig.until('the echo', () => recorder.reader.position === 500);
  assert.equal(recorder.reader.wrongAt, -1);
  assert.equal(link.receivedBytes, 500);
  assert.equal(link.sentBytes, 500);
  assert.equal(link.queuedBytes, 0);
  rig.call(() => link.close());
  await rig.until('closed', () => recorder.isClosed);
  assert.deepEqual(recorder.closes, [0]);
}

async function sendsSmallPiecesInOrder(rig: Rig): Promise<void> {
  let accepted: Link | null = null;
  const recorder = new Recorder(rig);
  const { port } = rig.serve((link) => {
    accepted = link;
    return recorder;
  });
  const peer = rig.peer(port);
  await rig.until('accepted', () => accepted !== null);
  let position = 0;
  for (let round = 0; round < 20; round++) {
    rig.call(() => {
      for (let piece = 0; piece < 150; piece++) {
        const length = 1 + ((round * 150 + piece) % 97);
        const { id, offset } = rig.fill(patternAt(position, length));
        (accepted as unknown as Link).send(id, offset, length);
        position += length;
      }
    });
    await rig.until('some arrived', () => peer.reader.position > position - 10_000);
  }
  await rig.until('all arrived', () => peer.reader.position === position);
  assert.equal(peer.reader.wrongAt, -1);
  assert.equal((accepted as unknown as Link).sentBytes, position);
}

async function mixesSendAndSendCopy(rig: Rig): Promise<void> {
  let peer: Peer | null = null;
  const port = await rig.peerServer((connected) => {
    peer = connected;
  });
  const recorder = new Recorder(rig);
  const link = rig.dial(port, recorder);
  let position = 0;
  for (let round = 0; round < 100; round++) {
    rig.call(() => {
      for (const length of [3, 40, 7]) {
        assert.ok(link.sendCopy(patternAt(position, length), 0, length));
        position += length;
      }
      const { id, offset } = rig.fill(patternAt(position, 300));
      link.send(id, offset, 300);
      position += 300;
    });
    if (round % 10 === 0) await rig.ticks(1);
  }
  const seen = (): number => peer?.reader.position ?? 0;
  await rig.until('all arrived', () => seen() === position);
  assert.equal((peer as unknown as Peer).reader.wrongAt, -1);
  rig.call(() => link.close());
}

async function copiesLargeBytes(rig: Rig): Promise<void> {
  const recorder = new Recorder(rig);
  let accepted: Link | null = null;
  const { port } = rig.serve((link) => {
    accepted = link;
    return recorder;
  });
  const peer = rig.peer(port);
  await rig.until('accepted', () => accepted !== null);
  const link = accepted as unknown as Link;
  // Starts in the middle of the array: [start, end) counts, not the array.
  const shifted = Buffer.concat([Buffer.alloc(100), patternAt(0, 100_000), Buffer.alloc(100)]);
  const isQueued = rig.call(() => link.sendCopy(shifted, 100, 100_100));
  shifted.fill(0);
  assert.ok(isQueued);
  await rig.until('all arrived', () => peer.reader.position === 100_000);
  assert.equal(peer.reader.wrongAt, -1);
  assert.equal(link.sentBytes, 100_000);
  rig.call(() => link.abort());
}

async function copiesNothingWithoutBuffers(rig: Rig): Promise<void> {
  const port = await rig.peerServer(() => {});
  const recorder = new Recorder(rig);
  const link = rig.dial(port, recorder);
  await rig.until('connected', () => recorder.connects === 1);
  const { buffers } = rig.driver;
  const held = takeAll(rig);
  const size = 2 * buffers.sizeBytes;
  assert.equal(buffers.isScarce, true);
  assert.equal(
    rig.call(() => link.sendCopy(patternAt(0, size), 0, size)),
    false,
  );
  assert.equal(link.queuedBytes, 0);
  for (const id of held) buffers.release(id);
  assert.equal(buffers.isScarce, false);
  rig.call(() => link.abort());
}

async function sendsBeforeConnected(rig: Rig): Promise<void> {
  let peer: Peer | null = null;
  const port = await rig.peerServer((connected) => {
    peer = connected;
  });
  const recorder = new Recorder(rig);
  const link = rig.dial(port, recorder);
  rig.call(() => {
    const { id, offset } = rig.fill(patternAt(0, 5000));
    link.send(id, offset, 5000);
    link.sendCopy(patternAt(5000, 5000), 0, 5000);
    link.close();
  });
  await rig.until('all arrived', () => (peer as Peer | null)?.isEnded === true);
  assert.equal((peer as unknown as Peer).reader.position, 10_000);
  assert.equal((peer as unknown as Peer).reader.wrongAt, -1);
}

async function relaysLargeStreams(rig: Rig): Promise<void> {
  const recorder = echo(new Recorder(rig));
  const { port } = rig.serve(() => recorder);
  const peer = rig.peer(port);
  const totalBytes = 32 * MIB;
  let written = 0;
  const write = (): void => {
    while (written < totalBytes) {
      const length = Math.min(65_536, totalBytes - written);
      const isRoom = peer.socket.write(patternAt(written, length));
      written += length;
      if (!isRoom) return;
    }
    peer.socket.end();
  };
  peer.socket.on('drain', write);
  write();
  // A reader that rests until the next tick after every 4 MiB: the queues before it fill up.
  let restAt = 4 * MIB;
  peer.socket.on('data', () => {
    if (peer.reader.position < restAt) return;
    restAt += 4 * MIB;
    peer.socket.pause();
    void rig.ticks(1).then(() => peer.socket.resume());
  });
  await rig.until('all came back', () => peer.isEnded);
  assert.equal(peer.reader.position, totalBytes);
  assert.equal(peer.reader.wrongAt, -1);
  assert.equal(recorder.reader.wrongAt, -1);
  // 4 MiB of buffers: the queue's 128 KiB, and room for small receives in large buffers.
  assert.ok(rig.buffersPeak <= 256, `buffers in use at most: ${rig.buffersPeak}`);
  assert.ok(rig.queuedBytesPeak <= limits.queueHighBytes + MIB, `queued: ${rig.queuedBytesPeak}`);
}

async function pausesReceiving(rig: Rig): Promise<void> {
  const recorder = new Recorder(rig);
  let accepted: Link | null = null;
  const { port } = rig.serve((link) => {
    accepted = link;
    return recorder;
  });
  recorder.take = (link, id) => {
    rig.driver.buffers.release(id);
    link.pause();
  };
  const peer = rig.peer(port);
  // More than two kernel buffers hold, so that the peer is stopped too.
  const totalBytes = 16 * MIB;
  for (let at = 0; at < totalBytes; at += 65_536) peer.socket.write(patternAt(at, 65_536));
  await rig.until('the first bytes', () => recorder.reader.position > 0);
  await rig.ticks(4);
  const link = accepted as unknown as Link;
  const before = link.receivedBytes;
  assert.ok(before <= MIB, `overrun of a paused link: ${before}`);
  await rig.ticks(4);
  assert.equal(link.receivedBytes, before);
  assert.ok(peer.socket.writableLength > 0, 'the peer is held back');
  recorder.take = (_link, id) => rig.driver.buffers.release(id);
  rig.call(() => link.resume());
  peer.socket.end();
  await rig.until('the rest and the end', () => recorder.ends === 1);
  assert.equal(recorder.reader.position, totalBytes);
  assert.equal(recorder.reader.wrongAt, -1);
  rig.call(() => link.close());
}

async function drains(rig: Rig): Promise<void> {
  let peer: Peer | null = null;
  const port = await rig.peerServer((connected) => {
    connected.socket.pause();
    peer = connected;
  });
  const recorder = new Recorder(rig);
  const link = rig.dial(port, recorder);
  await rig.until('both connected', () => recorder.connects === 1 && peer !== null);
  // Above what the kernel's two buffers take (some 6 MiB on loopback).
  const totalBytes = 16 * MIB;
  rig.call(() => {
    for (let at = 0; at < totalBytes; at += 65_536) {
      assert.ok(link.sendCopy(patternAt(at, 65_536), 0, 65_536));
    }
  });
  assert.equal(link.queuedBytes, totalBytes);
  await rig.ticks(6);
  assert.ok(link.queuedBytes > limits.queueHighBytes, 'the peer does not read');
  assert.equal(link.queuedBytes + link.sentBytes, totalBytes);
  assert.equal(recorder.drains, 0);
  const before = { sentBytes: link.sentBytes, progressAtMs: link.progressAtMs };
  const reader = (peer as unknown as Peer).reader;
  (peer as unknown as Peer).socket.resume();
  await rig.until('progress', () => link.sentBytes > before.sentBytes);
  assert.ok(link.progressAtMs > before.progressAtMs);
  await rig.until('drained', () => recorder.drains === 1);
  assert.ok(link.queuedBytes <= limits.queueLowBytes);
  await rig.until('all arrived', () => reader.position === totalBytes);
  assert.equal(reader.wrongAt, -1);
  assert.equal(recorder.drains, 1);
  rig.call(() => link.close());
}

async function waitsForBuffers(rig: Rig): Promise<void> {
  const recorders: Recorder[] = [];
  const { port } = rig.serve(() => {
    const recorder = new Recorder(rig);
    recorders.push(recorder);
    return recorder;
  });
  const held = takeAll(rig);
  const peers: Peer[] = [];
  for (let count = 0; count < 3; count++) {
    const peer = rig.peer(port);
    peers.push(peer);
    peer.socket.on('connect', () => peer.socket.write(patternAt(0, 100_000)));
  }
  // What a driver keeps in store for receiving may be used; then nothing comes until buffers are free.
  await rig.until('all written', () => peers.every((peer) => peer.socket.bytesWritten === 100_000));
  await rig.ticks(3);
  for (const id of held) rig.driver.buffers.release(id);
  const receivedBytes = (): number =>
    recorders.reduce((sum, { reader }) => sum + reader.position, 0);
  await rig.until('all received', () => receivedBytes() === 300_000);
  for (const { reader } of recorders) assert.equal(reader.wrongAt, -1);
}

function takeAll(rig: Rig): number[] {
  const held: number[] = [];
  for (let count = 0; count <= limits.buffersMax; count++) {
    const id = rig.driver.buffers.acquire();
    if (id < 0) return held;
    held.push(id);
  }
  throw new Error('the pool gives more than its budget');
}
