import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  canonicalCidr,
  doCollide,
  parseIp,
  parseListenAddress,
  parseServerAddress,
} from './address.ts';

test('parseServerAddress() takes addresses apart and writes IPv6 in its short form', () => {
  const cases: [string, unknown][] = [
    ['10.0.0.1:80', { kind: 'ip', host: '10.0.0.1', port: 80 }],
    ['[2001:DB8:0:0:1:0:0:1]:443', { kind: 'ip', host: '2001:db8::1:0:0:1', port: 443 }],
    ['[::ffff:192.0.2.1]:1', { kind: 'ip', host: '::ffff:c000:201', port: 1 }],
    ['App.Internal.:65535', { kind: 'name', host: 'app.internal', port: 65535 }],
    ['my_service:80', { kind: 'name', host: 'my_service', port: 80 }],
    ['unix:/run/a b.sock', { kind: 'unix', path: '/run/a b.sock' }],
  ];
  for (const [text, address] of cases) assert.deepEqual(parseServerAddress(text), address, text);
});

test('parseServerAddress() refuses what is none', () => {
  const texts = [
    '',
    '10.0.0.1',
    ':80',
    '10.0.0.1:0',
    '10.0.0.1:65536',
    '1.2.3:80',
    '1.2.3.4.5:80',
    '01.2.3.4:80',
    '256.1.1.1:80',
    '::1:80',
    '[::1]',
    '[::g]:80',
    '[1:2:3:4:5:6:7:8:9]:80',
    '[1::2::3]:80',
    '[10.0.0.1]:80',
    '-a:80',
    'a..b:80',
    'a b:80',
    'http://a:80',
    'unix:run.sock',
    'unix:/',
    `unix:/${'x'.repeat(107)}`,
    `${'a'.repeat(64)}:80`,
    '[1:2:3:4:5:6:7::8:9]:80',
    '[::1%eth0]:80',
  ];
  for (const text of texts) assert.equal(parseServerAddress(text), null, text);
});

test('parseListenAddress() knows any address, one address and sockets', () => {
  assert.deepEqual(parseListenAddress(':0'), { kind: 'any', port: 0 });
  assert.deepEqual(parseListenAddress('[::]:80'), { kind: 'ip', host: '::', port: 80 });
  assert.deepEqual(parseListenAddress('localhost:80'), { kind: 'ip', host: '127.0.0.1', port: 80 });
  for (const text of ['80', '*:80', 'example.com:80', '[]:80', ':65536']) {
    assert.equal(parseListenAddress(text), null, text);
  }
});

test('doCollide() is true where one socket would take what the other wants', () => {
  const cases: [string, string, boolean][] = [
    [':80', ':80', true],
    [':80', ':81', false],
    [':80', '127.0.0.1:80', true],
    ['0.0.0.0:80', '127.0.0.1:80', true],
    ['[::]:80', '0.0.0.0:80', false],
    ['[::]:80', '[::1]:80', true],
    ['127.0.0.1:80', '127.0.0.2:80', false],
    ['127.0.0.1:0', '127.0.0.1:0', false],
    ['unix:/a', 'unix:/a', true],
    ['unix:/a', ':80', false],
  ];
  for (const [a, b, expected] of cases) {
    const [one, other] = [parseListenAddress(a), parseListenAddress(b)];
    assert.ok(one && other);
    assert.equal(doCollide(one, other), expected, `${a} ${b}`);
    assert.equal(doCollide(other, one), expected, `${b} ${a}`);
  }
});

test('canonicalCidr() clears host bits and refuses wrong prefixes', () => {
  const cases: [string, string | null][] = [
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['10.1.2.255/25', '10.1.2.128/25'],
    ['10.1.2.3', '10.1.2.3/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:db8:ffff::/33', '2001:db8:8000::/33'],
    ['::1', '::1/128'],
    ['10.0.0.0/33', null],
    ['::/129', null],
    ['10.0.0.0/', null],
    ['ten', null],
  ];
  for (const [text, expected] of cases) assert.equal(canonicalCidr(text), expected, text);
});

test('parseIp() gives the bytes of an address', () => {
  assert.deepEqual(parseIp('1.2.3.4'), [1, 2, 3, 4]);
  assert.deepEqual(parseIp('::1:2')?.slice(-4), [0, 1, 0, 2]);
  assert.equal(parseIp('::')?.length, 16);
  assert.equal(parseIp('1:2:3:4:5:6:7'), null);
});
