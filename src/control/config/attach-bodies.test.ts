import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ConfigFiles, localConfigFiles } from '../../platform/config-files.ts';
import { attachBodies } from './attach-bodies.ts';
import type { Config } from './config.ts';
import { configFromPlain } from './load.ts';

const texts: Readonly<Record<string, Uint8Array>> = {
  'sorry.html': new TextEncoder().encode('<p>sorry'),
  'robots.txt': new TextEncoder().encode('User-agent: *'),
  'picture.txt': new Uint8Array([0xff, 0xfe]),
};
const files: ConfigFiles = {
  ...localConfigFiles,
  read: async (path) => {
    const bytes = texts[path];
    return bytes === undefined ? { ok: false, found: 'found no such file' } : { ok: true, bytes };
  },
};

function configWith(change: Record<string, unknown>): Config {
  const plain = { listeners: [':80'], pools: { web: ['10.0.0.1:80'] }, ...change };
  const loaded = configFromPlain('x', plain, () => ({ line: 1, column: 1 }));
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return loaded.config;
}

test('attachBodies() puts the texts of files where they are named, with their type, and has them watched', async () => {
  const config = configWith({
    routes: [
      { match: '/robots.txt', respond: { status: 200, file: 'robots.txt' } },
      { pool: 'web', errors: { 503: { file: 'sorry.html' }, 500: 'broken' } },
    ],
    errors: { '400-599': { file: 'sorry.html', contentType: 'text/x-own' } },
  });
  const attached = await attachBodies(config, files);
  assert.deepEqual(attached.faults, []);
  const [robots, web] = attached.config.routes;
  assert.equal(robots?.respond?.body, 'User-agent: *');
  assert.equal(robots?.respond?.contentType, 'text/plain; charset=utf-8');
  const pages = web?.actions?.errors.map(({ body, contentType }) => [body, contentType]);
  assert.deepEqual(pages, [
    ['broken', 'text/plain; charset=utf-8'],
    ['<p>sorry', 'text/html; charset=utf-8'],
  ]);
  assert.equal(attached.config.errors[0]?.body, '<p>sorry');
  assert.equal(attached.config.errors[0]?.contentType, 'text/x-own');
  assert.deepEqual(attached.config.files, ['robots.txt', 'sorry.html']);
});

test('attachBodies() says of each file that is no text where it is named', async () => {
  const config = configWith({
    routes: [{ pool: 'web', errors: { '502-504': { file: 'picture.txt' } } }],
    errors: { 404: { file: 'nowhere.html' } },
  });
  const { faults } = await attachBodies(config, files);
  assert.deepEqual(
    faults.map(({ path, found }) => [path, found]),
    [
      ['routes[0].errors.502-504.file', 'found other bytes'],
      ['errors.404.file', 'found no such file'],
    ],
  );
});
