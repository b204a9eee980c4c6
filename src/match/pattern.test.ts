import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinearPattern, literalPrefix, patternFault } from './pattern.ts';

test('literalPrefix() is what every match begins with', () => {
  const rows: [string, string][] = [
    ['^/api/v[0-9]', '/api/v'],
    ['^/a\\.b\\/c$', '/a.b/c'],
    ['^/ab?c', '/a'],
    ['^/ab*', '/a'],
    ['^/ab{2}', '/a'],
    ['^/a|/b', ''],
    ['/a', ''],
    ['^(?i)/a', ''],
    ['^/\\d', '/'],
    ['^/ü', '/'],
    ['^', ''],
  ];
  for (const [pattern, expected] of rows) assert.equal(literalPrefix(pattern), expected, pattern);
});

test('isIn() finds a pattern in a span only', () => {
  const bytes = new TextEncoder().encode('xx/api/v2/yy');
  assert.ok(new LinearPattern('^/api/v[0-9]/$').isIn(bytes, 2, 10));
  assert.ok(!new LinearPattern('^/api/v[0-9]/$').isIn(bytes, 2, 11));
  assert.ok(!new LinearPattern('^/api/v[0-9]').isIn(bytes, 0, 12));
  assert.ok(!new LinearPattern('^/api/v').isIn(bytes, 2, 5));
});

test('patternFault() says what RE2 does not know', () => {
  assert.equal(patternFault('^a+$'), null);
  for (const pattern of ['(a', 'a{2000}', '(?=a)', '(a)\\1', '*']) {
    assert.notEqual(patternFault(pattern), null, pattern);
  }
});
