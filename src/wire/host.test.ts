import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Authority, isIpv6 } from './host.ts';

const authority = new Authority();
const octets = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));

function canonical(text: string): readonly [host: string, port: string, verbatim: boolean] | null {
  const bytes = octets(text);
  if (!authority.read(bytes, 0, bytes.length)) return null;
  const out = new Uint8Array(512);
  const hostEnd = authority.writeHost(bytes, out, 0);
  const end = authority.writePort(bytes, out, hostEnd);
  const written = Buffer.from(out.subarray(0, end)).toString('latin1');
  return [written.slice(0, hostEnd), written.slice(hostEnd), authority.isVerbatim];
}

test('Authority: case, trailing dot and port fold into one form', () => {
  assert.deepEqual(canonical('lb.test'), ['lb.test', '', true]);
  assert.deepEqual(canonical('LB.TeSt'), ['lb.test', '', false]);
  assert.deepEqual(canonical('lb.test.'), ['lb.test', '', false]);
  assert.deepEqual(canonical('lb.test.:8080'), ['lb.test', ':8080', false]);
  assert.deepEqual(canonical('lb.test:8080'), ['lb.test', ':8080', true]);
  assert.deepEqual(canonical('lb.test:'), ['lb.test', '', false]);
  assert.deepEqual(canonical('lb.test:0080'), ['lb.test', ':80', false]);
  assert.deepEqual(canonical('lb.test:00'), ['lb.test', ':0', false]);
  assert.deepEqual(canonical('[2001:DB8::1]:80'), ['[2001:db8::1]', ':80', false]);
});

test('isIpv6() takes addresses of RFC 3986 and nothing else', () => {
  const yes =
    '::|::1|1::|1:2:3:4:5:6:7:8|1:2:3:4:5:6:7::|::2:3:4:5:6:7:8|fe80::1:2|::192.0.2.1|1:2:3:4:5:6:192.0.2.1';
  const no =
    '|:|:::|1|1:2:3:4:5:6:7|1:2:3:4:5:6:7:8:9|1::2::3|12345::|g::|1:|:1|1:2:3:4:5:6:7:8::|::256.0.0.1|::1.2.3|::1.2.3.4.5|::01.2.3.4|::1.2.3.4:5|1:2:3:4:5:6:7:1.2.3.4';
  for (const text of yes.split('|')) assert.equal(isIpv6(octets(text), 0, text.length), true, text);
  for (const text of no.split('|')) assert.equal(isIpv6(octets(text), 0, text.length), false, text);
});
