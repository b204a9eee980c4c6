import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { bannedUses } from './banned.ts';
import { rankBreaches } from './ranks.ts';
import { root, sourceFiles } from './source-files.ts';
import { badRecords, deadLinks, resolvedHosts, tooLongFiles, undocumentedExports } from './tidy.ts';

const source = sourceFiles(['src'], ['.ts', '.tsx']);
const product = source.filter(({ path }) => !/\.(test|bench|conformance|fixture)\.ts$/.test(path));
const code = sourceFiles(
  ['src', 'test', 'bench', 'tools', 'examples', 'bin'],
  ['.ts', '.tsx', '.mjs', '.js', '/evenkeel'],
);
const documents = [
  ...sourceFiles(['docs', 'examples', 'bench'], ['.md']),
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md']
    .filter((path) => existsSync(join(root, path)))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') })),
];

describe('the tree is tidy', () => {
  it('imports go to the own room or to a lower rank', () => {
    assert.deepEqual(rankBreaches(product), []);
  });
  it('nothing banned is used', () => {
    // This file holds the bad samples.
    const files = code.filter(({ path }) => path !== 'tools/tidy.test.ts');
    assert.deepEqual(bannedUses([...files, ...documents]), []);
  });
  it('no file is too long without a reason', () => assert.deepEqual(tooLongFiles(source), []));
  it('exported symbols are documented', () => assert.deepEqual(undocumentedExports(product), []));
  it('decision records are whole', () => {
    const records = documents.filter(
      ({ path }) => path.startsWith('docs/decisions/') && !path.endsWith('README.md'),
    );
    assert.ok(records.length > 0);
    assert.deepEqual(badRecords(records), []);
  });
  it('links of documents lead somewhere', () => assert.deepEqual(deadLinks(documents), []));
  it('the lock file names no registry', () => {
    assert.deepEqual(resolvedHosts(readFileSync(join(root, 'package-lock.json'), 'utf8')), []);
  });
});

describe('the checks find what they are for', () => {
  const at = (path: string, text: string) => [{ path, text }];

  it('rankBreaches() finds an import upwards and one between rooms of one rank', () => {
    assert.equal(rankBreaches(at('src/base/a.ts', "import { x } from '../model/b.ts';")).length, 1);
    assert.equal(
      rankBreaches(at('src/data/a.ts', "import { x } from '../control/b.ts';")).length,
      1,
    );
    assert.equal(rankBreaches(at('src/data/a.ts', "await import('../process/b.ts');")).length, 1);
    assert.equal(rankBreaches(at('src/attic/a.ts', '')).length, 1);
    const page = 'src/dashboard/a.tsx';
    assert.equal(rankBreaches(at(page, "import { x } from '../control/b.ts';")).length, 1);
    assert.deepEqual(rankBreaches(at(page, "import { x } from '../model/b.ts';")), []);
    assert.deepEqual(rankBreaches(at('src/data/a.ts', "import { x } from '../wire/b.ts';")), []);
  });

  it('bannedUses() finds each banned thing, and not in a comment', () => {
    const samples = [
      'const now = Date.now();',
      'setTimeout(run, 5);',
      'const x = Math.random();',
      'const pid = process.pid;',
      "console.log('x');",
      "import { connect } from 'node:net';",
      'enum Color { RED }',
      'export default 5;',
      "it.only('x', () => 1);",
      `// ${'TO'}${'DO'} later`,
      `// see /${'work'}/main`,
    ];
    for (const sample of samples) {
      assert.ok(bannedUses(at('src/data/a.ts', sample)).length > 0, sample);
    }
    assert.deepEqual(bannedUses(at('src/data/a.ts', '// Date.now() is banned here')), []);
    assert.deepEqual(bannedUses(at('src/platform/a.ts', 'const now = Date.now();')), []);
    assert.deepEqual(
      bannedUses(at('src/data/a.ts', '// Rule zero: because.\nconst now = Date.now();')),
      [],
    );
  });

  it('tooLongFiles() finds 401 lines, unless they are explained', () => {
    assert.equal(tooLongFiles(at('src/a.ts', 'x\n'.repeat(401))).length, 1);
    assert.deepEqual(tooLongFiles(at('src/a.ts', 'x\n'.repeat(400))), []);
    assert.deepEqual(
      tooLongFiles(at('src/a.ts', `// Rule zero: a table.\n${'x\n'.repeat(500)}`)),
      [],
    );
  });

  it('undocumentedExports() finds an export without a docstring', () => {
    assert.equal(undocumentedExports(at('src/a.ts', 'export const x = 1;')).length, 1);
    assert.equal(undocumentedExports(at('src/a.ts', '\nexport function x(): void {}')).length, 1);
    assert.deepEqual(undocumentedExports(at('src/a.ts', '/** X. */\nexport const x = 1;')), []);
  });

  it('badRecords() finds a missing part, a bad name and a number used twice', () => {
    const whole =
      'Status: x, 2026-11-21\nContext\nOptions\nDecision\nConsequences\nEvidence\nRevisit when';
    assert.deepEqual(badRecords(at('docs/decisions/0001-a.md', whole)), []);
    assert.equal(
      badRecords(at('docs/decisions/0001-a.md', whole.replace('Context', ''))).length,
      1,
    );
    assert.equal(badRecords(at('docs/decisions/a.md', whole)).length, 1);
    const twice = [
      ...at('docs/decisions/0001-a.md', whole),
      ...at('docs/decisions/0001-b.md', whole),
    ];
    assert.equal(badRecords(twice).length, 1);
  });

  it('deadLinks() finds a link to a file that is not there', () => {
    const look = (path: string): boolean => path === 'docs/b.md';
    assert.deepEqual(deadLinks(at('docs/a.md', '[b](b.md#part) [c](https://c.test)'), look), []);
    assert.equal(deadLinks(at('docs/a.md', '[d](d.md)'), look).length, 1);
  });

  it('resolvedHosts() finds a registry', () => {
    assert.equal(resolvedHosts('{"resolved": "https://registry.test/x.tgz"}').length, 1);
  });
});
