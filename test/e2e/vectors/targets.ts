import { answered, forwarded, type RawCase, refused } from '../raw-vectors.ts';

const withHost = (line: string, hosts = 'Host: lb.test\r\n'): string => `${line}\r\n${hosts}\r\n`;

/** Targets that are refused (RFC 9112 §3.2, RFC 3986). */
const badTargets: Record<string, string> = {
  fragment: '/v#/../admin',
  'fragment-empty': '/v#',
  'star-with-get': '*',
  'high-byte': '/v\xe4',
  nul: '/v\x00x',
  control: '/v\x01x',
  del: '/v\x7fx',
  relative: 'v',
  'query-only': '?x',
  'at-evil': '@evil.test/',
  'percent-alone': '/v%',
  'percent-one-digit': '/v%4',
  'percent-not-hex': '/v%zz',
  'percent-nul': '/v%00',
  'encoded-slash': '/pub%2f..%2fadmin/x',
  'encoded-slash-upper': '/pub%2F..%2Fadmin/x',
  'encoded-backslash': '/pub%5c..%5cadmin/x',
  backslash: '/pub\\..\\admin',
  'file-scheme': 'file:///etc/passwd',
  'absolute-userinfo': 'http://user:pass@lb.test/v',
  'absolute-no-host': 'http:///v',
  'absolute-bad-port': 'http://lb.test:99999/v',
  'absolute-fragment': 'http://lb.test/v#x',
  'absolute-space-in-host': 'http://lb%20test/v',
};

const badTargetCases: RawCase[] = Object.entries(badTargets).map(([name, target]) => ({
  id: `target-${name}`,
  grade: 'A',
  source: 'RFC 9112 §3.2, RFC 3986 §3',
  bytes: withHost(`GET ${target} HTTP/1.1`),
  allowed: [refused(400, 404)],
}));

/** Targets and the line that the origin must get. */
const goodTargets: Record<string, readonly [string, string]> = {
  query: ['/v?a=%41&b=../c&d=%2f%00', '/v?a=%41&b=../c&d=%2f%00'],
  'query-empty': ['/v?', '/v?'],
  'query-question': ['/v?a?b', '/v?a?b'],
  'sub-delims': ["/v/a!$&'()*+,;=:@b", "/v/a!$&'()*+,;=:@b"],
  'escaped-letter': ['/%76', '/v'],
  'escaped-tilde': ['/v/%7Euser', '/v/~user'],
  'escaped-space': ['/v/a%20b', '/v/a%20b'],
  'escaped-utf8': ['/v/%C3%A4', '/v/%C3%A4'],
  'dot-segment': ['/v/./x', '/v/x'],
  'dot-dot-segment': ['/v/y/../x', '/v/x'],
  'encoded-dot-dot': ['/v/y/%2e%2E/x', '/v/x'],
  'dots-in-name': ['/v/..x/x..', '/v/..x/x..'],
  'absolute-form': ['http://lb.test/v', '/v'],
  'absolute-any-case': ['HTTP://LB.TEST/v', '/v'],
  'absolute-port': ['http://lb.test:80/v?x=y', '/v?x=y'],
  'absolute-no-path': ['http://lb.test', '/'],
  'absolute-query-only': ['http://lb.test?x=y', '/?x=y'],
};

const goodTargetCases: RawCase[] = Object.entries(goodTargets).map(([name, [target, sent]]) => ({
  id: `target-pass-${name}`,
  grade: 'B',
  source: 'RFC 9112 §3.2.1, §3.2.2, RFC 3986 §6.2.2',
  bytes: withHost(`GET ${target} HTTP/1.1`),
  allowed: [forwarded({ line: `GET ${sent} HTTP/1.1` })],
}));

/** Ways to write a path below /admin, which the balancer answers with 403 itself. */
const disguises = [
  '/admin',
  '/admin/x',
  '/pub/../admin/x',
  '/pub/%2e%2e/admin/x',
  '/pub/.%2e/admin/x',
  '/./admin/x',
  '/%61dmin/x',
  '/%61%64%6d%69%6e/x',
  '/admin/./x',
  '/x/y/../../admin/x',
  'http://lb.test/admin/x',
  'http://lb.test/x/../admin/x',
  '/admin?x',
];

const disguiseCases: RawCase[] = disguises.map((target) => ({
  id: `policy-${target}`,
  grade: 'A',
  source: 'CVE-2025-32431, CVE-2019-9901: what is judged is what is forwarded',
  bytes: withHost(`GET ${target} HTTP/1.1`),
  allowed: [answered(400, 403)],
}));

/** Host lines that are refused (RFC 9112 §3.2). */
const badHosts: Record<string, string> = {
  missing: '',
  two: 'Host: lb.test\r\nHost: lb.test\r\n',
  'two-differ': 'Host: lb.test\r\nHost: evil.test\r\n',
  space: 'Host: a b\r\n',
  userinfo: 'Host: user@lb.test\r\n',
  slash: 'Host: lb.test/x\r\n',
  backslash: 'Host: lb.test\\x\r\n',
  question: 'Host: lb.test?x\r\n',
  hash: 'Host: lb.test#x\r\n',
  'port-too-large': 'Host: lb.test:99999\r\n',
  'port-letters': 'Host: lb.test:http\r\n',
  'port-negative': 'Host: lb.test:-1\r\n',
  'port-twice': 'Host: lb.test:80:80\r\n',
  nul: 'Host: lb.test\x00\r\n',
  'high-byte': 'Host: lb.t\xe4st\r\n',
  comma: 'Host: lb.test, evil.test\r\n',
  'v6-open': 'Host: [::1\r\n',
  'v6-junk': 'Host: [::1]x\r\n',
  'v6-bad': 'Host: [:::1]\r\n',
  'v6-bare': 'Host: ::1\r\n',
  'angle-bracket': 'Host: <lb.test>\r\n',
  quote: 'Host: "lb.test"\r\n',
  'percent-bad': 'Host: lb%zz.test\r\n',
  caret: 'Host: lb^test\r\n',
  tab: 'Host: lb\ttest\r\n',
};

const badHostCases: RawCase[] = Object.entries(badHosts).map(([name, lines]) => ({
  id: `host-${name}`,
  grade: 'A',
  source: 'RFC 9112 §3.2, RFC 3986 §3.2',
  bytes: withHost('GET /v HTTP/1.1', lines),
  allowed: [refused()],
}));

const hostsSeen: Record<string, readonly [string, string]> = {
  plain: ['lb.test', 'lb.test'],
  'any-case': ['LB.TeSt', 'lb.test'],
  'trailing-dot': ['lb.test.', 'lb.test'],
  port: ['lb.test:8080', 'lb.test:8080'],
  v6: ['[::1]:8080', '[::1]:8080'],
  v4: ['127.0.0.1', '127.0.0.1'],
};

const goodHostCases: RawCase[] = Object.entries(hostsSeen).map(([name, [sent, seen]]) => ({
  id: `host-pass-${name}`,
  grade: 'B',
  source: 'RFC 9112 §3.2, canonical host',
  bytes: withHost('GET /v HTTP/1.1', `Host: ${sent}\r\n`),
  allowed: [forwarded({ has: [['Host', seen]] })],
}));

/** Request targets, Host, and policy by path. */
export const targetCases: readonly RawCase[] = [
  ...badTargetCases,
  ...goodTargetCases,
  ...disguiseCases,
  ...badHostCases,
  ...goodHostCases,
  {
    id: 'target-absolute-replaces-host',
    grade: 'A',
    source: 'RFC 9112 §3.2.2',
    bytes: withHost('GET http://lb.test/v HTTP/1.1', 'Host: evil.test\r\n'),
    allowed: [forwarded({ line: 'GET /v HTTP/1.1', has: [['Host', 'lb.test']] }), refused()],
  },
  {
    id: 'target-absolute-without-host',
    grade: 'A',
    source: 'RFC 9112 §3.2: Host is required all the same',
    bytes: withHost('GET http://lb.test/v HTTP/1.1', ''),
    allowed: [refused()],
  },
  {
    id: 'target-ssrf',
    grade: 'A',
    source: 'CVE-2021-40438: nothing that a request names is dialled',
    bytes: withHost('GET http://127.0.0.1:1/v HTTP/1.1'),
    allowed: [forwarded({ line: 'GET /v HTTP/1.1', has: [['Host', '127.0.0.1:1']] }), refused()],
  },
  {
    id: 'target-absolute-https',
    grade: 'B',
    source: 'RFC 9112 §3.2.2',
    bytes: withHost('GET https://lb.test/v HTTP/1.1'),
    allowed: [forwarded({ line: 'GET /v HTTP/1.1' }), refused(400, 421)],
  },
  {
    id: 'target-absolute-other-scheme',
    grade: 'B',
    source: 'RFC 9110 §7.4',
    bytes: withHost('GET ftp://lb.test/v HTTP/1.1'),
    allowed: [refused(400, 421)],
  },
  {
    id: 'target-options-star',
    grade: 'B',
    source: 'RFC 9112 §3.2.4',
    bytes: withHost('OPTIONS * HTTP/1.1'),
    methods: ['OPTIONS'],
    allowed: [forwarded({ line: 'OPTIONS * HTTP/1.1' })],
  },
  {
    id: 'target-options-absolute',
    grade: 'B',
    source: 'RFC 9112 §3.2.4',
    bytes: withHost('OPTIONS http://lb.test HTTP/1.1'),
    methods: ['OPTIONS'],
    allowed: [forwarded({ line: 'OPTIONS * HTTP/1.1' })],
  },
  {
    id: 'target-double-slash',
    grade: 'A',
    source: 'CVE-2026-26205: never an authority',
    bytes: withHost('GET //evil.test/x HTTP/1.1'),
    allowed: [
      forwarded({ line: 'GET //evil.test/x HTTP/1.1', has: [['Host', 'lb.test']] }),
      forwarded({ line: 'GET /evil.test/x HTTP/1.1', has: [['Host', 'lb.test']] }),
      refused(),
    ],
  },
  {
    id: 'target-above-root',
    grade: 'A',
    source: 'RFC 3986 §5.2.4',
    bytes: withHost('GET /../../etc/passwd HTTP/1.1'),
    allowed: [forwarded({ line: 'GET /etc/passwd HTTP/1.1' }), refused()],
  },
  {
    id: 'target-encoded-semicolon',
    grade: 'B',
    source: 'CVE-2025-66490: the same view on both sides',
    bytes: withHost('GET /admin%3bx HTTP/1.1'),
    allowed: [refused(), answered(403), forwarded({ line: 'GET /admin%3bx HTTP/1.1' })],
  },
  {
    id: 'target-double-escape',
    grade: 'A',
    source: 'decoded once and never again',
    bytes: withHost('GET /%2561dmin/x HTTP/1.1'),
    allowed: [refused(), forwarded({ line: 'GET /%2561dmin/x HTTP/1.1' })],
  },
  {
    id: 'host-empty',
    grade: 'B',
    source: 'RFC 9110 §7.2: http needs a host',
    bytes: withHost('GET /v HTTP/1.1', 'Host:\r\n'),
    allowed: [refused(), forwarded({})],
  },
  {
    id: 'host-http-1-0-missing',
    grade: 'B',
    source: 'RFC 9112 §3.2: only 1.1 requires it',
    bytes: 'GET /v HTTP/1.0\r\n\r\n',
    allowed: [forwarded({ line: 'GET /v HTTP/1.1' }, true)],
  },
  {
    id: 'connect',
    grade: 'A',
    source: 'CONNECT is not enabled',
    bytes: `CONNECT lb.test:22 HTTP/1.1\r\nHost: lb.test:22\r\n\r\nSSH-2.0-x\r\n`,
    methods: ['CONNECT'],
    allowed: [refused(400, 403, 405, 501)],
  },
  {
    id: 'connect-no-port',
    grade: 'A',
    source: 'RFC 9110 §9.3.6',
    bytes: withHost('CONNECT lb.test HTTP/1.1'),
    methods: ['CONNECT'],
    allowed: [refused(400, 403, 405, 501)],
  },
  {
    id: 'connect-origin-form',
    grade: 'A',
    source: 'RFC 9112 §3.2.3',
    bytes: withHost('CONNECT /v HTTP/1.1'),
    methods: ['CONNECT'],
    allowed: [refused(400, 403, 405, 501)],
  },
];
