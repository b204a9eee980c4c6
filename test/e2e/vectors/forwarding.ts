import type { SeenRequest } from '../raw-origin.ts';
import {
  answered,
  forwarded,
  type RawCase,
  refused,
  type SeenExpectation,
} from '../raw-vectors.ts';
import { get } from './build.ts';

const values = (seen: SeenRequest, name: string): string[] =>
  seen.fields.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);

const has = (seen: SeenRequest, text: string): boolean =>
  seen.fields.some(([, value]) => value.includes(text));

/** Field lines sent and what must hold of the request that the origin gets. */
const rows: Record<string, readonly [string, SeenExpectation]> = {
  'connection-removed': ['Connection: keep-alive\r\n', { holds: noConnectionOption('keep-alive') }],
  'connection-named': ['Connection: X-Secret\r\nX-Secret: y\r\n', { lacks: ['X-Secret'] }],
  'connection-named-any-case': ['Connection: x-SECRET\r\nX-Secret: y\r\n', { lacks: ['X-Secret'] }],
  'connection-named-list': [
    'Connection: keep-alive , X-A,\tX-B\r\nX-A: 1\r\nX-B: 2\r\nX-C: 3\r\n',
    { lacks: ['X-A', 'X-B'], has: [['X-C', '3']] },
  ],
  'connection-two-lines': [
    'Connection: X-A\r\nX-A: 1\r\nConnection: X-B\r\nX-B: 2\r\n',
    { lacks: ['X-A', 'X-B'] },
  ],
  'connection-behind-field': ['X-A: 1\r\nConnection: X-A\r\n', { lacks: ['X-A'] }],
  'connection-empty-members': ['Connection: ,, X-A,,\r\nX-A: 1\r\n', { lacks: ['X-A'] }],
  'connection-names-host': ['Connection: Host\r\n', { has: [['Host', 'lb.test']] }],
  'connection-names-ours': [
    'Connection: X-Forwarded-For, X-Forwarded-Host, X-Real-IP, Forwarded, Via\r\n',
    {
      holds: (seen) =>
        values(seen, 'x-forwarded-for').join() === '127.0.0.1' && values(seen, 'via').length === 1,
    },
  ],
  'keep-alive': ['Keep-Alive: timeout=5\r\n', { lacks: ['Keep-Alive'] }],
  'proxy-connection': ['Proxy-Connection: keep-alive\r\n', { lacks: ['Proxy-Connection'] }],
  te: ['TE: trailers, deflate\r\n', { holds: (seen) => !has(seen, 'deflate') }],
  'te-named': ['Connection: TE\r\nTE: gzip\r\n', { holds: (seen) => !has(seen, 'gzip') }],
  'upgrade-not-named': ['Upgrade: websocket\r\n', { lacks: ['Upgrade'] }],
  'via-added': ['', { holds: (seen) => values(seen, 'via').some((one) => one.startsWith('1.1 ')) }],
  'via-kept': [
    'Via: 1.0 fred, 1.1 other\r\n',
    { holds: (seen) => /^1\.0 fred, 1\.1 other, ?1\.1 /.test(values(seen, 'via').join(', ')) },
  ],
  'xff-replaced': ['X-Forwarded-For: 6.6.6.6\r\n', { has: [['X-Forwarded-For', '127.0.0.1']] }],
  'xff-two-lines': [
    'X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 7.7.7.7\r\n',
    { has: [['X-Forwarded-For', '127.0.0.1']] },
  ],
  'xff-any-case': ['x-fORWARDED-fOR: 6.6.6.6\r\n', { has: [['X-Forwarded-For', '127.0.0.1']] }],
  'xff-underscore': ['X_Forwarded_For: 6.6.6.6\r\n', { holds: (seen) => !has(seen, '6.6.6.6') }],
  'xff-dot': ['X.Forwarded.For: 6.6.6.6\r\n', { holds: (seen) => !has(seen, '6.6.6.6') }],
  'xff-mixed': ['X-Forwarded_For: 6.6.6.6\r\n', { holds: (seen) => !has(seen, '6.6.6.6') }],
  'xf-proto': ['X-Forwarded-Proto: https\r\n', { has: [['X-Forwarded-Proto', 'http']] }],
  'xf-host': ['X-Forwarded-Host: evil.test\r\n', { has: [['X-Forwarded-Host', 'lb.test']] }],
  'xf-port': ['X-Forwarded-Port: 6666\r\n', { holds: (seen) => !has(seen, '6666') }],
  'xf-prefix': ['X-Forwarded-Prefix: /evil\r\n', { holds: (seen) => !has(seen, '/evil') }],
  'xf-server': ['X-Forwarded-Server: evil\r\n', { holds: (seen) => !has(seen, 'evil') }],
  'real-ip': ['X-Real-IP: 6.6.6.6\r\n', { holds: (seen) => !has(seen, '6.6.6.6') }],
  forwarded: ['Forwarded: for=6.6.6.6;proto=https\r\n', { holds: (seen) => !has(seen, '6.6.6.6') }],
  'max-forwards-not-invented': ['', { lacks: ['Max-Forwards'] }],
  'max-forwards-kept-on-get': ['Max-Forwards: 5\r\n', { has: [['Max-Forwards', '5']] }],
  'no-body-invented': ['', { lacks: ['Content-Length', 'Transfer-Encoding'], body: '' }],
  'expect-not-invented': ['', { lacks: ['Expect'] }],
};

function noConnectionOption(option: string): (seen: SeenRequest) => boolean {
  return (seen) => !values(seen, 'connection').join().toLowerCase().includes(option);
}

const rowCases: RawCase[] = Object.entries(rows).map(([name, [fields, expected]]) => ({
  id: `forward-${name}`,
  grade: /^(xf|real|forwarded|connection-names)/.test(name) ? 'A' : 'B',
  source: 'RFC 9110 §7.6.1, §7.6.3, §5.3; forwarding fields of untrusted peers',
  bytes: get(fields),
  allowed: [forwarded({ line: 'GET /v HTTP/1.1', ...expected })],
}));

/** What is forwarded, field by field. */
export const forwardingCases: readonly RawCase[] = [
  ...rowCases,
  {
    id: 'forward-many-connection-members',
    grade: 'B',
    source: 'RFC 9110 §5.6.1.2: not an unbounded number of empty members',
    bytes: get(`Connection: ${','.repeat(20_000)}close\r\n`),
    allowed: [refused(400, 431), forwarded({}, true)],
  },
  {
    id: 'forward-http-1-0-as-1-1',
    grade: 'B',
    source: 'RFC 9112 §2.3',
    bytes: 'GET /v HTTP/1.0\r\nHost: lb.test\r\n\r\n',
    allowed: [
      forwarded(
        { line: 'GET /v HTTP/1.1', holds: (seen) => /^1\.0 /.test(values(seen, 'via').join()) },
        true,
      ),
    ],
  },
  {
    id: 'forward-trace-max-forwards-0',
    grade: 'B',
    source: 'RFC 9110 §7.6.2',
    bytes: 'TRACE /v HTTP/1.1\r\nHost: lb.test\r\nMax-Forwards: 0\r\n\r\n',
    methods: ['TRACE'],
    allowed: [answered(200, 400, 403, 405, 501)],
  },
  {
    id: 'forward-options-max-forwards-0',
    grade: 'B',
    source: 'RFC 9110 §7.6.2',
    bytes: 'OPTIONS /v HTTP/1.1\r\nHost: lb.test\r\nMax-Forwards: 0\r\n\r\n',
    methods: ['OPTIONS'],
    allowed: [answered(200, 204)],
  },
  {
    id: 'forward-options-max-forwards-decremented',
    grade: 'B',
    source: 'RFC 9110 §7.6.2',
    bytes: 'OPTIONS /v HTTP/1.1\r\nHost: lb.test\r\nMax-Forwards: 5\r\n\r\n',
    methods: ['OPTIONS'],
    allowed: [forwarded({ has: [['Max-Forwards', '4']] })],
  },
  {
    id: 'forward-trace-max-forwards-decremented',
    grade: 'B',
    source: 'RFC 9110 §7.6.2',
    bytes: 'TRACE /v HTTP/1.1\r\nHost: lb.test\r\nMax-Forwards: 10\r\n\r\n',
    methods: ['TRACE'],
    allowed: [forwarded({ has: [['Max-Forwards', '9']] }), answered(403, 405, 501)],
  },
];
