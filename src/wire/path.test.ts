import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPlainPath, PATH_INVALID, PathCanonicalizer } from './path.ts';

const canonicalizer = new PathCanonicalizer();

function canonical(path: string): string | null {
  const bytes = new Uint8Array(Buffer.from(path, 'latin1'));
  const out = new Uint8Array(bytes.length);
  const end = canonicalizer.write(bytes, 0, bytes.length, out, 0);
  return end === PATH_INVALID ? null : Buffer.from(out.subarray(0, end)).toString('latin1');
}

// the first group is RFC 3986 §5.2.4 and its examples
const paths: readonly (readonly [received: string, canonical: string | null])[] = [
  ['/a/b/c/./../../g', '/a/g'],
  ['/../a', '/a'],
  ['/..', '/'],
  ['/.', '/'],
  ['/a/..', '/'],
  ['/a/.', '/a/'],
  ['/a/b/..', '/a/'],
  ['/pub/../admin', '/admin'],
  ['/pub/%2e%2e/admin', '/admin'],
  ['/pub/%2E./admin', '/admin'],
  ['/pub/.%2e/admin', '/admin'],
  ['/%61dmin', '/admin'],
  ['/%41dmin', '/Admin'],
  ['/%7Euser', '/~user'],
  ['/a%20b', '/a%20b'],
  ['/caf%c3%a9', '/caf%C3%A9'],
  ['//admin/x', '//admin/x'],
  ['/a//../b', '/a/b'],
  ['/..//admin', '//admin'],
  ['/...', '/...'],
  ['/..a', '/..a'],
  ['/.well-known/x', '/.well-known/x'],
  ['/a;b=c/d', '/a;b=c/d'],
  ['/%252e%252e/x', '/%252e%252e/x'],
  ['/a%2fb', '/a%2Fb'],
  ['/a%zz', null],
  ['/a%2', null],
  ['/%', null],
  ['/pub/..;/admin', null],
  ['/pub/.;x/admin', null],
];

for (const [received, expected] of paths) {
  test(`PathCanonicalizer: ${received} → ${expected}`, () => {
    assert.equal(canonical(received), expected);
    if (expected !== null) assert.equal(canonical(expected), expected, 'stays as it is');
  });
}

test('PathCanonicalizer tells escaped separators', () => {
  for (const escaped of ['%2f', '%2F', '%5c', '%00', '%3b', '%3f', '%23', '%0a', '%7f']) {
    canonical(`/a${escaped}b`);
    assert.equal(canonicalizer.hasEncodedSeparator, true, escaped);
  }
  for (const escaped of ['%20', '%61', '%2e', '%c3%a9', '%22']) {
    canonical(`/a${escaped}b`);
    assert.equal(canonicalizer.hasEncodedSeparator, false, escaped);
  }
});

test('isPlainPath() is true only for paths that are their own canonical form', () => {
  for (const [received, expected] of paths) {
    const bytes = new Uint8Array(Buffer.from(received, 'latin1'));
    if (isPlainPath(bytes, 0, bytes.length)) assert.equal(received, expected);
  }
  const plain = new Uint8Array(Buffer.from('/js/app.min.js'));
  assert.equal(isPlainPath(plain, 0, plain.length), true);
});
