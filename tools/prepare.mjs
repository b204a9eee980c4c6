// After an install in a checkout: the dashboard is built, so that `bin/evenkeel run` has it. Without the
// development dependencies there is nothing to build it with, and nothing to do.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
if (existsSync(join(modules, 'vite'))) {
  // Vite asks for a newer Node than the one that may have started us; ours came with the install.
  const own = join(modules, 'node', 'bin', 'node');
  const node = existsSync(own) ? own : process.execPath;
  const outcome = spawnSync(node, [join(root, 'tools', 'build-dashboard.mjs')], {
    // stdout belongs to the script that runs next.
    stdio: ['ignore', 2, 2],
  });
  if (outcome.status !== 0) {
    process.stderr.write('Cannot build the dashboard: see above\n');
    process.exit(1);
  }
}
