// After an install in a checkout: the dashboard is built, so that `bin/evenkeel run` has it. Without the
// development dependencies there is nothing to build it with, and nothing to do.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
if (existsSync(join(root, 'node_modules', 'vite'))) await import('./build-dashboard.mjs');
