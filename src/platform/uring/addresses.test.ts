import assert from 'node:assert/strict';
import { test } from 'node:test';

import { encodeAddress, hostOf, portOf } from './addresses.ts';

function roundTrip(host: string, port: number): string {
  const { bytes } = encodeAddress({ kind: 'ip', host, port });
  return `${hostOf(bytes, 0)} ${portOf(bytes, 0)}`;
}

test('encodeAddress() and hostOf() agree on numeric addresses', () => {
  const rows: [string, string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['::1', '::1'],
    ['::', '::'],
    ['2001:db8::1', '2001:db8::1'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['1::', '1::'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ];
  for (const [given, shown] of rows) assert.equal(roundTrip(given, 65_535), `${shown} 65535`);
});

test('hostOf() shows nothing for Unix sockets', () => {
  const { bytes } = encodeAddress({ kind: 'unix', path: '/run/a.sock' });
  assert.equal(hostOf(bytes, 0), '');
  assert.equal(portOf(bytes, 0), 0);
});

test('encodeAddress() refuses what the kernel could not use', () => {
  assert.throws(() => encodeAddress({ kind: 'ip', host: 'localhost', port: 1 }), RangeError);
  assert.throws(() => encodeAddress({ kind: 'ip', host: '127.0.0.1', port: 65_536 }), RangeError);
  assert.throws(() => encodeAddress({ kind: 'unix', path: 'x'.repeat(108) }), RangeError);
  assert.equal(encodeAddress({ kind: 'unix', path: 'x'.repeat(107) }).bytes.length, 110);
});
