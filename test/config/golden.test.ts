import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/control/config/load.ts';
import { formatProblem } from '../../src/control/config/problem.ts';

/*
 * Every file named `valid-…`, `refused-…` or `reference-…` here is loaded; what comes out must be the
 * text in `expected/`. `EVENKEEL_GOLDEN=write` writes those texts anew: read the difference before
 * it is committed.
 */
const folder = new URL('./', import.meta.url);
const names = readdirSync(folder).filter((name) => /^(valid|refused|reference)-/.test(name));

async function outcome(name: string): Promise<string> {
  const result = await loadConfig({ kind: 'file', path: fileURLToPath(new URL(name, folder)) });
  if (result.ok) return `${JSON.stringify(result.config, null, 2)}\n`;
  const lines = result.problems.map((problem) => formatProblem({ ...problem, file: name }));
  return `${lines.join('\n')}\n`;
}

for (const name of names) {
  test(`loadConfig() of ${name} gives what is expected`, async () => {
    const found = await outcome(name);
    const file = new URL(`expected/${name}.txt`, folder);
    if (process.env['EVENKEEL_GOLDEN'] === 'write') writeFileSync(file, found);
    assert.equal(found, readFileSync(file, 'utf8'));
    assert.equal(found.startsWith('{'), name.startsWith('valid-'));
    // A stack trace has lines such as `    at x (file:1:2)`.
    assert.doesNotMatch(found, /^\s+at .*:\d+/m);
  });
}

test('loadConfig() of six faults tells six, each with place and path', async () => {
  const lines = (await outcome('refused-six-faults.yaml')).trimEnd().split('\n');
  assert.equal(lines.length, 6);
  for (const line of lines) {
    assert.match(line, /^refused-six-faults\.yaml:\d+:\d+: [a-z0-9.[\]]+: must .+, found /);
  }
  assert.match(lines.join('\n'), /found 'polcy' \(did you mean 'policy'\?\)/);
  assert.match(lines.join('\n'), /found 'fastest'$/m);
});
