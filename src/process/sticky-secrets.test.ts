import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { configFromPlain } from '../control/config/load.ts';
import { withSecrets } from './sticky-secrets.ts';

function folderOf(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-'));
  test.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function configWith(sticky: unknown) {
  const plain = { listeners: [':80'], pools: { web: { servers: ['10.0.0.1:80'], sticky } } };
  const result = configFromPlain('x', plain, () => ({ line: 1, column: 1 }));
  assert.ok(result.ok);
  return result.config;
}

const secretOf = (loaded: ReturnType<typeof withSecrets>) =>
  loaded.ok ? loaded.config.pools[0]!.balancing.sticky!.secret : loaded.problems.join('\n');

test('withSecrets() makes a private file once and reads it ever after', (test) => {
  const folder = join(folderOf(test), 'state');
  const first = secretOf(withSecrets(configWith('seat'), null, [folder]));
  assert.match(first, /^[\w-]{43}$/);
  assert.equal(secretOf(withSecrets(configWith('seat'), null, [folder])), first);
  assert.equal(statSync(join(folder, 'sticky.key')).mode & 0o777, 0o600);
  assert.equal(readFileSync(join(folder, 'sticky.key'), 'utf8').trim(), first);
});

test('withSecrets() goes on to the next directory, and says why when there is none', (test) => {
  const folder = folderOf(test);
  writeFileSync(join(folder, 'taken'), '');
  const taken = join(folder, 'taken', 'below');
  assert.match(
    secretOf(withSecrets(configWith('seat'), null, [taken, join(folder, 'good')])),
    /^[\w-]{43}$/,
  );
  assert.match(
    secretOf(withSecrets(configWith('seat'), 'e.yaml', [taken])),
    /^e\.yaml: pools\.web\.sticky\.secretFile: must be given, as no directory .*, found .*ENOTDIR/,
  );
});

test('withSecrets() reads secretFile beside the configuration, and refuses a short one', (test) => {
  const folder = folderOf(test);
  const file = join(folder, 'evenkeel.yaml');
  const config = configWith({ cookie: 'seat', secretFile: 'my.key' });
  assert.match(secretOf(withSecrets(config, file, [])), /found none there/);
  writeFileSync(join(folder, 'my.key'), 'short\n');
  assert.match(secretOf(withSecrets(config, file, [])), /at least 16 letters, found 5 letters/);
  writeFileSync(join(folder, 'my.key'), 'as long as it has to be\n');
  assert.equal(secretOf(withSecrets(config, file, [])), 'as long as it has to be');
});

test('withSecrets() leaves a written secret and pools without sessions as they are', () => {
  const config = configWith({ cookie: 'seat', secret: 'written-in-the-file' });
  assert.equal(secretOf(withSecrets(config, null, [])), 'written-in-the-file');
});
