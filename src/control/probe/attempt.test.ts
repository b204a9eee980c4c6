import assert from 'node:assert/strict';
import type { Server } from 'node:net';
import { createServer } from 'node:net';
import { test } from 'node:test';
import type { DialAddress, Probe } from '../../model/snapshot.ts';
import { systemClock } from '../../platform/clock.ts';
import type { ProbeLinkHandler } from '../../platform/probe-link.ts';
import { connectProbe } from '../../platform/probe-link.ts';
import { runProgram } from '../../platform/run-program.ts';
import type { ProbeResult } from './attempt.ts';
import { startAttempt } from './attempt.ts';
import { AnswerReader } from './http-answer.ts';
import { LagMeter } from './lag-meter.ts';
import { ManualClock } from './manual-clock.ts';
import { plainProbe } from './plain-probe.ts';

const probe: Probe = {
  ...plainProbe,
  type: 'http',
  path: '/healthz',
  expect: [[200, 399]],
  timeoutMs: 2_000,
};

/** The result of a probe against a server that answers `answer` to each connection. */
async function probeRaw(
  answer: string | null,
  overrides: Partial<Probe> = {},
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
      run: runProgram,
      pool: 'web',
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
      run: runProgram,
      pool: 'web',
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
    pool: 'web',
    run: runProgram,
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

test('an http probe asks with its own method and fields, and looks into JSON', async () => {
  const json = (body: string): string =>
    `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const ask = { method: 'POST', headers: { 'X-Key': 'a b', accept: 'application/json' } };
  const bodyJson = { path: '$.checks[1].ok', equals: 'true' };
  const { result, request } = await probeRaw(json('{"checks":[{},{"ok":true}]}'), {
    ...ask,
    bodyJson,
  });
  assert.deepEqual([result.isPass, result.reason], [true, 'status 200, $.checks[1].ok is true']);
  assert.match(request, /^POST \/healthz HTTP\/1\.1\r\n/);
  assert.match(request, /\r\nContent-Length: 0\r\n.*X-Key: a b\r\naccept: application\/json\r\n/s);
  assert.doesNotMatch(request, /Accept: \*/);
  const reasonOf = async (body: string): Promise<string> =>
    (await probeRaw(json(body), { bodyJson })).result.reason;
  assert.equal(await reasonOf('{"checks":[{},{"ok":"no"}]}'), 'status 200, $.checks[1].ok is no');
  assert.equal(await reasonOf('{"checks":1}'), 'status 200, but nothing stands at $.checks[1].ok');
  assert.equal(await reasonOf('<html>'), 'status 200, but the body is not JSON');
  const head = await probeRaw('HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n', {
    method: 'HEAD',
  });
  assert.equal(head.result.isPass, true);
});

/** The result of a probe against a server that says `says` and then what it was told. */
async function probeTalk(overrides: Partial<Probe>, says: string): Promise<ProbeResult> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => socket.end(`told ${bytes.toString('latin1')}`));
    if (says !== '') socket.write(says);
    if (says.endsWith('!')) socket.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const result = await new Promise<ProbeResult>((onResult) => {
    startAttempt({
      probe: { ...plainProbe, ...overrides, port },
      pool: 'web',
      address: '127.0.0.1:1',
      // Another port than the server's own is asked.
      target: { kind: 'ip', host: '127.0.0.1', port: 1 },
      clock: new ManualClock(),
      connect: connectProbe,
      run: runProgram,
      lagMs: () => 0,
      onResult,
    });
  });
  await new Promise((resolve) => server.close(resolve));
  return result;
}

test('a tcp probe sends, and waits for the text that it expects', async () => {
  const tcp = { type: 'tcp' } as const;
  const told = await probeTalk({ ...tcp, send: 'PING', receive: 'told PING' }, '');
  assert.deepEqual([told.isPass, told.reason], [true, 'the expected text came']);
  const banner = await probeTalk({ ...tcp, receive: '220' }, '220 mail.example ready');
  assert.equal(banner.isPass, true);
  const wrong = await probeTalk({ ...tcp, receive: '220' }, '554 go away!');
  assert.deepEqual([wrong.isPass, wrong.reason], [false, 'an answer without the expected text']);
  const silent = await probeTalk({ ...tcp, send: 'QUIT' }, '');
  assert.deepEqual([silent.isPass, silent.reason], [true, 'connected']);
});

test('an agent is told something and its line is read', async () => {
  const agent = { type: 'agent' } as const;
  const said = await probeTalk(agent, 'down 30% #disk full\n');
  assert.deepEqual(said.agent, { factor: 0.3, order: null, state: 'down', why: 'disk full' });
  const told = await probeTalk({ ...agent, send: 'web\n' }, '');
  assert.deepEqual([told.isPass, told.agent], [false, null]);
  assert.equal(told.reason, 'the agent said nothing that is known');
  const cut = await probeTalk(agent, 'up !');
  assert.equal(cut.agent?.state, 'up');
});

/** The result of a probe that runs node with a script. */
function probeProgram(script: string, overrides: Partial<Probe> = {}): Promise<ProbeResult> {
  return new Promise((onResult) => {
    startAttempt({
      probe: {
        ...plainProbe,
        type: 'exec',
        command: process.execPath,
        args: ['-e', script],
        timeoutMs: 20_000,
        ...overrides,
      },
      pool: 'web',
      address: 'app:80',
      target: { kind: 'ip', host: '10.0.0.1', port: 80 },
      clock: systemClock,
      connect: connectProbe,
      run: runProgram,
      lagMs: () => 0,
      onResult,
    });
  });
}

test('an exec probe judges by the exit code and is told whom it checks, and nothing else', async () => {
  const script =
    'console.log(Object.keys(process.env).filter((name) => /^EVENKEEL/.test(name)).map((name) => process.env[name]).join(" "), process.env.HOME ?? "-")';
  const passed = await probeProgram(script);
  assert.deepEqual([passed.isPass, passed.reason], [true, 'exit code 0: web app:80 10.0.0.1 80 -']);
  const failed = await probeProgram('console.error("no disk"); process.exit(3)');
  assert.deepEqual([failed.isPass, failed.reason], [false, 'exit code 3: no disk']);
  const missing = await probeProgram('', { command: '/no/such/program' });
  assert.deepEqual([missing.isPass, missing.reason], [false, 'the program does not exist']);
});

test('an exec probe gives a part of the weight by its exit code in keepalived’s manner', async () => {
  const run = (code: number): Promise<ProbeResult> =>
    probeProgram(`process.exit(${code})`, { isWeightByExit: true });
  const results = await Promise.all([0, 1, 2, 52, 102, 103].map(run));
  assert.deepEqual(
    results.map(({ isPass, factor }) => [isPass, factor]),
    [
      [true, 1],
      [false, null],
      [true, 0],
      [true, 0.5],
      [true, 1],
      [false, null],
    ],
  );
});

test('an exec probe that does not end is killed with what it started', async () => {
  const script =
    'require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" }); setInterval(() => {}, 1000)';
  const result = await probeProgram(script, { timeoutMs: 300 });
  assert.deepEqual([result.isPass, result.reason], [false, 'no end in 300 ms']);
});
