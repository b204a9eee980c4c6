import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brief, FakeRun, get } from './fake-run.ts';

const offer = 'GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const accepted =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const half = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf';

/** Reasons of the access log, as far as there are any. */
const reasons = (run: FakeRun): unknown[] => run.log().map((line) => line['reason']);

test('closeServer() answers what has no answer yet, cuts what has, and leaves other servers alone', () => {
  const run = new FakeRun(2, { accessLog: true });
  const clients = [0, 1, 2, 3].map((index) => {
    const client = run.client(get);
    run.server(index);
    return client;
  });
  // Round robin: links 0 and 2 are on the first server.
  run.server(2).receive(half);
  run.fake.plane.closeServer(run.fake.snapshot.pools[0]!.servers[0]!.slot, 0);
  run.advance(50);
  assert.equal(brief(clients[0]!.text).slice(0, 3), '503');
  assert.equal(clients[2]!.isOpen, false);
  assert.deepEqual([clients[1]!.isOpen, clients[1]!.text, clients[3]!.text], [true, '', '']);
  assert.equal(run.inFlight, 2);
  assert.deepEqual(reasons(run), ['server-drained', 'server-drained']);
});

test('closeServer() ends upgraded links and tcp links, spread over the time', () => {
  const run = new FakeRun(1, { accessLog: true });
  const tunnels = [0, 1].map((index) => {
    const near = run.client(offer);
    run.server(index).receive(accepted);
    return near;
  });
  run.fake.plane.closeServer(0, 1_000);
  run.advance(100);
  assert.deepEqual(tunnels.filter(({ isOpen }) => isOpen).length, 1);
  run.advance(350);
  assert.deepEqual(tunnels.filter(({ isOpen }) => isOpen).length, 1);
  run.advance(150);
  assert.deepEqual(tunnels.filter(({ isOpen }) => isOpen).length, 0);
  assert.equal(run.inFlight, 0);
  assert.deepEqual(reasons(run), ['server-drained', 'server-drained']);

  const listeners = [{ slot: 0, name: 'web', address: ':80', protocol: 'tcp', pool: 'p' }] as const;
  const tcp = new FakeRun(1, { listeners, routes: [], accessLog: true });
  const client = tcp.client('x');
  tcp.server(0);
  tcp.fake.plane.closeServer(0, 0);
  tcp.advance(50);
  assert.deepEqual([client.isOpen, tcp.inFlight], [false, 0]);
  assert.deepEqual(reasons(tcp), ['server-drained']);
});

test('closeServer() leaves a link that has finished meanwhile', () => {
  const run = new FakeRun(1);
  const [first, second] = [run.client(get), run.client(get)];
  run.server(0);
  run.server(1);
  run.fake.plane.closeServer(0, 10_000);
  run.advance(100);
  const rest = [first, second].filter(({ text }) => text === '');
  assert.equal(rest.length, 1);
  const at = rest[0] === first ? 0 : 1;
  run.server(at).receive('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  run.advance(10_000);
  assert.equal(brief(rest[0]!.text), '200 OK|ok');
  assert.equal(rest[0]!.isOpen, true);
});
