import assert from 'node:assert/strict';
import type { Server } from 'node:net';
import { createServer } from 'node:net';
import { test } from 'node:test';
import type { DialAddress } from '../../model/snapshot.ts';
import type { ProbeLinkHandler } from '../../platform/probe-link.ts';
import { connectProbe } from '../../platform/probe-link.ts';
import type { ProbeResult } from './attempt.ts';
import { startAttempt } from './attempt.ts';
import { AnswerReader } from './http-answer.ts';
import { LagMeter } from './lag-meter.ts';
import { ManualClock } from './manual-clock.ts';

const probe = {
  type: 'http' as const,
  path: '/healthz',
  host: null,
  expect: [[200, 399]] as const,
  bodyText: null as string | null,
  timeoutMs: 2_000,
};

/** The result of a probe against a server that answers `answer` to each connection. */
async function probeRaw(
  answer: string | null,
  overrides: Partial<typeof probe> | { type: 'tcp' } = {},
): Promise<{ result: ProbeResult; request: string }> {
  let request = '';
  const server: Server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      request += bytes.toString('latin1');
      if (request.endsWith('\r\n\r\n') && answer !== null) socket.end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const target: DialAddress = { kind: 'ip', host: '127.0.0.1', port };
  const clock = new ManualClock();
  const result = await new Promise<ProbeResult>((onResult) => {
    startAttempt({
      probe: { ...probe, ...overrides },
      address: `127.0.0.1:${port}`,
      target,
      clock,
      connect: connectProbe,
      lagMs: () => 0,
      onResult,
    });
  });
  await new Promise((resolve) => server.close(resolve));
  return { result, request };
}

test('an http probe passes on an expected status and sends a plain request', async () => {
  const { result, request } = await probeRaw('HTTP/1.1 204 No Content\r\n\r\n');
  assert.deepEqual([result.isPass, result.reason], [true, 'status 204']);
  assert.match(request, /^GET \/healthz HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n/);
  assert.match(request, /\r\nConnection: close\r\n\r\n$/);
});

test('an http probe fails on another status, on garbage, and on a close before the answer', async () => {
  const bad = await probeRaw('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n');
  assert.deepEqual([bad.result.isPass, bad.result.reason], [false, 'status 503']);
  const garbage = await probeRaw('SSH-2.0-OpenSSH_9.2\r\n');
  assert.equal(garbage.result.reason, 'the answer does not begin with HTTP/');
  const closed = await probeRaw('HTTP/1.1 200');
  assert.equal(closed.result.reason, 'the connection was closed before the answer was complete');
});

test('the body text is found across pieces and chunks, and missed when it is not there', async () => {
  const chunked =
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nall\r\n5;x=y\r\n good\r\n0\r\n\r\n';
  const found = await probeRaw(chunked, { bodyText: 'all good' });
  assert.deepEqual([found.result.isPass, found.result.reason], [true, 'status 200']);
  const missed = await probeRaw('HTTP/1.0 200 OK\r\n\r\nmaintenance', { bodyText: 'all good' });
  assert.equal(missed.result.reason, 'status 200 without the expected text');
});

test('a tcp probe passes on connect; both fail with a reason when the port is closed', async () => {
  assert.equal((await probeRaw(null, { type: 'tcp' })).result.reason, 'connected');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  const result = await new Promise<ProbeResult>((onResult) => {
    startAttempt({
      probe,
      address: 'a:1',
      target: { kind: 'ip', host: '127.0.0.1', port },
      clock: new ManualClock(),
      connect: connectProbe,
      lagMs: () => 0,
      onResult,
    });
  });
  assert.deepEqual([result.isPass, result.reason], [false, 'connect refused']);
});

/** An attempt against a server that never answers, on a clock of ours. */
function silentAttempt(lagMs: () => number): {
  clock: ManualClock;
  results: ProbeResult[];
  handler: () => ProbeLinkHandler;
} {
  const clock = new ManualClock();
  const results: ProbeResult[] = [];
  let handler: ProbeLinkHandler | null = null;
  startAttempt({
    probe,
    address: 'a:1',
    target: { kind: 'ip', host: '127.0.0.1', port: 1 },
    clock,
    connect: (_target, given) => {
      handler = given;
      return { send: () => {}, destroy: () => {} };
    },
    lagMs,
    onResult: (result) => results.push(result),
  });
  return {
    clock,
    results,
    handler: () => {
      assert.ok(handler);
      return handler;
    },
  };
}

test('a probe times out at its time-out and says in which phase', () => {
  const first = silentAttempt(() => 0);
  first.clock.advance(1_999);
  assert.equal(first.results.length, 0);
  first.clock.advance(1);
  assert.equal(first.results[0]?.reason, 'no connection in 2000 ms');
  const second = silentAttempt(() => 0);
  second.handler().onConnected();
  second.clock.advance(2_000);
  assert.equal(second.results[0]?.reason, 'no answer in 2000 ms');
});

test('a stall of our own loop extends the time-out by as much, at most four times', () => {
  const late = silentAttempt(() => 0);
  late.clock.stall(2_500);
  late.clock.advance(0);
  assert.equal(
    late.results.length,
    0,
    'the timer ran 500 ms late: the answer may be waiting unread',
  );
  late.handler().onConnected();
  late.handler().onBytes(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'));
  assert.equal(late.results[0]?.isPass, true);

  let lagMs = 0;
  const lagging = silentAttempt(() => lagMs);
  for (let i = 0; i < 4; i++) {
    lagMs += 2_000;
    lagging.clock.advance(2_000);
  }
  assert.equal(lagging.results.length, 0);
  lagMs += 2_000;
  lagging.clock.advance(2_000);
  assert.equal(lagging.results.length, 1);
});

test('LagMeter adds up what its ticks were late', () => {
  const clock = new ManualClock();
  const meter = new LagMeter(clock);
  clock.advance(1_000);
  assert.equal(meter.totalMs, 0);
  clock.stall(600);
  clock.advance(0);
  assert.equal(meter.totalMs, 500);
  meter.stop();
  assert.equal(clock.pending, 0);
});

test('AnswerReader gives the same verdict for every split into two pieces', () => {
  const cases: readonly [string, string | null, string][] = [
    [
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
      'lo',
      'complete 200 true',
    ],
    [
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n',
      'hello',
      'complete 200 true',
    ],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nheXX', 'x', 'broken 200 false'],
    [
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
      'x',
      'broken 200 false',
    ],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n', 'x', 'broken 200 false'],
    ['HTTP/1.1 20 OK\r\n\r\n', null, 'broken 0 true'],
    ['HTTP/1.1 101 Switching Protocols\r\n\r\n', null, 'broken 101 true'],
  ];
  for (const [text, bodyText, expected] of cases) {
    for (let split = 0; split <= text.length; split++) {
      const reader = new AnswerReader(bodyText);
      reader.take(Buffer.from(text.slice(0, split)));
      reader.take(Buffer.from(text.slice(split)));
      assert.equal(
        `${reader.state} ${reader.status} ${reader.hasText}`,
        expected,
        `split at ${split}`,
      );
    }
  }
});

test('AnswerReader bounds the head and the body', () => {
  const endlessHead = new AnswerReader(null);
  endlessHead.take(Buffer.from(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(40_000)}`));
  assert.equal(endlessHead.state, 'broken');
  const endlessBody = new AnswerReader('needle');
  endlessBody.take(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'));
  for (let i = 0; i < 70 && endlessBody.state === 'body'; i++)
    endlessBody.take(Buffer.alloc(1_000));
  assert.deepEqual([endlessBody.state, endlessBody.hasText], ['complete', false]);
});
