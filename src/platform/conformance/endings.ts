import assert from 'node:assert/strict';

import type { Link } from '../driver.ts';
import { openBlackhole, unusedPort } from '../test-sockets.ts';
import { patternAt } from './pattern.ts';
import { type AddCase, descriptorCount, echo, type Peer, Recorder, type Rig } from './rig.ts';

const ECONNREFUSED = 111;
const ECONNRESET = 104;
const EPIPE = 32;

/** Cases about how links end: half-close, close, abort, refusal, and that each end is told once. */
export function addEndingCases(add: AddCase): void {
  add('onEnd: a link goes on sending after the peer has ended', sendsAfterPeerEnd);
  add('end(): a link goes on receiving after its own end', receivesAfterOwnEnd);
  add('end(): bytes held back by pause() survive the end of both sides', keepsBytesAfterBothEnds);
  add('close() sends what is queued first', closesAfterFlush);
  add('abort() resets the connection', abortResets);
  add('abort() right after end() ends the link', abortsAfterEnd);
  add('abort() after close() ends a link whose peer does not read', abortsAfterClose);
  add('dial(): a refused connection is told as ECONNREFUSED', refused);
  add('abort() ends a dial that nobody answers', abortsBlackhole);
  add('a reset by the peer while sending is told once', resetWhileSending);
  add('onClosed comes exactly once for every way to end', endsOnce);
  add('no event follows close() or abort()', staysSilent);
  add('a thousand links leave no descriptor behind', leavesNoDescriptor);
}

async function sendsAfterPeerEnd(rig: Rig): Promise<void> {
  const recorder = new Recorder(rig);
  const links: Link[] = [];
  const { port } = rig.serve((link) => {
    links.push(link);
    return recorder;
  });
  const peer = rig.peer(port);
  peer.socket.end(patternAt(0, 10));
  await rig.until('the end', () => recorder.ends === 1);
  assert.equal(recorder.reader.position, 10);
  const link = links[0] as Link;
  assert.ok(link.isOpen);
  rig.call(() => link.sendCopy(patternAt(0, 50_000), 0, 50_000));
  await rig.until('the answer', () => peer.reader.position === 50_000);
  assert.equal(peer.isEnded, false);
  rig.call(() => link.end());
  await rig.until('the end', () => peer.isEnded);
  // Both sides have ended: a driver may close by itself now, or leave that to close().
  rig.call(() => link.close());
  await rig.until('closed', () => recorder.isClosed);
  assert.deepEqual(recorder.closes, [0]);
}

async function receivesAfterOwnEnd(rig: Rig): Promise<void> {
  const peers: Peer[] = [];
  const port = await rig.peerServer((peer) => peers.push(peer));
  const recorder = new Recorder(rig);
  const link = rig.dial(port, recorder);
  rig.call(() => {
    link.sendCopy(patternAt(0, 1000), 0, 1000);
    link.end();
    link.end();
  });
  await rig.until('the peer sees the end', () => peers[0]?.isEnded === true);
  assert.equal(peers[0]?.reader.position, 1000);
  assert.ok(link.isOpen);
  peers[0]?.socket.end(patternAt(0, 90_000));
  await rig.until('the answer and its end', () => recorder.ends === 1);
  assert.equal(recorder.reader.position, 90_000);
  assert.equal(recorder.reader.wrongAt, -1);
  rig.call(() => link.close());
  await rig.until('closed', () => recorder.isClosed);
  assert.deepEqual(recorder.closes, [0]);
}

async function keepsBytesAfterBothEnds(rig: Rig): Promise<void> {
  const port = await rig.peerServer((peer) => {
    peer.socket.end(patternAt(0, 60_000));
  });
  const recorder = new Recorder(rig);
  // Takes one buffer a tick.
  recorder.take = (link, id) => {
    rig.driver.buffers.release(id);
    link.pause();
    void rig.ticks(2).then(() => rig.call(() => link.resume()));
  };
  const link = rig.dial(port, recorder);
  rig.call(() => link.end());
  await rig.until('the end', () => recorder.ends === 1);
  assert.equal(recorder.reader.position, 60_000);
  assert.equal(recorder.reader.wrongAt, -1);
  rig.call(() => link.close());
}

async function closesAfterFlush(rig: Rig): Promise<void> {
  const recorder = new Recorder(rig);
  const { port } = rig.serve(() => recorder);
  recorder.take = (link, id) => {
    rig.driver.buffers.release(id);
    for (let at = 0; at < 8_000_000; at += 100_000) {
      link.sendCopy(patternAt(at, 100_000), 0, 100_000);
    }
    link.close();
  };
  const peer = rig.peer(port);
  peer.socket.write(patternAt(0, 1));
  await rig.until('the end', () => peer.isEnded);
  assert.equal(peer.errorCode, '');
  assert.equal(peer.reader.position, 8_000_000);
  assert.equal(peer.reader.wrongAt, -1);
  await rig.until('closed', () => recorder.isClosed);
  assert.deepEqual(recorder.closes, [0]);
}

async function abortResets(rig: Rig): Promise<void> {
  const recorder = new Recorder(rig);
  const { port } = rig.serve(() => recorder);
  recorder.take = (link, id) => {
    rig.driver.buffers.release(id);
    link.abort();
  };
  const peer = rig.peer(port);
  peer.socket.write(patternAt(0, 1));
  await rig.until('the peer is gone', () => peer.isClosed);
  assert.equal(peer.errorCode, 'ECONNRESET');
  await rig.until('closed', () => recorder.isClosed);
  assert.deepEqual(recorder.closes, [0]);
}

async function abortsAfterEnd(rig: Rig): Promise<void> {
  const recorders: Recorder[] = [];
  const { port } = rig.serve(() => {
    const recorder = new Recorder(rig);
    const isDelayed = recorders.length === 1;
    recorders.push(recorder);
    recorder.take = (link, id) => {
      rig.driver.buffers.release(id);
      link.sendCopy(patternAt(0, 10), 0, 10);
      link.end();
      if (isDelayed) queueMicrotask(() => process.nextTick(() => link.abort()));
      else link.abort();
    };
    return recorder;
  });
  const peers = [rig.peer(port), rig.peer(port)];
  for (const peer of peers) peer.socket.write(patternAt(0, 1));
  await rig.until(
    'both closed',
    () => recorders.length === 2 && recorders.every((r) => r.isClosed),
  );
  await rig.until('both peers gone', () => peers.every((peer) => peer.isEnded || peer.isClosed));
}

async function abortsAfterClose(rig: Rig): Promise<void> {
  const peers: Peer[] = [];
  const port = await rig.peerServer((peer) => {
    peer.socket.pause();
    peers.push(peer);
  });
  const recorder = new Recorder(rig);
  const link = rig.dial(port, recorder);
  await rig.until('connected', () => recorder.connects === 1 && peers.length === 1);
  rig.call(() => {
    for (let at = 0; at < 16_000_000; at += 100_000) {
      link.sendCopy(patternAt(at, 100_000), 0, 100_000);
    }
    link.close();
  });
  await rig.ticks(4);
  assert.equal(recorder.isClosed, false);
  rig.call(() => link.abort());
  await rig.until('closed', () => recorder.isClosed);
  assert.deepEqual(recorder.closes, [0]);
  assert.equal(rig.driver.buffers.inUse, 0);
}

async function refused(rig: Rig): Promise<void> {
  const recorder = new Recorder(rig);
  const link = rig.dial(unusedPort(), recorder);
  rig.call(() => link.sendCopy(patternAt(0, 100), 0, 100));
  await rig.until('closed', () => recorder.isClosed);
  assert.deepEqual(recorder.closes, [ECONNREFUSED]);
  assert.equal(recorder.connects, 0);
}

async function abortsBlackhole(rig: Rig): Promise<void> {
  const blackhole = openBlackhole();
  const filler = rig.peer(blackhole.port);
  await rig.until('the queue is full', () => filler.isConnected);
  const recorders = [new Recorder(rig), new Recorder(rig), new Recorder(rig)];
  const [first, second, third] = recorders.map((recorder) => rig.dial(blackhole.port, recorder));
  rig.call(() => second?.sendCopy(patternAt(0, 100), 0, 100));
  await rig.ticks(3);
  for (const recorder of recorders) assert.deepEqual([recorder.connects, recorder.closes], [0, []]);
  rig.call(() => {
    first?.abort();
    second?.abort();
    third?.close();
  });
  await rig.until('all closed', () => recorders.every((recorder) => recorder.isClosed));
  for (const recorder of recorders) assert.deepEqual(recorder.closes, [0]);
  blackhole.close();
}

async function resetWhileSending(rig: Rig): Promise<void> {
  const peers: Peer[] = [];
  const port = await rig.peerServer((peer) => {
    peer.socket.pause();
    peers.push(peer);
  });
  const recorder = new Recorder(rig);
  const link = rig.dial(port, recorder);
  await rig.until('connected', () => recorder.connects === 1 && peers.length === 1);
  rig.call(() => {
    for (let at = 0; at < 16_000_000; at += 100_000) {
      link.sendCopy(patternAt(at, 100_000), 0, 100_000);
    }
  });
  await rig.ticks(2);
  peers[0]?.socket.resetAndDestroy();
  await rig.until('closed', () => recorder.isClosed);
  const errno = recorder.closes[0];
  assert.ok(errno === ECONNRESET || errno === EPIPE, `errno ${errno}`);
  assert.equal(rig.driver.buffers.inUse, 0);
  // Of a closed link nothing more is asked than that it does no harm.
  rig.call(() => {
    const { id, offset } = rig.fill(patternAt(0, 10));
    link.send(id, offset, 10);
    link.sendCopy(patternAt(0, 10), 0, 10);
    link.pause();
    link.resume();
    link.end();
    link.close();
    link.abort();
  });
  await rig.ticks(2);
  assert.equal(recorder.closes.length, 1);
}

/** Ways to end, done to an accepted link once its peer has sent a byte and ended or not. */
const endings: readonly ((link: Link, recorder: Recorder, peer: Peer) => void)[] = [
  (link) => link.close(),
  (link) => link.abort(),
  (link) => {
    link.close();
    link.close();
  },
  (link) => {
    link.close();
    link.abort();
    link.abort();
  },
  (link) => {
    link.abort();
    link.close();
  },
  (link) => {
    link.end();
    link.close();
  },
  (link, _recorder, peer) => {
    peer.socket.resetAndDestroy();
    link.close();
  },
  (link, _recorder, peer) => {
    peer.socket.resetAndDestroy();
    link.sendCopy(patternAt(0, 100_000), 0, 100_000);
  },
  (_link, _recorder, peer) => peer.socket.resetAndDestroy(),
  (_link, recorder, peer) => {
    recorder.ended = (link) => link.close();
    peer.socket.end();
  },
  (_link, recorder, peer) => {
    recorder.ended = (link) => link.abort();
    peer.socket.end();
  },
  (link, recorder, peer) => {
    link.end();
    recorder.ended = (ended) => ended.close();
    peer.socket.end();
  },
  (link, _recorder, peer) => {
    link.pause();
    peer.socket.end(patternAt(0, 100_000));
    link.abort();
  },
];

async function endsOnce(rig: Rig): Promise<void> {
  const recorders: Recorder[] = [];
  const peerByPort = new Map<number, Peer>();
  const { port } = rig.serve(() => {
    const recorder = new Recorder(rig);
    const ending = endings[recorders.length % endings.length] as (typeof endings)[number];
    recorders.push(recorder);
    recorder.take = (link, id) => {
      rig.driver.buffers.release(id);
      const peer = peerByPort.get(link.remotePort);
      recorder.take = (_link, next) => rig.driver.buffers.release(next);
      if (peer !== undefined) rig.call(() => ending(link, recorder, peer));
    };
    return recorder;
  });
  for (let count = 0; count < 2 * endings.length; count++) {
    const peer = rig.peer(port);
    await rig.until('connected', () => peer.isConnected && recorders.length > count);
    peerByPort.set(peer.socket.localPort ?? 0, peer);
    peer.socket.write(patternAt(0, 1));
  }
  const listener = await rig.peerServer(() => {});
  const dials: ((recorder: Recorder) => void)[] = [
    (recorder) => rig.call(() => rig.dial(listener, recorder).close()),
    (recorder) => rig.call(() => rig.dial(listener, recorder).abort()),
    (recorder) => {
      recorder.connected = (link) => link.close();
      rig.dial(listener, recorder);
    },
    (recorder) => {
      recorder.connected = (link) => link.abort();
      rig.dial(listener, recorder);
    },
  ];
  for (const dial of dials) {
    const recorder = new Recorder(rig);
    recorders.push(recorder);
    dial(recorder);
  }
  await rig.until('all closed', () => recorders.every((recorder) => recorder.isClosed));
  await rig.ticks(3);
  for (const [index, recorder] of recorders.entries()) {
    assert.equal(recorder.closes.length, 1, `ending ${index % endings.length}`);
  }
}

async function staysSilent(rig: Rig): Promise<void> {
  const recorders: Recorder[] = [];
  const { port } = rig.serve(() => {
    const recorder = new Recorder(rig);
    const isAborting = recorders.length % 2 === 1;
    recorders.push(recorder);
    // More events are on their way at this moment: bytes, the end, a drained queue.
    recorder.take = (link, id, offset, length) => {
      rig.driver.buffers.retain(id);
      link.send(id, offset, length);
      link.send(id, offset, length);
      if (isAborting) link.abort();
      else link.close();
    };
    return recorder;
  });
  const peers: Peer[] = [];
  for (let count = 0; count < 10; count++) {
    const peer = rig.peer(port);
    peers.push(peer);
    peer.socket.end(patternAt(0, 100_000));
  }
  await rig.until('all closed', () => recorders.filter((r) => r.isClosed).length === 10);
  await rig.ticks(3);
  for (const recorder of recorders)
    assert.deepEqual([recorder.ends, recorder.closes.length], [0, 1]);
}

async function leavesNoDescriptor(rig: Rig): Promise<void> {
  const recorders: Recorder[] = [];
  const { port } = rig.serve(() => {
    const recorder = echo(new Recorder(rig));
    recorders.push(recorder);
    return recorder;
  });
  const before = descriptorCount();
  for (let round = 0; round < 10; round++) {
    const dialled: Recorder[] = [];
    const accepted = recorders.length;
    for (let count = 0; count < 100; count++) {
      const recorder = new Recorder(rig);
      recorder.take = (link, id) => {
        rig.driver.buffers.release(id);
        if (count % 2 === 0) link.close();
        else link.abort();
      };
      dialled.push(recorder);
      rig.dial(port, recorder).sendCopy(patternAt(0, 100), 0, 100);
    }
    const all = (): Recorder[] => [...dialled, ...recorders.slice(accepted)];
    await rig.until('a round of links', () => all().every((recorder) => recorder.isClosed));
  }
  assert.equal(recorders.length, 1000);
  await rig.until('descriptors are back', () => descriptorCount() <= before);
  assert.equal(rig.driver.openLinks, 0);
}
