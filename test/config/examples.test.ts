import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { loadConfig } from '../../src/control/config/load.ts';
import { formatProblem } from '../../src/control/config/problem.ts';
import { configSchema } from '../../src/control/config/schema.ts';
import { satisfies } from './schema-validator.ts';

const examples = new URL('../../examples/', import.meta.url);
const folders = readdirSync(examples, { withFileTypes: true }).filter((entry) => {
  return entry.isDirectory() && readdirSync(new URL(entry.name, examples)).includes('evenkeel.yaml');
});

for (const { name } of folders) {
  const file = new URL(`${name}/evenkeel.yaml`, examples);
  test(`loadConfig() accepts the example ${name}, and so does the schema`, async () => {
    const result = await loadConfig({ kind: 'file', path: fileURLToPath(file) });
    assert.deepEqual(result.ok ? [] : result.problems.map(formatProblem), []);
    assert.ok(satisfies(configSchema(), parse(readFileSync(file, 'utf8'))));
  });
}

test('examples are there', () => {
  assert.ok(folders.length >= 3);
});
