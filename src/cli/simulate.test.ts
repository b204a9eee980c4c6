import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { OptionValues } from './command.ts';
import { simulate } from './commands/simulate.ts';

async function run(
  positionals: readonly string[],
  values: OptionValues = {},
): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await simulate.run({
    values,
    positionals,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    env: {},
    cwd: '.',
    columns: null,
    catalogue: { names: [], load: () => Promise.resolve(null) },
  });
  return { code, out, err };
}

test('simulate lists its scenarios, and names the nearest for a misspelt one', async () => {
  assert.match((await run([])).out, /slow-server +One of five servers/);
  await assert.rejects(run(['slow-serve']), /did you mean slow-server\?/);
  await assert.rejects(run(['slow-server'], { policy: 'p2d' }), /did you mean p2c\?/);
  await assert.rejects(run(['slow-server'], { seed: 'x' }), /current value is x/);
  await assert.rejects(run(['slow-server'], { pool: 'web' }), /-c FILE is required/);
});

test('simulate runs a file on the pool of a configuration, and writes a plot', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'evenkeel-simulate-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  const scenario = join(directory, 's.yaml');
  const config = join(directory, 'c.yaml');
  const svg = join(directory, 'plot.svg');
  writeFileSync(scenario, 'says: x\nduration: 3s\nservers: [{}]\nclients: { rate: 50 }\n');
  writeFileSync(
    config,
    'listeners: [":80"]\npools: { a: ["10.0.0.1:1"], web: ["10.0.0.1:2", "10.0.0.2:2"] }\nroutes: [{ pool: web }]\n',
  );
  await assert.rejects(run([scenario], { config }), /a, web; name one with --pool/);
  const { code, out } = await run([scenario], {
    config,
    pool: 'web',
    json: true,
    svg,
    policy: 'p2c',
  });
  assert.equal(code, 0);
  const { results } = JSON.parse(out) as { results: { servers: { address: string }[] }[] };
  assert.deepEqual(
    results[0]?.servers.map(({ address }) => address),
    ['10.0.0.1:2', '10.0.0.2:2'],
  );
  assert.match(readFileSync(svg, 'utf8'), /^<svg /);
  writeFileSync(scenario, 'says: x\nduration: soon\nservers: [{}]\nclients: { rate: 50 }\n');
  const refused = await run([scenario]);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /s\.yaml:2:11: duration: must be a duration/);
});
