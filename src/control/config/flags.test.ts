import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localConfigFiles } from '../../platform/config-files.ts';
import { configFromFlags } from './flags.ts';
import { checkServer, configFromPlain, findConfigFile, loadConfig } from './load.ts';
import { formatProblem } from './problem.ts';

const linesOf = (result: ReturnType<typeof configFromFlags>): string[] =>
  result.ok ? [] : result.problems.map(formatProblem);

test('configFromFlags() means what a file with one pool means', () => {
  const to = ['127.0.0.1:1', 'app.internal:2'];
  const flags = configFromFlags({
    listen: [':80'],
    to,
    policy: 'first',
    probe: '/up',
    workers: '2',
  });
  const pools = { default: { servers: to, policy: 'first', probe: { path: '/up' } } };
  const plain = { listeners: [{ address: ':80' }], pools, workers: 2 };
  assert.deepEqual(
    flags,
    configFromPlain('x', plain, () => ({ line: 1, column: 1 })),
  );
  assert.ok(flags.ok);
});

test('configFromFlags() names the flag at fault, without a place', () => {
  const bad = { listen: ['80'], to: ['10.0.0.1'], policy: 'fastest', probe: 'up', workers: 'two' };
  const lines = linesOf(configFromFlags(bad));
  assert.deepEqual(
    lines.map((line) => line.split(': must')[0]).sort(),
    ['--listen', '--policy', '--probe', '--to', '--workers'].map((flag) => `command line: ${flag}`),
  );
  const all = lines.join('\n');
  assert.match(all, /found 'fastest'/);
  assert.match(all, /\(did you mean ':80'\?\)/);
});

test('configFromFlags() wants at least one server', () => {
  const [line] = linesOf(configFromFlags({ listen: [':80'], to: [] }));
  assert.match(line ?? '', /^command line: --to: must be given at least once, found nothing/);
});

test('checkServer() reads what the admin API is given', () => {
  const read = checkServer({ address: '10.0.0.1:80', weight: 3 });
  assert.deepEqual(read.ok && read.server, {
    address: '10.0.0.1:80',
    weight: 3,
    isBackup: false,
    tier: 0,
    connectionsMax: 0,
    labels: {},
  });
  assert.ok(checkServer('10.0.0.1:80').ok);
  for (const wrong of [null, 5, {}, [], { address: 'x' }, { address: '10.0.0.1:80', wight: 1 }]) {
    assert.equal(checkServer(wrong).ok, false, JSON.stringify(wrong));
  }
});

test('configFromPlain() refuses circles, depth and keys of the prototype', () => {
  const place = (): { line: number; column: number } => ({ line: 0, column: 0 });
  const circle: Record<string, unknown> = { listeners: [':80'] };
  circle['pools'] = circle;
  const hostile = JSON.parse(
    '{"listeners":[":80"],"pools":{"constructor":[]},"__proto__":{"workers":1}}',
  );
  assert.match(linesOf(configFromPlain('x', circle, place)).join(), /by nesting or by circles/);
  assert.match(linesOf(configFromPlain('x', hostile, place)).join(), /found '__proto__'/);
  const named = configFromPlain('x', { listeners: [':80'], pools: { constructor: [] } }, place);
  assert.equal(named.ok && named.config.pools[0]?.name, 'constructor');
});

test('loadConfig() says what is wrong with the file itself', async () => {
  const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);
  const files = {
    ...localConfigFiles,
    read: async (path: string) =>
      path === 'gone.yaml'
        ? { ok: false as const, found: 'found no such file' }
        : { ok: true as const, bytes: path === 'bytes.yaml' ? bytes(0xff, 0xfe) : bytes() },
    exists: async (path: string) => path === 'etc/evenkeel.json',
    evaluate: async () => ({ ok: true as const, value: 5 }),
  };
  const lines = async (path: string): Promise<string> =>
    linesOf(await loadConfig({ kind: 'file', path }, files)).join();
  assert.match(
    await lines('gone.yaml'),
    /^gone\.yaml:1:1: file: must be a readable .* no such file$/,
  );
  assert.match(await lines('bytes.yaml'), /^bytes\.yaml:1:1: file: must be a text in UTF-8/);
  assert.match(await lines('a.json'), /must be valid JSON, found an unexpected end/);
  assert.match(await lines('a.ts'), /^a\.ts:1:1: file: must be a map with .*, found 5$/);
  assert.equal(await findConfigFile('etc', files), 'etc/evenkeel.json');
  assert.equal(await findConfigFile('.', files), null);
});
