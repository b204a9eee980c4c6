// Emits what is published: JavaScript and declarations in dist/, with .ts import endings rewritten, and the
// dashboard in dist/dashboard/.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
rmSync(join(root, 'dist'), { recursive: true, force: true });
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const outcome = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
if (outcome.status !== 0) process.exit(outcome.status ?? 1);
await import('./build-dashboard.mjs');
