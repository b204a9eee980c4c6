import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileCidrs } from '../base/address.ts';
import { Head } from '../wire/http1/head.ts';
import { parseRequestHead } from '../wire/http1/request-parser.ts';
import { forwardedClient } from './forwarded-client.ts';

const trusted = compileCidrs(['10.0.0.0/8', 'fd00::/8']);

function clientOf(...lines: readonly string[]): string | null {
  const text = ['GET / HTTP/1.1', 'Host: h', ...lines, '', ''].join('\r\n');
  const bytes = new Uint8Array(Buffer.from(text, 'latin1'));
  const head = new Head();
  const limits = { headBytesMax: 32_768, headFieldsMax: 100 };
  assert.equal(parseRequestHead(head, bytes, 0, bytes.length, limits), bytes.length);
  return forwardedClient(head, trusted);
}

test('forwardedClient() is the last address that is not trusted', () => {
  const cases: readonly (readonly [string, string | null])[] = [
    ['192.0.2.1', '192.0.2.1'],
    ['6.6.6.6, 192.0.2.1', '192.0.2.1'],
    ['6.6.6.6, 192.0.2.1 , 10.1.1.1', '192.0.2.1'],
    ['10.2.2.2, 10.1.1.1', '10.2.2.2'],
    ['192.0.2.1:4711', '192.0.2.1'],
    ['[2001:db8::1]:4711', '2001:db8::1'],
    ['2001:db8::1, fd00::2', '2001:db8::1'],
    ['unknown', null],
    ['192.0.2.1, unknown', null],
    ['192.0.2.1, unknown, 10.1.1.1', '10.1.1.1'],
    ['999.1.1.1', null],
    ['1.2.3', null],
    ['192.0.2.1 junk', null],
    ['fe80::1%eth0', null],
    ['', null],
  ];
  for (const [value, client] of cases) {
    assert.equal(clientOf(`X-Forwarded-For: ${value}`), client, value);
  }
  assert.equal(clientOf(), null);
  assert.equal(clientOf('X-Forwarded-For: 6.6.6.6', 'X-Forwarded-For: 192.0.2.1'), '192.0.2.1');
});

test('forwardedClient() gives IPv4 mapped into IPv6 as IPv4', () => {
  assert.equal(clientOf('X-Forwarded-For: ::ffff:192.0.2.1'), '192.0.2.1');
  assert.equal(clientOf('X-Forwarded-For: [::ffff:c000:201]:80'), '192.0.2.1');
  assert.equal(clientOf('X-Forwarded-For: 192.0.2.1, ::ffff:10.0.0.1'), '192.0.2.1');
});

test('forwardedClient() reads Forwarded where there is no X-Forwarded-For', () => {
  const cases: readonly (readonly [string, string | null])[] = [
    ['for=192.0.2.1', '192.0.2.1'],
    ['proto=https;For="192.0.2.1:4711";by=10.0.0.1', '192.0.2.1'],
    ['for="[2001:db8::1]:4711"', '2001:db8::1'],
    ['for=6.6.6.6, for=192.0.2.1;proto=http, for=10.0.0.3', '192.0.2.1'],
    ['for=192.0.2.1;x="a,b;for=6.6.6.6"', '192.0.2.1'],
    ['for=_hidden', null],
    ['for=unknown, for=10.0.0.3', '10.0.0.3'],
    ['proto=http', null],
    ['xfor=192.0.2.1', null],
  ];
  for (const [value, client] of cases) {
    assert.equal(clientOf(`Forwarded: ${value}`), client, value);
  }
  assert.equal(clientOf('Forwarded: for=6.6.6.6', 'X-Forwarded-For: 192.0.2.1'), '192.0.2.1');
});
