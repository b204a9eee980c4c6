import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { drivers } from './drivers.ts';
import { startBalancer } from './harness.ts';
import { Load } from './load.ts';
import { startOrigins } from './origins.ts';
import { freePort } from './ports.ts';
import { until } from './waiting.ts';

/** A named pipe with a reader that can be stopped. */
function startReader(test: TestContext): {
  readonly pipe: string;
  readonly lines: () => string[];
  readonly signal: (name: 'SIGSTOP' | 'SIGCONT') => void;
} {
  const directory = mkdtempSync(join(tmpdir(), 'evenkeel-pipe-'));
  const pipe = join(directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const reader = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  reader.stdout.setEncoding('latin1').on('data', (part: string) => {
    text += part;
  });
  test.after(() => {
    reader.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    pipe,
    lines: () => text.split('\n').slice(0, -1),
    signal: (name) => reader.kill(name),
  };
}

for (const { name: driver, skip } of await drivers()) {
  describe(`a log pipe that nobody reads, ${driver}`, { skip }, () => {
    it('stops no request, and loses no line that is not counted', async (test) => {
      const reader = startReader(test);
      const origins = await startOrigins(test, 1);
      const port = await freePort();
      // Long lines: the queue of 8 MiB is full after some 4,000.
      const template = `\${uri} ${'x'.repeat(1_990)} \${status}`;
      const balancer = await startBalancer(
        test,
        {
          listeners: [`127.0.0.1:${port}`],
          pools: { web: origins.map(({ address }) => address) },
          workers: 2,
          log: { access: reader.pipe, format: 'template', template },
        },
        { driver },
      );
      let asked = 0;
      const request = (id: string): { text: string; method: string } => ({
        method: 'GET',
        text: `GET /line-${asked++} HTTP/1.1\r\nHost: h\r\nX-Id: ${id}\r\n\r\n`,
      });
      reader.signal('SIGSTOP');
      const load = new Load({ port, links: 16, request });
      const dropped = async (): Promise<number> =>
        (await balancer.status()).accessLog?.droppedLines ?? 0;
      await until('lines are dropped', 120_000, async () => (await dropped()) > 0);
      const report = await load.stop();
      assert.equal(report.failures, 0, JSON.stringify(report.reasons));
      reader.signal('SIGCONT');
      const count = report.requests;
      await until('every line is read or counted', 60_000, async () => {
        return reader.lines().length + (await dropped()) === count;
      });
      const lines = reader.lines();
      for (const line of lines) assert.match(line, /^\/line-\d+ x{1990} 200$/);
      assert.equal(new Set(lines).size, lines.length);
      const metric = (await balancer.metrics()).get('evenkeel_access_log_dropped_lines_total');
      assert.equal(metric, count - lines.length);
    });
  });
}
