import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** What `starved-child.ts` writes, one JSON value a line. */
export interface StarvedReport {
  readonly port: number;
  readonly acceptFailures: number;
  readonly openLinks: number;
  readonly cpuMs: number;
}

const DESCRIPTORS = 96;
const PEERS = 150;

/** The case about running out of descriptors, in a process of its own with a low limit. */
export function addStarvingCases(name: 'uring' | 'portable'): void {
  test(`${name}: accepting survives a want of descriptors and goes on when there are some`, async () => {
    const script = fileURLToPath(new URL('./starved-child.ts', import.meta.url));
    const command = `ulimit -n ${DESCRIPTORS} && exec "$0" "$@"`;
    const child = spawn('sh', ['-c', command, process.execPath, script, name], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const ask = async (): Promise<StarvedReport> => {
      child.stdin.write('report\n');
      const line = await lines.next();
      assert.equal(line.done, false, 'the process lives');
      return JSON.parse(line.value as string) as StarvedReport;
    };
    try {
      await starve(ask);
    } finally {
      child.stdin.end();
    }
    const [exitCode] = await once(child, 'exit');
    assert.equal(exitCode, 0);
  });
}

async function starve(ask: () => Promise<StarvedReport>): Promise<void> {
  const { port } = await ask();
  const answered = new Set<Socket>();
  const sockets: Socket[] = [];
  const failures: string[] = [];
  for (let count = 0; count < PEERS; count++) {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', (error) => failures.push(error.message));
    socket.on('data', () => answered.add(socket));
    socket.on('end', () => failures.push('ended by the driver'));
    socket.write('x');
  }
  // Each report takes some ticks of the driver.
  let report = await ask();
  const hungry = await ask();
  assert.ok(hungry.acceptFailures > 0, 'the want of descriptors is counted');
  assert.ok(hungry.openLinks < DESCRIPTORS, `links: ${hungry.openLinks}`);
  assert.ok(answered.size > 0 && answered.size < PEERS, `answered: ${answered.size}`);
  const idle = await ask();
  // Ten ticks are 500 ms; a loop that spins on the failing accept would take all of them.
  const cpuMs = idle.cpuMs - hungry.cpuMs;
  assert.ok(cpuMs < 250, `processor time while starved: ${cpuMs} ms`);
  for (let round = 0; round < 20 && answered.size < PEERS; round++) {
    for (const socket of answered) socket.destroy();
    report = await ask();
  }
  assert.deepEqual(failures, []);
  assert.equal(answered.size, PEERS);
  for (const socket of sockets) socket.destroy();
  report = await ask();
  assert.equal(report.openLinks, 0);
}
