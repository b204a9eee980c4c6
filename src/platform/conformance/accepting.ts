import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { limits } from '../../model/limits.ts';
import type { Link } from '../driver.ts';
import { hasIpv6, openAny } from '../test-sockets.ts';
import { patternAt } from './pattern.ts';
import { type AddCase, echo, Recorder, type Rig } from './rig.ts';

/** Cases about listening, addresses and time. */
export function addAcceptingCases(add: AddCase): void {
  add('onTick is called at its interval, time never goes back', ticks);
  add('listening.stop() keeps its links and the stored socket', stopsListening);
  add('listening.pause() holds connections back, resume() takes them', pausesListening);
  add('listen() on an address binds it and tells its port', listensOnAddress);
  add('listen() and dial() work with Unix sockets', usesUnixSockets);
  add('dial() of a missing Unix socket is told as ENOENT', missesUnixSocket);
  add('remoteAddress is numeric; mapped addresses are IPv4', showsAddresses);
}

async function ticks(rig: Rig): Promise<void> {
  const { driver } = rig;
  const started = { precise: driver.preciseNow(), tick: rig.tickCount };
  const times: number[] = [];
  driver.onTick = (nowMs) => {
    times.push(nowMs);
    rig.check(nowMs === driver.now(), 'onTick gets the time of now()');
    rig.tickCount++;
    rig.wake();
  };
  await rig.ticks(5);
  assert.deepEqual(
    times,
    times.toSorted((one, other) => one - other),
  );
  assert.ok(driver.preciseNow() >= driver.now());
  // Five ticks take at least four intervals, less the rounding of timers to 1 ms.
  const tookMs = driver.preciseNow() - started.precise;
  assert.ok(tookMs >= 4 * (limits.timerTickMs - 2), `five ticks took ${tookMs} ms`);
}

async function stopsListening(rig: Rig): Promise<void> {
  const first = echo(new Recorder(rig));
  const { fd, port, listening } = rig.serve(() => first);
  const peer = rig.peer(port);
  peer.socket.write(patternAt(0, 10));
  await rig.until('the first echo', () => peer.reader.position === 10);
  rig.call(() => {
    listening.stop();
    listening.stop();
  });
  await rig.ticks(2);
  peer.socket.write(patternAt(10, 10));
  await rig.until('the link lives on', () => peer.reader.position === 20);
  const waiting = rig.peer(port);
  waiting.socket.write(patternAt(0, 10));
  await rig.until('the kernel takes it', () => waiting.isConnected);
  await rig.ticks(3);
  assert.equal(waiting.reader.position, 0);
  // Whoever takes the stored socket next serves what has waited.
  rig.listen(fd, () => echo(new Recorder(rig)));
  await rig.until('served by the next', () => waiting.reader.position === 10);
  assert.equal(first.closes.length, 0);
}

async function pausesListening(rig: Rig): Promise<void> {
  const recorders: Recorder[] = [];
  const { port, listening } = rig.serve(() => {
    const recorder = echo(new Recorder(rig));
    recorders.push(recorder);
    return recorder;
  });
  for (let round = 1; round <= 3; round++) {
    rig.call(() => {
      listening.pause();
      listening.pause();
    });
    await rig.ticks(2);
    const peer = rig.peer(port);
    peer.socket.write(patternAt(0, 10));
    await rig.until('the kernel takes it', () => peer.isConnected);
    await rig.ticks(2);
    assert.equal(recorders.length, round - 1);
    rig.call(() => {
      listening.resume();
      listening.resume();
    });
    await rig.until('served', () => peer.reader.position === 10);
    assert.equal(recorders.length, round);
  }
}

async function listensOnAddress(rig: Rig): Promise<void> {
  const address = { kind: 'ip', host: '127.0.0.1', port: 0 } as const;
  const links: Link[] = [];
  const listening = rig.driver.listen({ kind: 'address', address }, (link) => {
    links.push(link);
    link.handler = echo(new Recorder(rig));
  });
  await rig.until('bound', () => listening.port !== 0);
  const peer = rig.peer(listening.port);
  peer.socket.write(patternAt(0, 10));
  await rig.until('the echo', () => peer.reader.position === 10);
  assert.equal(links[0]?.localPort, listening.port);
  rig.call(() => listening.pause());
  await rig.ticks(2);
  const second = rig.peer(listening.port);
  second.socket.write(patternAt(0, 10));
  await rig.until('the kernel takes it', () => second.isConnected);
  assert.equal(links.length, 1);
  rig.call(() => listening.resume());
  await rig.until('served', () => second.reader.position === 10);
  rig.call(() => listening.stop());
  await rig.ticks(2);
  const late = rig.peer(listening.port);
  await rig.until('refused after stop()', () => late.errorCode === 'ECONNREFUSED');
}

async function usesUnixSockets(rig: Rig): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-driver-'));
  try {
    const address = { kind: 'unix', path: join(folder, 'listener') } as const;
    const accepted: Link[] = [];
    rig.driver.listen({ kind: 'address', address }, (link) => {
      accepted.push(rig.track(link));
      link.handler = echo(new Recorder(rig));
    });
    const recorder = new Recorder(rig);
    const link = rig.call(() => rig.driver.dial(rig.driver.prepare(address), recorder));
    rig.call(() => link.sendCopy(patternAt(0, 100_000), 0, 100_000));
    await rig.until('the echo', () => recorder.reader.position === 100_000);
    assert.equal(recorder.reader.wrongAt, -1);
    const { remoteAddress, remotePort, localPort } = accepted[0] as Link;
    assert.deepEqual({ remoteAddress, remotePort, localPort }, noAddress);
    assert.equal(link.remoteAddress, '');
    const peer = rig.adopt(connect({ path: address.path, allowHalfOpen: true }));
    peer.socket.end(patternAt(0, 10));
    await rig.until('the peer has its echo', () => peer.isEnded && peer.reader.position === 10);
    rig.call(() => link.abort());
    await rig.until('closed', () => recorder.isClosed);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const noAddress = { remoteAddress: '', remotePort: 0, localPort: 0 };

async function missesUnixSocket(rig: Rig): Promise<void> {
  const recorder = new Recorder(rig);
  const address = { kind: 'unix', path: join(tmpdir(), 'evenkeel-no-such-socket') } as const;
  rig.call(() => rig.driver.dial(rig.driver.prepare(address), recorder));
  await rig.until('closed', () => recorder.isClosed);
  assert.deepEqual(recorder.closes, [2]);
}

async function showsAddresses(rig: Rig): Promise<void> {
  const links: Link[] = [];
  const accept = (link: Link): Recorder => {
    links.push(link);
    return new Recorder(rig);
  };
  const any = openAny();
  const listenings = [rig.listen(any.fd, accept)];
  const peer = rig.peer(any.port);
  await rig.until('accepted', () => links.length === 1 && peer.isConnected);
  assert.equal(links[0]?.remoteAddress, '127.0.0.1');
  assert.equal(links[0]?.remotePort, peer.socket.localPort);
  assert.equal(links[0]?.localPort, any.port);
  if (hasIpv6()) {
    const six = rig.peer(any.port, '::1');
    await rig.until('accepted over IPv6', () => links.length === 2 && six.isConnected);
    assert.equal(links[1]?.remoteAddress, '::1');
    const address = { kind: 'ip', host: '::1', port: any.port } as const;
    const recorder = new Recorder(rig);
    const link = rig.call(() => rig.driver.dial(rig.driver.prepare(address), recorder));
    await rig.until('dialled over IPv6', () => recorder.connects === 1 && links.length === 3);
    assert.deepEqual([link.remoteAddress, link.remotePort], ['::1', any.port]);
    rig.call(() => link.close());
  }
  for (const listening of listenings) listening.stop();
  any.close();
}
