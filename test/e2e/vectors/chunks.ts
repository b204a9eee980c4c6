import { cut, forwarded, type RawCase } from '../raw-vectors.ts';
import { chunked, SMUGGLED } from './build.ts';

/** Bodies that are not valid chunked coding: refused, never seen whole by the origin (RFC 9112 §7.1). */
const broken: Record<string, string> = {
  'size-plus': '+5\r\nhello\r\n0\r\n\r\n',
  'size-minus': '-5\r\nhello\r\n0\r\n\r\n',
  'size-hex-prefix': '0x5\r\nhello\r\n0\r\n\r\n',
  'size-space-before': ' 5\r\nhello\r\n0\r\n\r\n',
  'size-tab-before': '\t5\r\nhello\r\n0\r\n\r\n',
  'size-empty': '\r\nhello\r\n0\r\n\r\n',
  'size-only-extension': ';x\r\nhello\r\n0\r\n\r\n',
  'size-letter': 'g\r\nhello\r\n0\r\n\r\n',
  'size-underscore': '0_5\r\nhello\r\n0\r\n\r\n',
  'size-point': '5.0\r\nhello\r\n0\r\n\r\n',
  'size-17-digits': '10000000000000005\r\nhello\r\n0\r\n\r\n',
  'size-2-to-64': 'ffffffffffffffff\r\nhello\r\n0\r\n\r\n',
  'size-2-to-53': '20000000000001\r\nhello\r\n0\r\n\r\n',
  'size-many-zeros': `${'0'.repeat(20_000)}5\r\nhello\r\n0\r\n\r\n`,
  'size-nul': '5\x00\r\nhello\r\n0\r\n\r\n',
  'size-high-byte': '5\xa0\r\nhello\r\n0\r\n\r\n',
  'size-lf': '5\nhello\r\n0\r\n\r\n',
  'size-cr': '5\rhello\r\n0\r\n\r\n',
  'size-cr-cr-lf': '5\r\r\nhello\r\n0\r\n\r\n',
  'size-lf-cr': '5\n\rhello\r\n0\r\n\r\n',
  'extension-lf': '5;\nhello\r\n0\r\n\r\n',
  'extension-lf-inside': `5;x="\n"\r\nhello\r\n0\r\n\r\n`,
  'extension-cr-inside': '5;x=a\rb\r\nhello\r\n0\r\n\r\n',
  'extension-nul': '5;x=\x00\r\nhello\r\n0\r\n\r\n',
  'data-lf': '5\r\nhello\n0\r\n\r\n',
  'data-cr': '5\r\nhello\r0\r\n\r\n',
  'data-any-two': '5\r\nhelloXX0\r\n\r\n',
  'data-lf-cr': '5\r\nhello\n\r0\r\n\r\n',
  'data-one-late': '5\r\nhello!\r\n0\r\n\r\n',
  'data-one-early': '5\r\nhell\r\n0\r\n\r\n',
  'last-lf': '5\r\nhello\r\n0\n\r\n',
  'last-lf-lf': '5\r\nhello\r\n0\n\n',
  'last-crlf-lf': '5\r\nhello\r\n0\r\n\n',
  'last-cr-x': '5\r\nhello\r\n0\r\n\rX',
  'trailer-no-colon': '0\r\nGET /admin/x HTTP/1.1\r\n\r\n',
  'trailer-space-before-colon': '0\r\nX : y\r\n\r\n',
  'trailer-empty-name': '0\r\n: y\r\n\r\n',
  'trailer-folded': '0\r\nX: y\r\n z\r\n\r\n',
  'trailer-lf': '0\r\nX: y\n\r\n',
  'trailer-bare-cr': '0\r\nX: y\rz\r\n\r\n',
  'trailer-nul': '0\r\nX: \x00\r\n\r\n',
  'trailer-flood': `0\r\n${'X: yyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n'.repeat(4000)}\r\n`,
  'trailer-long': `0\r\nX: ${'y'.repeat(70_000)}\r\n\r\n`,
  'extension-long': `5;${'x'.repeat(70_000)}\r\nhello\r\n0\r\n\r\n`,
  'extension-flood': `${`1;${'x'.repeat(1000)}\r\na\r\n`.repeat(200)}0\r\n\r\n`,
};

const brokenCases: RawCase[] = Object.entries(broken).map(([name, body]) => ({
  id: `chunk-${name}`,
  grade: 'A',
  source: 'RFC 9112 §7.1, §7.1.1, §7.1.2',
  bytes: chunked(body + (body.length < 200 ? SMUGGLED : '')),
  allowed: [cut(400, 413, 431)],
}));

/** Valid ways to write `hello`. */
const valid: Record<string, string> = {
  plain: '5\r\nhello\r\n0\r\n\r\n',
  'upper-and-lower': '3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n',
  'leading-zeros': '0005\r\nhello\r\n00\r\n\r\n',
  extension: '5;name=value\r\nhello\r\n0\r\n\r\n',
  'extension-quoted': '5;name="a;b\\"c"\r\nhello\r\n0\r\n\r\n',
  'extension-on-last': '5\r\nhello\r\n0;last\r\n\r\n',
  'one-byte-chunks': '1\r\nh\r\n1\r\ne\r\n1\r\nl\r\n1\r\nl\r\n1\r\no\r\n0\r\n\r\n',
  trailer: '5\r\nhello\r\n0\r\nX-Checksum: abc\r\n\r\n',
};

const validCases: RawCase[] = Object.entries(valid).map(([name, body]) => ({
  id: `chunk-valid-${name}`,
  grade: 'B',
  source: 'RFC 9112 §7.1: understood, extensions ignored',
  bytes: chunked(body),
  allowed: [forwarded({ body: 'hello' })],
}));

/** Names that a trailer must never give to the header section (RFC 9110 §6.5.1). */
const forbidden = [
  'Content-Length: 50',
  'Host: evil.test',
  'X-Forwarded-For: 6.6.6.6',
  'Transfer-Encoding: chunked',
  'Authorization: Basic eDp5',
  'Connection: keep-alive',
];

const trailerCases: RawCase[] = forbidden.map((line) => {
  const [name = '', value = ''] = line.split(': ');
  return {
    id: `trailer-merge-${name.toLowerCase()}`,
    grade: 'A',
    source: 'CVE-2025-12642: trailers never become fields',
    bytes: chunked(`5\r\nhello\r\n0\r\n${line}\r\n\r\n`),
    allowed: [
      forwarded({
        body: 'hello',
        holds: (seen) =>
          !seen.fields.some(
            ([key, got]) =>
              key.toLowerCase() === name.toLowerCase() &&
              got === value &&
              name !== 'Transfer-Encoding',
          ),
      }),
      cut(),
    ],
  };
});

/** The chunked coding of requests. */
export const chunkCases: readonly RawCase[] = [
  ...brokenCases,
  ...validCases,
  ...trailerCases,
  {
    id: 'chunk-upper-case-hex',
    grade: 'B',
    source: 'RFC 9112 §7.1',
    bytes: chunked(`A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n`),
    allowed: [forwarded({ body: '01234567890123456789' })],
  },
  {
    id: 'chunk-empty-body',
    grade: 'B',
    source: 'RFC 9112 §7.1',
    bytes: chunked('0\r\n\r\n'),
    allowed: [forwarded({ body: '' })],
  },
  {
    id: 'chunk-crlf-in-data',
    grade: 'A',
    source: 'RFC 9112 §7.1: data is data',
    bytes: chunked('7\r\n0\r\n\r\nGX\r\n0\r\n\r\n'),
    allowed: [forwarded({ body: '0\r\n\r\nGX' })],
  },
  {
    id: 'chunk-large',
    grade: 'B',
    source: 'RFC 9112 §7.1',
    bytes: chunked(`9c40\r\n${'x'.repeat(40_000)}\r\n0\r\n\r\n`),
    allowed: [forwarded({ body: 'x'.repeat(40_000) })],
  },
];
