import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../model/limits.ts';
import { brief, FakeRun, get, ok } from './fake-run.ts';

const chunkedAnswer = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n';

test('pipelined requests are answered in order, each after the one before', () => {
  const run = new FakeRun(1);
  const client = run.client(['/a', '/b', '/c'].map((path) => get.replace('/', path)).join(''));
  for (const body of ['a', 'b', 'c']) {
    assert.equal(run.server(0).text.split('GET /').at(-1)?.at(0), body);
    run.server(0).receive(ok.replace('ok', `=${body}`));
  }
  assert.deepEqual(client.text.match(/=./g), ['=a', '=b', '=c']);
});

test('a thousand pipelined requests need no stack', () => {
  const run = new FakeRun(1);
  const refused = 'GET / HTTP/1.1\r\nHost: h\r\nMax-Forwards: 0\r\n\r\n'.replace('GET', 'OPTIONS');
  const client = run.client(refused.repeat(250));
  for (let i = 0; i < 3; i++) client.receive(refused.repeat(250));
  assert.equal(client.text.match(/HTTP\/1\.1 200/g)?.length, 1_000);
});

test('an idle link is closed without a word after `keepAlive`', () => {
  const run = new FakeRun(1);
  const client = run.client();
  run.advance(74_900);
  assert.equal(client.isOpen, true);
  run.advance(200);
  assert.equal(client.isOpen, false);
  assert.equal(client.text, '');
});

test('a head that is not whole after `header` is 408, however steadily it drips', () => {
  const run = new FakeRun(1);
  const client = run.client('GET /');
  for (let i = 0; i < 9; i++) {
    run.advance(1_000);
    client.receive('a');
  }
  assert.equal(client.text, '');
  run.advance(1_100);
  assert.match(brief(client.text), /^408 Request Timeout\|header-timeout/);
});

test('a body without progress for `idle` is 408 and frees its place', () => {
  const run = new FakeRun(1);
  const client = run.client('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc');
  run.server(0);
  run.advance(50_000);
  client.receive('d');
  run.advance(59_000);
  assert.equal(client.text, '', 'each byte is progress');
  run.advance(1_200);
  assert.match(brief(client.text), /^408 Request Timeout\|body-timeout/);
  assert.equal(run.inFlight, 0);
});

test('HEAD, 204 and 304 have no body, and the link goes on', () => {
  for (const [request, answer] of [
    [get.replace('GET', 'HEAD'), ok.slice(0, -2)],
    [get, 'HTTP/1.1 204 No Content\r\n\r\n'],
    [get, 'HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n'],
  ] as const) {
    const run = new FakeRun(1);
    const client = run.client(request);
    run.server(0).receive(answer);
    assert.match(client.text, /\r\n\r\n$/);
    client.receive(get);
    run.server(0).receive(ok);
    assert.match(client.text, /\r\n\r\nHTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nok$/);
  }
});

test('an HTTP/1.0 client gets no chunks, no 1xx, and the end of its link', () => {
  const run = new FakeRun(1);
  const client = run.client('GET / HTTP/1.0\r\n\r\n');
  run.server(0).receive(`HTTP/1.1 103 Early\r\n\r\n${chunkedAnswer}`);
  assert.match(
    client.text,
    /^HTTP\/1\.1 200 OK\r\n(?!.*chunked)[\s\S]*Connection: close\r\n\r\nok$/s,
  );
  assert.equal(client.isOpen, false);
  assert.equal(client.wasAborted, false);
});

test('an answer that an HTTP/1.0 client sees end by its link is reset when it was cut', () => {
  const run = new FakeRun(1);
  const client = run.client('GET / HTTP/1.0\r\n\r\n');
  run.server(0).receive('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n');
  run.server(0).receiveEnd();
  assert.equal(client.wasAborted, true);
});

test('a close-delimited answer becomes chunks for HTTP/1.1, complete at the FIN only', () => {
  const run = new FakeRun(1);
  const client = run.client(get);
  run.server(0).receive('HTTP/1.1 200 OK\r\n\r\nab');
  run.server(0).receive('c');
  assert.match(client.text, /Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc$/);
  run.server(0).receiveEnd();
  assert.match(client.text, /1\r\nc\r\n0\r\n\r\n$/);
  assert.equal(client.isOpen, true);
});

test('a close-delimited answer whose link is reset is not completed', () => {
  const run = new FakeRun(1);
  const client = run.client(get);
  run.server(0).receive('HTTP/1.1 200 OK\r\n\r\nab');
  run.server(0).die(104);
  assert.doesNotMatch(client.text, /0\r\n\r\n$/);
  assert.equal(client.isOpen, false);
});

test('Expect: 100-continue is the server’s to answer, and the body follows', () => {
  const run = new FakeRun(1);
  const client = run.client(
    'POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n',
  );
  assert.match(run.server(0).text, /Expect: 100-continue\r\n/);
  assert.equal(client.text, '');
  run.server(0).receive('HTTP/1.1 100 Continue\r\n\r\n');
  assert.equal(client.text, 'HTTP/1.1 100 Continue\r\n\r\n');
  client.receive('hi');
  assert.match(run.server(0).text, /\r\n\r\nhi$/);
  run.server(0).receive(ok);
  assert.match(client.text, /200 OK/);
  assert.equal(client.isOpen, true);
});

test('an early answer closes both links, the client’s in stages', () => {
  const run = new FakeRun(1);
  const client = run.client('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc');
  run.server(0).receive(ok.replace('200 OK', '413 Large'));
  assert.match(client.text, /^HTTP\/1\.1 413 Large\r\n[\s\S]*Connection: close\r\n[\s\S]*ok$/);
  assert.equal(run.server(0).isOpen, false);
  assert.deepEqual(
    [client.isOpen, client.hasEnded],
    [true, true],
    'still read, so that nothing is reset',
  );
  client.receive(get);
  run.advance(limits.lingerMs + 100);
  assert.equal(client.isOpen, false);
  assert.equal(run.dials, 1, 'what follows is no request');
});

test('a refused upload is read on while its client sends, within a limit', () => {
  const run = new FakeRun(1);
  const client = run.client('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\nabc');
  run.server(0).receive(ok.replace('200 OK', '413 Large'));
  for (let seconds = 0; seconds < limits.lingerMsMax / 1_000 - 1; seconds++) {
    client.receive('x'.repeat(16_000));
    run.advance(1_000);
    assert.equal(client.isOpen, true, `after ${seconds} s`);
  }
  for (let seconds = 0; seconds < 3; seconds++) {
    client.receive('x');
    run.advance(1_000);
    if (!client.isOpen) break;
  }
  assert.equal(client.isOpen, false, 'whoever sends for ever is not listened to for ever');
});

test('what is no request is answered 400, and the link ends', () => {
  const run = new FakeRun(1);
  const client = run.client(`nonsense\r\n\r\n${get}`);
  assert.match(brief(client.text), /^400 Bad Request\|request-line-invalid/);
  assert.match(client.text, /Connection: close\r\n/);
  assert.equal(run.dials, 0);
});

test('a body that turns out invalid is 400, and its server never sees a whole request', () => {
  const run = new FakeRun(1);
  const client = run.client(
    'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n',
  );
  const server = run.server(0);
  client.receive('zz\r\n');
  assert.match(brief(client.text), /^400 Bad Request\|chunk-invalid/);
  assert.equal(server.wasAborted, true);
  assert.doesNotMatch(server.text, /0\r\n\r\n$/);
});

test('a FIN behind a whole request: the answer still goes out when it comes soon', () => {
  const run = new FakeRun(1);
  const client = run.client(get);
  client.receiveEnd();
  run.advance(900);
  run.server(0).receive(ok);
  assert.equal(brief(client.text), '200 OK|ok');
  assert.equal(client.isOpen, false);
});

test('a FIN behind a whole request: later its place is needed by others', () => {
  const run = new FakeRun(1);
  const client = run.client(get);
  client.receiveEnd();
  run.server(0);
  run.advance(limits.halfCloseGraceMs + 100);
  assert.equal(client.isOpen, false);
  assert.equal(run.inFlight, 0);
});

test('a FIN inside a request body ends the exchange at once', () => {
  const run = new FakeRun(1);
  const client = run.client('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc');
  const server = run.server(0);
  client.receiveEnd();
  assert.equal(server.wasAborted, true);
  assert.equal(client.isOpen, false);
});

test('a client that takes nothing pauses its server above the mark and resumes it below', () => {
  const run = new FakeRun(1);
  const client = run.client(get);
  client.isHeld = true;
  const server = run.server(0);
  server.receive(`HTTP/1.1 200 OK\r\nContent-Length: ${64 * 16_000}\r\n\r\n`);
  let pieces = 0;
  for (; !server.isPaused; pieces++) server.receive('x'.repeat(16_000));
  // 131,072 / 16,000: the ninth is above
  assert.equal(pieces, 9);
  client.take(100_000);
  run.fake.driver.settle();
  assert.equal(server.isPaused, true, 'not below the low mark yet');
  client.take(20_000);
  run.fake.driver.settle();
  assert.equal(server.isPaused, false);
});

test('a server that takes nothing pauses its client above the mark and resumes it below', () => {
  const run = new FakeRun(1);
  const client = run.client(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${64 * 16_000}\r\n\r\n`);
  const server = run.server(0);
  server.isHeld = true;
  for (let pieces = 0; pieces < 20 && !client.isPaused; pieces++)
    client.receive('x'.repeat(16_000));
  assert.equal(client.isPaused, true);
  assert.ok(server.queuedBytes <= limits.queueHighBytes + 16_384, `${server.queuedBytes}`);
  server.release();
  assert.equal(client.isPaused, false);
});

test('a client that takes nothing of its answer for `idle` is cut', () => {
  const run = new FakeRun(1);
  const client = run.client(get);
  client.isHeld = true;
  run.server(0).receive('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc');
  // the server goes on, so that only the client stands still
  for (let i = 0; i < 5; i++) {
    run.advance(20_000);
    if (run.server(0).isOpen) run.server(0).receive('d');
  }
  assert.equal(client.wasAborted, true);
  assert.equal(run.inFlight, 0);
});

test('a drain: idle links end, running ones answer with `Connection: close`, late ones are cut', () => {
  const run = new FakeRun(2);
  run.advance(100);
  const idle = run.client();
  const running = run.client(get);
  const stuck = run.client(get);
  run.server(1);
  run.fake.plane.drain(10_000);
  run.server(0).receive(ok);
  assert.match(running.text, /Connection: close\r\n[\s\S]*ok$/);
  assert.equal(running.isOpen, false);
  run.advance(limits.leaveGraceMs + 100);
  assert.equal(idle.isOpen, false);
  assert.equal(run.fake.plane.isDrained, false);
  run.advance(10_000);
  assert.equal(stuck.wasAborted, true);
  assert.equal(run.fake.plane.isDrained, true);
  assert.equal(run.server(0).isOpen, false, 'no link is kept for reuse');
});

test('a listener that leaves the configuration: its links end after their present exchange', () => {
  const run = new FakeRun(1);
  const running = run.client(get);
  run.fake.plane.apply({ ...run.fake.snapshot, version: 2, listeners: [] }, {});
  run.server(0).receive(ok);
  assert.match(running.text, /Connection: close\r\n[\s\S]*ok$/);
  assert.equal(running.isOpen, false);
  assert.equal(run.count('listener', 'accepted'), run.count('listener', 'closed'));
});

test('a reload does not touch a link whose listener, route and server stay', () => {
  const run = new FakeRun(1);
  const client = run.client(get);
  run.fake.plane.apply(
    { ...run.fake.snapshot, version: 2 },
    { web: { kind: 'descriptor', fd: 0 } },
  );
  run.server(0).receive(ok);
  client.receive(get);
  run.server(0).receive(ok);
  assert.equal(run.dials, 1);
  assert.equal(client.isOpen, true);
});

test('an access-log line says who asked what, what came of it and why', () => {
  const run = new FakeRun(2, { accessLog: true });
  run.client('POST /a?b=1 HTTP/1.1\r\nHost: Example.com\r\nContent-Length: 2\r\n\r\nhi');
  run.advance(100);
  run.server(0, false).die(111);
  run.advance(50);
  run.server(1);
  run.advance(200);
  run.server(1).receive(ok);
  const [line] = run.log();
  const { id, time, bytes, bytesIn, ...rest } = line as Record<string, unknown>;
  assert.match(String(id), /^[0-9a-f]{16}$/);
  assert.equal(time, '2026-01-01T00:00:00.000Z');
  assert.ok(Number(bytes) > 2 && Number(bytesIn) > 2);
  assert.deepEqual(rest, {
    client: '127.0.0.1',
    listener: 'web',
    method: 'POST',
    host: 'example.com',
    // a query may hold secrets
    path: '/a',
    status: 200,
    totalMs: 350,
    // of the attempt that answered
    connectMs: 50,
    firstByteMs: 250,
    route: 'all',
    pool: 'p',
    server: '10.0.0.2:80',
    attempts: 2,
    reason: 'ok',
  });
});

test('an access-log line of a refusal names no route and no server', () => {
  const run = new FakeRun(1, { accessLog: true });
  run.client('nonsense\r\n\r\n');
  const [line] = run.log();
  const { status, route, server, attempts, reason, method } = line as Record<string, unknown>;
  assert.deepEqual(
    { status, route, server, attempts, reason, method },
    {
      status: 400,
      route: null,
      server: null,
      attempts: 0,
      reason: 'request-line-invalid',
      method: null,
    },
  );
});

test('an upload of single bytes holds few buffers, dialling or connected', () => {
  const run = new FakeRun(1);
  const { buffers } = run.fake.driver;
  const before = buffers.inUse;
  const client = run.client('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n');
  for (let i = 0; i < 20_000; i++) client.receive('x');
  // one of the head, two with the kept bytes, two with those that wait in the link
  assert.ok(buffers.inUse - before <= 5, `${buffers.inUse - before}`);
  const server = run.server(0);
  for (let i = 0; i < 1_000; i++) client.receive('y');
  assert.ok(buffers.inUse - before <= 5, `${buffers.inUse - before}`);
  assert.match(server.text, /\r\n\r\nx{20000}y{1000}$/);
});

test('small events for a client that takes nothing hold few buffers, and arrive whole', () => {
  const run = new FakeRun(1);
  const { buffers } = run.fake.driver;
  const before = buffers.inUse;
  const client = run.client(get);
  client.isHeld = true;
  const server = run.server(0);
  server.receive('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  let sent = '';
  for (let i = 0; !server.isPaused; i++) {
    const event = `event ${i}\n`.padEnd(64, '.');
    server.receive(`40\r\n${event}\r\n`);
    sent += event;
  }
  // 131,072 bytes in full buffers, and the first few events in theirs
  assert.ok(buffers.inUse - before < 30, `${buffers.inUse - before}`);
  client.release();
  assert.equal(
    client.text
      .split('\r\n\r\n')[1]
      ?.replaceAll(/(?:^|\r\n)40\r\n/g, '')
      .replace(/\r\n$/, ''),
    sent,
  );
});
