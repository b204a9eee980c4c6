import assert from 'node:assert/strict';
import { test } from 'node:test';

import { patternAt } from '../conformance/pattern.ts';
import { type Peer, Recorder, Rig } from '../conformance/rig.ts';
import { driverConformance } from '../driver.conformance.ts';
import { createPortableDriver } from './driver.ts';

driverConformance('portable', () => createPortableDriver({ worker: 0 }));

test('portable: sentBytes counts what the kernel took of a write that is not finished', async () => {
  const rig = new Rig(createPortableDriver({ worker: 0 }));
  const peers: Peer[] = [];
  const port = await rig.peerServer((peer) => {
    peer.socket.pause();
    peers.push(peer);
  });
  const recorder = new Recorder(rig);
  const link = rig.dial(port, recorder);
  await rig.until('connected', () => recorder.connects === 1 && peers.length === 1);
  // A write takes 64 pieces of 16,384 bytes at most: 1,048,576. The kernel's buffers, some 2 to 6 MiB in pieces
  // of packets, end within one; the 7,777 bytes sent alone first keep the two from falling together.
  rig.call(() => link.sendCopy(patternAt(0, 7_777), 0, 7_777));
  await rig.until('the first write', () => link.sentBytes === 7_777);
  rig.call(() => {
    for (let count = 0; count < 1024; count++) {
      const { id, offset } = rig.fill(patternAt(0, 16_384));
      link.send(id, offset, 16_384);
    }
  });
  await rig.ticks(4);
  const { sentBytes, queuedBytes } = link;
  // Before the checks, which may throw: an open driver would keep the test's process alive.
  rig.call(() => link.abort());
  await rig.finish();
  assert.notEqual((sentBytes - 7_777) % 1_048_576, 0);
  assert.ok(queuedBytes > 0);
});
