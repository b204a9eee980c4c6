import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileCidrs, ipKey, parseAddress, parseCidr } from './address.ts';

const hex = (text: string) => {
  const bytes = parseAddress(text);
  return bytes === null ? null : Buffer.from(bytes).toString('hex');
};

test('parseAddress() reads IPv4, IPv6 and mapped addresses', () => {
  assert.equal(hex('192.0.2.255'), 'c00002ff');
  assert.equal(hex('::'), '0'.repeat(32));
  assert.equal(hex('::1'), `${'0'.repeat(31)}1`);
  assert.equal(hex('2001:db8::8:800:200c:417a'), '20010db80000000000080800200c417a');
  assert.equal(hex('1:2:3:4:5:6:7:8'), '00010002000300040005000600070008');
  assert.equal(hex('1:2:3:4:5:6:7::'), '00010002000300040005000600070000');
  assert.equal(hex('64:ff9b::192.0.2.1'), '0064ff9b0000000000000000c0000201');
  assert.equal(hex('::ffff:192.0.2.1'), 'c0000201');
  assert.equal(hex('fe80::1%eth0'), hex('fe80::1'));
});

test('parseAddress() refuses what is no address', () => {
  const wrong = [
    '',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '1.2.3.4 ',
    'a.b.c.d',
    '1..2.3',
    ':',
    ':::',
  ];
  const wrongSix = [
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    'g::',
    '1.2.3.4::',
    '::1.2.3',
  ];
  const full = ['1:2:3:4::5:6:7:8', '/run/a.sock', `::${'1'.repeat(80)}`];
  for (const text of [...wrong, ...wrongSix, ...full]) assert.equal(parseAddress(text), null, text);
});

test('compileCidrs() contains just the addresses of its ranges', () => {
  const set = compileCidrs([
    '10.0.0.0/8',
    '192.0.2.128/25',
    '2001:db8::/33',
    '127.0.0.1',
    '::ffff:198.51.100.0/120',
  ]);
  const inside = [
    '10.255.0.1',
    '192.0.2.128',
    '2001:db8:7fff::1',
    '127.0.0.1',
    '::ffff:10.1.1.1',
    '198.51.100.9',
  ];
  const outside = [
    '11.0.0.1',
    '192.0.2.127',
    '2001:db8:8000::1',
    '127.0.0.2',
    '::a00:1',
    '',
    'x',
    '198.51.101.0',
  ];
  for (const address of inside) assert.equal(set.contains(address), true, address);
  for (const address of outside) assert.equal(set.contains(address), false, address);
  assert.equal(compileCidrs([]).contains('10.0.0.1'), false);
  assert.equal(compileCidrs(['0.0.0.0/0']).contains('9.9.9.9'), true);
  assert.equal(compileCidrs(['0.0.0.0/0']).contains('::1'), false);
});

test('parseCidr() refuses bad ranges, compileCidrs() takes that for a bug', () => {
  for (const text of [
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/08',
    'x/8',
    '',
    'fe80::1%a/64',
  ]) {
    assert.equal(parseCidr(text), null, text);
  }
  assert.throws(() => compileCidrs(['x']), /valid ranges/);
});

test('ipKey() is the whole IPv4 address or the /64 of an IPv6 one', () => {
  assert.notEqual(ipKey('192.0.2.1'), ipKey('192.0.2.2'));
  assert.equal(ipKey('::ffff:192.0.2.1'), ipKey('192.0.2.1'));
  assert.equal(ipKey('2001:db8::1'), ipKey('2001:db8::ffff:1'));
  assert.notEqual(ipKey('2001:db8::1'), ipKey('2001:db8:0:1::1'));
  assert.equal(ipKey(''), 0);
});
