import { answered, forwarded, type RawCase, refused } from '../raw-vectors.ts';
import { field } from '../response-reader.ts';
import { get, post, SMUGGLED } from './build.ts';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const upgrade = 'Connection: Upgrade\r\nUpgrade: foo\r\n';
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Expect, early answers, pipelining, the end of links, Upgrade. */
export const linkCases: readonly RawCase[] = [
  {
    id: 'expect-continue',
    grade: 'B',
    source: 'RFC 9110 §10.1.1',
    bytes: post('Content-Length: 5\r\nExpect: 100-continue\r\n'),
    followUp: 'hello',
    script: { onHead: CONTINUE },
    allowed: [
      {
        ...forwarded({ body: 'hello' }),
        holds: ([answer]) => answer?.interim.some(({ status }) => status === 100) === true,
      },
    ],
  },
  {
    id: 'expect-continue-any-case',
    grade: 'B',
    source: 'RFC 9110 §10.1.1',
    bytes: post('Content-Length: 5\r\nExpect: 100-Continue\r\n'),
    followUp: 'hello',
    script: { onHead: CONTINUE },
    allowed: [forwarded({ body: 'hello' })],
  },
  {
    id: 'expect-continue-body-at-once',
    grade: 'B',
    source: 'RFC 9110 §10.1.1: a client need not wait',
    bytes: post('Content-Length: 5\r\nExpect: 100-continue\r\n', 'hello'),
    script: { onHead: CONTINUE },
    allowed: [forwarded({ body: 'hello' })],
  },
  {
    id: 'expect-continue-chunked',
    grade: 'B',
    source: 'RFC 9110 §10.1.1',
    bytes: post('Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n'),
    followUp: '5\r\nhello\r\n0\r\n\r\n',
    script: { onHead: CONTINUE },
    allowed: [forwarded({ body: 'hello' })],
  },
  {
    id: 'expect-final-at-once',
    grade: 'A',
    source: 'CVE-2024-24791: the next user must not meet the unread body',
    bytes: post('Content-Length: 5\r\nExpect: 100-continue\r\n'),
    script: { onHead: 'HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n' },
    allowed: [{ statuses: [[417]], closes: true, seen: null }],
  },
  {
    id: 'expect-unknown',
    grade: 'B',
    source: 'RFC 9110 §10.1.1',
    bytes: get('Expect: nonsense\r\n'),
    allowed: [answered(417, 400)],
  },
  {
    id: 'expect-disguised',
    grade: 'A',
    source: 'CVE-2025-32094',
    bytes: post(`Content-Length: ${SMUGGLED.length}\r\nExpect: x 100-continue\r\n`, SMUGGLED),
    allowed: [refused(400, 417), { ...forwarded({ body: SMUGGLED }), closes: null }],
  },
  {
    id: 'expect-folded',
    grade: 'A',
    source: 'CVE-2025-32094',
    bytes: post(`Content-Length: ${SMUGGLED.length}\r\nExpect:\r\n 100-continue\r\n`, SMUGGLED),
    allowed: [refused()],
  },
  {
    id: 'expect-http-1-0',
    grade: 'B',
    source: 'RFC 9110 §10.1.1: ignored in 1.0',
    bytes:
      'POST /v HTTP/1.0\r\nHost: lb.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello',
    allowed: [
      {
        ...forwarded({ body: 'hello' }, true),
        holds: ([answer]) => answer?.interim.length === 0,
      },
    ],
  },
  {
    id: 'expect-without-body',
    grade: 'B',
    source: 'RFC 9110 §10.1.1',
    bytes: get('Expect: 100-continue\r\n'),
    allowed: [forwarded({ line: 'GET /v HTTP/1.1' }), answered(417)],
  },
  {
    id: 'early-answer-then-request',
    grade: 'A',
    source: 'RFC 9112 §9.3, §9.5: 0.CL',
    bytes: post(`Content-Length: ${SMUGGLED.length}\r\n`),
    followUp: SMUGGLED,
    script: { onHead: ok },
    allowed: [{ statuses: [[200]], closes: null, seen: null }],
  },
  {
    id: 'early-answer-closed',
    grade: 'A',
    source: 'RFC 9112 §9.3',
    bytes: post('Content-Length: 100000\r\n', 'x'.repeat(1000)),
    script: {
      onHead: 'HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
      ends: 'fin',
    },
    allowed: [{ statuses: [[413]], closes: true, seen: [] }],
  },
  {
    id: 'pipeline-2',
    grade: 'B',
    source: 'RFC 9112 §9.3.2',
    bytes: get('', '/first') + get('', '/second'),
    allowed: [forwarded([{ line: 'GET /first HTTP/1.1' }, { line: 'GET /second HTTP/1.1' }])],
  },
  {
    id: 'pipeline-12-in-order',
    grade: 'B',
    source: 'RFC 9112 §9.3.2',
    bytes: Array.from({ length: 12 }, (_, index) => get('', `/n${index}`)).join(''),
    allowed: [
      {
        ...forwarded(
          Array.from({ length: 12 }, (_, index) => ({ line: `GET /n${index} HTTP/1.1` })),
        ),
        holds: (answers) =>
          answers.every((answer, index) => answer.body.toString() === `GET /n${index} HTTP/1.1`),
      },
    ],
  },
  {
    id: 'pipeline-mixed-bodies',
    grade: 'B',
    source: 'RFC 9112 §9.3.2',
    bytes:
      post('Content-Length: 5\r\n', 'hello') +
      get() +
      post('Transfer-Encoding: chunked\r\n', '3\r\nabc\r\n0\r\n\r\n') +
      get(),
    allowed: [forwarded([{ body: 'hello' }, { body: '' }, { body: 'abc' }, { body: '' }])],
  },
  {
    id: 'pipeline-head-get',
    grade: 'B',
    source: 'RFC 9110 §9.3.2',
    bytes: `HEAD /v HTTP/1.1\r\nHost: lb.test\r\n\r\n${get('', '/second')}`,
    methods: ['HEAD', 'GET'],
    allowed: [forwarded([{ line: 'HEAD /v HTTP/1.1' }, { line: 'GET /second HTTP/1.1' }])],
  },
  {
    id: 'pipeline-good-then-bad',
    grade: 'A',
    source: 'RFC 9112 §9.3.2, §2.2',
    bytes: `${get()}GET /v HTTP/1.1\r\nHost: lb.test\r\nX : y\r\n\r\n`,
    allowed: [{ statuses: [[200], [400]], closes: true, seen: [{}] }],
  },
  {
    id: 'pipeline-behind-policy-answer',
    grade: 'B',
    source: 'RFC 9112 §9.3.2',
    bytes: get('', '/admin/x') + get('', '/second'),
    allowed: [
      { statuses: [[403], [200]], closes: false, seen: [{ line: 'GET /second HTTP/1.1' }] },
      { statuses: [[403]], closes: true, seen: [] },
    ],
  },
  {
    id: 'close-ends-processing',
    grade: 'A',
    source: 'RFC 9112 §9.6: nothing behind close is processed',
    bytes: get('Connection: close\r\n') + get('', '/second'),
    allowed: [
      {
        ...forwarded({ line: 'GET /v HTTP/1.1' }, true),
        holds: ([answer]) => answer !== undefined && field(answer, 'connection') === 'close',
      },
    ],
  },
  {
    id: 'close-any-case-in-list',
    grade: 'B',
    source: 'RFC 9112 §9.6',
    bytes: get('Connection: x-a, CLOSE\r\n'),
    allowed: [forwarded({}, true)],
  },
  {
    id: 'http-1-0-closes',
    grade: 'B',
    source: 'RFC 9112 §9.3',
    bytes: 'GET /v HTTP/1.0\r\nHost: lb.test\r\n\r\n',
    allowed: [forwarded({}, true)],
  },
  {
    id: 'http-1-0-keep-alive-closes',
    grade: 'B',
    source: 'RFC 9112 §9.3: a proxy keeps no link with a 1.0 client',
    bytes: 'GET /v HTTP/1.0\r\nHost: lb.test\r\nConnection: keep-alive\r\n\r\n',
    allowed: [forwarded({}, true)],
  },
  {
    id: 'half-closed-client-is-answered',
    grade: 'B',
    source: 'RFC 9112 §9.6',
    bytes: get(),
    ends: true,
    allowed: [forwarded({}, true)],
  },
  {
    id: 'upgrade-refused-by-origin',
    grade: 'A',
    source: 'CVE-2026-2833: bytes behind an upgrade request are the next request',
    bytes: get(upgrade) + get('', '/second'),
    allowed: [
      forwarded([{ line: 'GET /v HTTP/1.1' }, { line: 'GET /second HTTP/1.1' }], null),
      forwarded({ line: 'GET /v HTTP/1.1' }, true),
    ],
  },
  {
    id: 'upgrade-forwarded',
    grade: 'B',
    source: 'RFC 9110 §7.8',
    bytes: get(upgrade),
    allowed: [
      forwarded({
        has: [['Upgrade', 'foo']],
        holds: (seen) =>
          seen.fields.some(
            ([name, value]) => name.toLowerCase() === 'connection' && /upgrade/i.test(value),
          ),
      }),
    ],
  },
  {
    id: 'upgrade-in-http-1-0',
    grade: 'B',
    source: 'RFC 9110 §7.8: ignored in 1.0',
    bytes: `GET /v HTTP/1.0\r\nHost: lb.test\r\n${upgrade}\r\n`,
    allowed: [forwarded({ lacks: ['Upgrade'] }, true)],
  },
  {
    id: 'upgrade-h2c',
    grade: 'A',
    source: 'h2c smuggling: an HTTP/2 tunnel past the routes',
    bytes: get(
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n',
    ),
    allowed: [
      forwarded({
        lacks: ['HTTP2-Settings'],
        holds: (seen) => !/h2c/i.test(JSON.stringify(seen.fields)),
      }),
      refused(),
    ],
  },
  {
    id: 'preface-http-2',
    grade: 'A',
    source: 'RFC 9113 §3.4 to an HTTP/1 listener',
    bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    allowed: [refused(400, 405, 501, 505)],
  },
  {
    id: 'proxy-header-unexpected',
    grade: 'A',
    source: 'PROXY protocol from a peer that should not send it',
    bytes: `PROXY TCP4 6.6.6.6 127.0.0.1 1 2\r\n${get()}`,
    allowed: [refused()],
  },
];
