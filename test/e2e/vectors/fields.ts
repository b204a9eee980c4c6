import { forwarded, type RawCase, refused } from '../raw-vectors.ts';
import { get, post, SMUGGLED } from './build.ts';

/** Field lines that are refused as they stand (RFC 9110 §5, RFC 9112 §2.2, §5). */
const bad: Record<string, string> = {
  'space-before-colon': 'X-Name : value\r\n',
  'tab-before-colon': 'X-Name\t: value\r\n',
  'empty-name': ': value\r\n',
  'no-colon': 'NoColon\r\n',
  'space-in-name': 'X Name: value\r\n',
  'high-byte-in-name': 'X-N\xe4me: value\r\n',
  'nul-in-name': 'X-\x00Name: value\r\n',
  'control-in-name': 'X-\x01Name: value\r\n',
  'del-in-name': 'X-\x7fName: value\r\n',
  'bracket-in-name': 'X-(Name): value\r\n',
  'slash-in-name': 'X/Name: value\r\n',
  'quote-in-name': '"X-Name": value\r\n',
  'at-in-name': 'X@Name: value\r\n',
  'nul-in-value': 'X-Name: a\x00b\r\n',
  'bell-in-value': 'X-Name: a\x07b\r\n',
  'del-in-value': 'X-Name: a\x7fb\r\n',
  'escape-in-value': 'X-Name: a\x1bb\r\n',
  'bare-cr-in-value': 'X-Name: a\rb\r\n',
  'bare-cr-then-field': 'X-Name: a\rTransfer-Encoding: chunked\r\n',
  'bare-lf-in-value': 'X-Name: a\nTransfer-Encoding: chunked\r\n',
  'lf-ends-line': 'X-Name: a\n',
  'cr-cr-lf': 'X-Name: a\r\r\n',
  'folded-space': 'X-Name: a\r\n b\r\n',
  'folded-tab': 'X-Name: a\r\n\tb\r\n',
  'folded-te': 'Transfer-Encoding:\r\n chunked\r\n',
  'folded-empty': 'X-Name: a\r\n \r\n',
};

const badCases: RawCase[] = Object.entries(bad).map(([name, line]) => ({
  id: `field-${name}`,
  grade: 'A',
  source: 'RFC 9110 §5.1, §5.5, RFC 9112 §2.2, §5.1, §5.2',
  bytes: get(line),
  allowed: [refused()],
}));

const badFirstCases: RawCase[] = Object.entries(bad)
  .filter(([name]) => name !== 'lf-ends-line')
  .slice(0, 12)
  .map(([name, line]) => ({
    id: `field-first-${name}`,
    grade: 'A',
    source: 'the same directly behind the request line',
    bytes: `GET /v HTTP/1.1\r\n${line}Host: lb.test\r\n\r\n`,
    allowed: [refused()],
  }));

/** White space around the name of Content-Length, with a body that is a request. */
const lengthNames = ['Content-Length ', 'Content-Length\t', ' Content-Length', '\tContent-Length'];
const lengthNameCases: RawCase[] = lengthNames.map((name, index) => ({
  id: `field-length-name-${index}`,
  grade: 'A',
  source: 'CVE-2024-27982, RFC 9112 §5.1',
  bytes: post(`${name}: ${SMUGGLED.length}\r\n`, SMUGGLED),
  allowed: [refused()],
}));

/** Request lines that are refused (RFC 9112 §3). */
const lines: Record<string, [string, ...number[]]> = {
  'http-0-9': ['GET /v'],
  'no-target': ['GET HTTP/1.1'],
  'two-spaces': ['GET  /v HTTP/1.1'],
  'two-spaces-version': ['GET /v  HTTP/1.1'],
  tab: ['GET\t/v\tHTTP/1.1'],
  'trailing-space': ['GET /v HTTP/1.1 '],
  'leading-space': [' GET /v HTTP/1.1'],
  'lower-case-version': ['GET /v http/1.1'],
  'no-slash-version': ['GET /v HTTP1.1'],
  'version-leading-zero': ['GET /v HTTP/01.1'],
  'version-two-digits': ['GET /v HTTP/1.10'],
  'version-comma': ['GET /v HTTP/1,1'],
  'version-missing-minor': ['GET /v HTTP/1'],
  'version-2': ['GET /v HTTP/2.0', 400, 505],
  'version-0-9': ['GET /v HTTP/0.9', 400, 505],
  'version-9': ['GET /v HTTP/9.9', 400, 505],
  'method-bracket': ['G(T /v HTTP/1.1', 400, 405, 501],
  'method-nul': ['GE\x00T /v HTTP/1.1'],
  'method-colon': ['GET: /v HTTP/1.1', 400, 405, 501],
  'method-high-byte': ['G\xc9T /v HTTP/1.1', 400, 405, 501],
  'method-empty': [' /v HTTP/1.1'],
  'bare-cr': ['GET /v HTTP/1.1\rX: y'],
  'extra-word': ['GET /v x HTTP/1.1'],
  tls: ['\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03'],
  'method-long': [`${'M'.repeat(9000)} /v HTTP/1.1`, 400, 405, 414, 431, 501],
  'target-long': [`GET /${'x'.repeat(20_000)} HTTP/1.1`, 400, 414, 431],
};

const lineCases: RawCase[] = Object.entries(lines).map(([name, [line, ...statuses]]) => ({
  id: `line-${name}`,
  grade: 'A',
  source: 'RFC 9112 §2.3, §3',
  bytes: `${line}\r\nHost: lb.test\r\n\r\n`,
  allowed: [refused(...(statuses.length === 0 ? [400] : statuses))],
}));

/** Values that are legal and pass as they are. */
const legal: Record<string, readonly [string, string]> = {
  'proto-name': ['__proto__', 'x'],
  'constructor-name': ['constructor', 'x'],
  'token-name': ["!#$%&'*+-.^_`|~09", 'x'],
  'high-bytes': ['X-Name', 'gr\xfc\xdfe'],
  'tab-inside': ['X-Name', 'a\tb'],
  empty: ['X-Empty', ''],
  colon: ['X-Name', 'a:b:c'],
  quoted: ['X-Name', '"a, b\\" c"'],
  long: ['X-Name', 'x'.repeat(6000)],
  authorization: ['Authorization', 'Basic  dXNlcjpwYXNz'],
  cookie: ['Cookie', 'a=b; c=d;e=f'],
  'accept-encoding': ['Accept-Encoding', 'gzip;q=0, br'],
  range: ['Range', 'bytes=0-4'],
  'if-none-match': ['If-None-Match', '"abc"'],
};

const legalCases: RawCase[] = Object.entries(legal).map(([name, [key, value]]) => ({
  id: `pass-${name}`,
  grade: 'B',
  source: 'RFC 9110 §5.1: unknown fields pass',
  bytes: get(`${key}: ${value}\r\n`),
  allowed: [forwarded({ has: [[key, value]] })],
}));

/** Names, values, lines and limits. */
export const fieldCases: readonly RawCase[] = [
  ...badCases,
  ...badFirstCases,
  ...lengthNameCases,
  ...lineCases,
  ...legalCases,
  {
    id: 'head-all-lf',
    grade: 'A',
    source: 'RFC 9112 §2.2, strict',
    bytes: 'GET /v HTTP/1.1\nHost: lb.test\n\n',
    allowed: [refused()],
  },
  {
    id: 'head-ends-lf-lf',
    grade: 'A',
    source: 'RFC 9112 §2.2',
    bytes: `GET /v HTTP/1.1\r\nHost: lb.test\n\n${SMUGGLED}`,
    allowed: [refused()],
  },
  {
    id: 'head-ends-cr-x',
    grade: 'A',
    source: 'CVE-2025-23167',
    bytes: `GET /v HTTP/1.1\r\nHost: lb.test\r\n\rX${SMUGGLED}`,
    allowed: [refused()],
  },
  {
    id: 'white-space-first-line',
    grade: 'A',
    source: 'RFC 9112 §2.2: white space between request line and first field',
    bytes: `GET /v HTTP/1.1\r\n Host: lb.test\r\nHost: lb.test\r\n\r\n`,
    allowed: [refused()],
  },
  {
    id: 'leading-empty-line',
    grade: 'B',
    source: 'RFC 9112 §2.2: at least one is ignored',
    bytes: `\r\n${get()}`,
    allowed: [forwarded({ line: 'GET /v HTTP/1.1' })],
  },
  {
    id: 'leading-empty-lines-flood',
    grade: 'B',
    source: 'everything has a limit',
    bytes: '\r\n'.repeat(10_000),
    allowed: [refused()],
  },
  {
    id: 'leading-lf',
    grade: 'B',
    source: 'RFC 9112 §2.2, strict',
    bytes: `\n${get()}`,
    allowed: [refused(), forwarded({})],
  },
  {
    id: 'fields-too-many',
    grade: 'A',
    source: 'RFC 9110 §5.4',
    bytes: get('X: y\r\n'.repeat(300)),
    allowed: [refused(400, 431)],
  },
  {
    id: 'field-too-large',
    grade: 'A',
    source: 'RFC 9110 §5.4',
    bytes: get(`X: ${'y'.repeat(60_000)}\r\n`),
    allowed: [refused(400, 431)],
  },
  {
    id: 'field-name-too-large',
    grade: 'A',
    source: 'RFC 9110 §5.4',
    bytes: get(`${'X'.repeat(60_000)}: y\r\n`),
    allowed: [refused(400, 431)],
  },
  {
    id: 'head-without-end',
    grade: 'A',
    source: 'memory of a head that never ends is bounded',
    bytes: `GET /v HTTP/1.1\r\nHost: lb.test\r\n${'X: yyyyyyyyyyyyyyyy\r\n'.repeat(10_000)}`,
    allowed: [refused(400, 431)],
  },
  {
    id: 'same-name-order',
    grade: 'A',
    source: 'RFC 9110 §5.3',
    bytes: get('X-Role: a\r\nX-Other: o\r\nX-Role: b\r\nx-role: c\r\n'),
    allowed: [
      forwarded({
        has: [
          ['X-Role', 'a'],
          ['X-Role', 'b'],
          ['X-Role', 'c'],
        ],
      }),
    ],
  },
  {
    id: 'white-space-trimmed',
    grade: 'B',
    source: 'RFC 9110 §5.5',
    bytes: get('X-Name: \t value \t \r\n'),
    allowed: [forwarded({ has: [['X-Name', 'value']] })],
  },
  {
    id: 'no-space-behind-colon',
    grade: 'B',
    source: 'RFC 9112 §5',
    bytes: get('X-Name:value\r\n'),
    allowed: [forwarded({ has: [['X-Name', 'value']] })],
  },
  {
    id: 'method-custom',
    grade: 'B',
    source: 'RFC 9110 §9.1',
    bytes: 'PURGE /v HTTP/1.1\r\nHost: lb.test\r\n\r\n',
    allowed: [forwarded({ line: 'PURGE /v HTTP/1.1' })],
  },
  {
    id: 'method-lower-case',
    grade: 'B',
    source: 'RFC 9110 §9.1: methods are case-sensitive',
    bytes: 'get /v HTTP/1.1\r\nHost: lb.test\r\n\r\n',
    allowed: [forwarded({ line: 'get /v HTTP/1.1' }), refused(400, 405, 501)],
  },
];
