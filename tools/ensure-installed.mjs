// Plain JavaScript that runs on Node 20: it is what makes a clean clone work, so it cannot rely on
// what it installs. Installs the locked dependencies unless the stamp of the last install matches, and builds
// the dashboard unless its sources are those of the last build.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const stampFile = join(modules, '.evenkeel-stamp');
const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
const found = existsSync(stampFile) ? readFileSync(stampFile, 'utf8').trim() : '';

if (found !== wanted) {
  process.stderr.write('evenkeel: installing the locked dependencies\n');
  // Not `npm ci`: it refuses a lock file without the optional binaries of other platforms, which is what
  // a registry mirror without them leaves. `install --no-save` takes the locked versions with their
  // integrity all the same and writes no lock file.
  const outcome = spawnSync('npm', ['install', '--no-save', '--no-audit', '--no-fund'], {
    cwd: root,
    // stdout belongs to the script that runs next.
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (outcome.status !== 0) {
    const why = outcome.error
      ? outcome.error.message
      : `npm install ended with status ${outcome.status}`;
    process.stderr.write(`Cannot install the dependencies: ${why}\n`);
    process.exit(1);
  }
  writeFileSync(stampFile, `${wanted}\n`);
}

await import('./prepare.mjs');
