import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { restartDelayMs } from './supervisor.ts';

const fixture = fileURLToPath(new URL('./supervisor.fixture.ts', import.meta.url));

/** Starts a supervisor and reads its lines one by one. */
function supervise(
  t: TestContext,
  behaviour: string,
): { process: ChildProcess; line: () => Promise<string> } {
  const child = spawn(process.execPath, [fixture, 'supervise', behaviour], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout as NonNullable<typeof child.stdout> })[
    Symbol.asyncIterator
  ]();
  return {
    process: child,
    line: async () => String((await lines.next()).value),
  };
}

async function ask(port: number): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (bytes) => {
    text += bytes.toString();
  });
  await once(socket, 'close');
  return Number(text);
}

test('restartDelayMs() is immediate first, then doubles from 100 ms to 5 s', () => {
  const delays = [0, 1, 2, 3, 6, 7, 60].map(restartDelayMs);
  assert.deepEqual(delays, [0, 100, 200, 400, 3200, 5000, 5000]);
});

test('a balancer killed by SIGKILL comes back on the same socket and refuses no connection', async (t) => {
  const { process: supervisor, line } = supervise(t, 'serve');
  const [, firstPid, port] = (await line()).split(' ').map(Number) as [number, number, number];
  assert.equal(await ask(port), firstPid);
  process.kill(firstPid, 'SIGKILL');
  // Connections made while no balancer lives wait in the kernel's queue.
  const answers = await Promise.all([ask(port), ask(port), ask(port)]);
  const [, secondPid, samePort] = (await line()).split(' ').map(Number) as [number, number, number];
  assert.notEqual(secondPid, firstPid);
  assert.equal(samePort, port);
  assert.ok(answers.some((pid) => pid === secondPid));
  assert.ok(answers.every((pid) => pid === secondPid || pid === firstPid));
  supervisor.kill('SIGHUP');
  assert.equal(await line(), 'signal SIGHUP');
  supervisor.kill('SIGTERM');
  assert.equal(await line(), 'signal SIGTERM');
  assert.equal(await line(), 'ended 0');
});

test('an upgrade replaces the balancer on its sockets, and the next one may follow', async (t) => {
  const { process: supervisor, line } = supervise(t, 'serve');
  let [, pid, port] = (await line()).split(' ').map(Number) as [number, number, number];
  for (let round = 0; round < 2; round++) {
    supervisor.kill('SIGUSR2');
    assert.equal(await line(), 'signal SIGUSR2');
    // The two processes write to one pipe: their lines come in any order.
    const lines = [await line(), await line(), await line()].sort();
    assert.match(lines[0] as string, /^running /);
    assert.equal(lines[1], 'takes over from 1');
    assert.equal(lines[2], 'upgraded ok');
    const [, next, samePort] = (lines[0] as string).split(' ').map(Number);
    assert.equal(samePort, port);
    assert.notEqual(next, pid);
    pid = next as number;
  }
  supervisor.kill('SIGTERM');
  assert.equal(await line(), 'signal SIGTERM');
  assert.equal(await line(), 'ended 0');
});

test('an upgrade that breaks is rolled back with the reason', async (t) => {
  const { process: supervisor, line } = supervise(t, 'breaks');
  const [, pid, port] = (await line()).split(' ').map(Number) as [number, number, number];
  supervisor.kill('SIGUSR2');
  assert.equal(await line(), 'signal SIGUSR2');
  assert.match(await line(), /^upgraded the new balancer ended with code 1 .*traffic:$/);
  let words = '';
  while (!words.includes('broken on purpose')) words += await line();
  assert.equal(await ask(port), pid);
  supervisor.kill('SIGTERM');
});

test('an upgrade that hangs is rolled back, and meanwhile another one is refused', async (t) => {
  const { process: supervisor, line } = supervise(t, 'hangs');
  const [, pid, port] = (await line()).split(' ').map(Number) as [number, number, number];
  supervisor.kill('SIGUSR2');
  assert.equal(await line(), 'signal SIGUSR2');
  supervisor.kill('SIGUSR2');
  assert.equal(await line(), 'signal SIGUSR2');
  assert.equal(await line(), 'refused The supervisor refused: an upgrade is running already');
  assert.equal(await line(), 'upgraded it took no traffic within 2 s');
  assert.equal(await ask(port), pid);
  supervisor.kill('SIGTERM');
});

test('a balancer whose supervisor dies notices it', async (t) => {
  const { process: supervisor, line } = supervise(t, 'serve');
  const [, balancerPid] = (await line()).split(' ').map(Number) as [number, number];
  supervisor.kill('SIGKILL');
  assert.equal(await line(), 'lost');
  assert.ok(balancerPid > 0);
});

test('a bad configuration at the first start ends the supervisor with its code', async (t) => {
  const { process: supervisor, line } = supervise(t, 'bad-configuration');
  assert.equal(await line(), 'ended 1');
  if (supervisor.exitCode === null) await once(supervisor, 'exit');
  assert.equal(supervisor.exitCode, 1);
});
