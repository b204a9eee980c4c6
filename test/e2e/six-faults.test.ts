import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runCommand } from './harness.ts';

// Line 3: misspelt key. 6: unknown pool. 9: weight out of range. 10: server without a port.
// 11: bad duration. 12: a probe of a later version.
const text = `listeners:
  - name: web
    adress: "127.0.0.1:8080"
    address: "127.0.0.1:8080"
routes:
  - pool: nowhere
pools:
  web:
    servers: [{ address: "127.0.0.1:3001", weight: -1 },
      "127.0.0.1"]
    timeouts: { connect: soon }
    probe: { type: grpc }
`;
const expectedLines = [3, 6, 9, 10, 11, 12];

describe('a configuration with six faults', () => {
  for (const words of [
    ['check', '-c'],
    ['run', '-c'],
  ]) {
    it(`${words[0]} prints six errors with their places and exits 1`, async (test) => {
      const directory = mkdtempSync(join(tmpdir(), 'evenkeel-faults-'));
      test.after(() => rmSync(directory, { recursive: true, force: true }));
      const file = join(directory, 'evenkeel.yaml');
      writeFileSync(file, text);
      const outcome = await runCommand([...words, file], {
        environment: { XDG_RUNTIME_DIR: directory },
      });
      assert.equal(outcome.code, 1);
      const printed = outcome.stdout + outcome.stderr;
      const problems = [...printed.matchAll(/evenkeel\.yaml:(\d+):(\d+): (\S+): (.+)/g)];
      assert.deepEqual(
        problems.map((problem) => Number(problem[1])),
        expectedLines,
        printed,
      );
      for (const problem of problems) assert.ok(Number(problem[2]) >= 1);
      assert.match(problems[0]![0], /address/, 'the nearest known key is suggested');
      assert.match(printed, /listeners\[0\]|listeners\.0/);
      assert.match(problems[5]![0], /not in this version/);
      assert.doesNotMatch(printed, /\n\s+at .+:\d+:\d+/, 'no stack trace');
    });
  }
});
