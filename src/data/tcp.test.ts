import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Verdict } from '../model/shared-memory.ts';
import { FakeRun } from './fake-run.ts';

const listeners = [{ slot: 0, name: 'web', address: ':80', protocol: 'tcp', pool: 'p' }] as const;

/** A data plane whose listener relays bytes. */
function tcpRun(servers: number): FakeRun {
  return new FakeRun(servers, { listeners, routes: [], accessLog: true });
}

test('a link is dialled on at once, and bytes that came early are not lost', () => {
  const run = tcpRun(1);
  const client = run.client('early ');
  assert.equal(client.isPaused, true, 'nothing more is read before a server is there');
  const server = run.server(0);
  assert.equal(client.isPaused, false);
  client.receive('late');
  server.receive('answer');
  assert.equal(server.text, 'early late');
  assert.equal(client.text, 'answer');
});

test('a refused or late dial goes to the next server, each once; then the client is reset', () => {
  const run = tcpRun(3);
  const client = run.client('x');
  run.server(0, false).die(111);
  run.advance(2_100);
  assert.equal(run.dials, 3);
  assert.equal(run.server(1, false).wasAborted, true);
  run.server(2, false).die(113);
  assert.equal(run.dials, 3);
  assert.equal(client.wasAborted, true);
  assert.equal(run.inFlight, 0);
  const [line] = run.log();
  assert.deepEqual(
    [line?.['reason'], line?.['attempts'], line?.['status']],
    ['connect-failed', 3, 0],
  );
  assert.deepEqual(
    [0, 1, 2].map((slot) => run.count('server', 'connectFailures', slot)),
    [1, 1, 1],
  );
});

test('a client that leaves during the dial ends it', () => {
  const run = tcpRun(2);
  run.client('x').die(104);
  assert.equal(run.server(0, false).wasAborted, true);
  assert.equal(run.dials, 1);
  assert.equal(run.inFlight, 0);
});

test('without a healthy server the client is reset at once', () => {
  const run = tcpRun(1);
  run.fake.words.verdict[0] = Verdict.PROBE_DOWN;
  Atomics.add(run.fake.words.epoch, 0, 1);
  const client = run.client();
  assert.equal(client.wasAborted, true);
  assert.equal(run.log()[0]?.['reason'], 'no-server-available');
});

test('a FIN of either side is passed on and the other direction goes on', () => {
  const run = tcpRun(1);
  const client = run.client('request');
  client.receiveEnd();
  const server = run.server(0);
  assert.equal(server.hasEnded, true, 'a FIN that came during the dial too');
  server.receive('echo');
  server.receiveEnd();
  run.advance(50);
  assert.equal(client.text, 'echo');
  assert.deepEqual([client.isOpen, server.isOpen], [false, false]);
});

test('a connection counts once, with its bytes both ways', () => {
  const run = tcpRun(2);
  const client = run.client('12345');
  const server = run.server(0);
  server.receive('123');
  server.receiveEnd();
  client.receiveEnd();
  run.advance(50);
  assert.deepEqual(
    ['requests', 's2xx', 'bytesIn', 'bytesOut', 'accepted', 'closed'].map((name) =>
      run.count('listener', name),
    ),
    [1, 1, 5, 3, 1, 1],
  );
  assert.deepEqual(
    ['requests', 's2xx', 'bytesIn', 'bytesOut', 'connects'].map((name) =>
      run.count('server', name),
    ),
    [1, 1, 3, 5, 1],
  );
});

test('a drain leaves a connection until its deadline', () => {
  const run = tcpRun(1);
  const client = run.client('x');
  run.server(0);
  run.fake.plane.drain(5_000);
  run.advance(4_900);
  assert.equal(client.isOpen, true);
  run.advance(200);
  assert.equal(client.wasAborted, true);
  assert.equal(run.fake.plane.isDrained, true);
});

test('every buffer is given back', () => {
  const run = tcpRun(2);
  const before = run.fake.driver.buffers.inUse;
  run.client('early').die(104);
  const client = run.client('early');
  run.server(1, false).die(111);
  run.server(2);
  client.isHeld = true;
  run.server(2).receive('waits');
  client.die(104);
  run.server(2).die(0);
  assert.equal(run.fake.driver.buffers.inUse, before);
});
