// Builds the dashboard into dist/dashboard/, compressed beside plain, unless that was built from the very
// same sources. The stamp makes it cheap to call before every run of tests and every demo.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, 'src', 'dashboard');
const out = join(root, 'dist', 'dashboard');
const stampFile = join(out, '.stamp');

/** All that the result depends on. */
const inputs = [
  ...readdirSync(source)
    .sort()
    .map((name) => join(source, name)),
  join(root, 'src', 'model', 'history.ts'),
  join(root, 'src', 'model', 'live.ts'),
  join(root, 'src', 'base', 'histogram.ts'),
  join(root, 'package-lock.json'),
  fileURLToPath(import.meta.url),
];
const hash = createHash('sha256');
for (const path of inputs) hash.update(path.slice(root.length)).update(readFileSync(path));
const wanted = hash.digest('hex');
const found = existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : '';

if (found !== wanted) await buildPage();

async function buildPage() {
  const { build } = await import('vite');
  process.stderr.write('evenkeel: building the dashboard\n');
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  await build({
    configFile: false,
    root: source,
    base: './',
    logLevel: 'warn',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir: out,
      emptyOutDir: true,
      target: 'es2023',
      // A polyfill would be one more script; every browser that runs the page has it built in.
      modulePreload: { polyfill: false },
      // Data in the document would need a wider policy.
      assetsInlineLimit: 0,
    },
  });
  for (const entry of readdirSync(out, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = readFileSync(path);
    const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
    writeFileSync(`${path}.br`, brotliCompressSync(bytes, quality));
    writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  }
  writeFileSync(stampFile, wanted);
}
